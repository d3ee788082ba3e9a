// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "backbone/backbone.h"
#include "match/nearest.h"
#include "match/pair_file.h"
#include "match/rotation_search.h"

namespace imatch {

/// One pair to match, and where its results go.
struct PairTask {
  int a = 0;
  int b = 0;
  std::string file;
  std::string settings_key;
  std::string embed_folder;
  using Self = PairTask;
  static constexpr auto fields = std::tuple{
      field("a", &Self::a, at_least(0), "Position of image a in `images`, 0-based."),
      field("b", &Self::b, at_least(0), "Position of image b."),
      field("file", &Self::file, anything(), "Path of the pair file."),
      field("settings_key", &Self::settings_key, anything(),
            "Hash of all that the result depends on: a pair file with an equal one is left alone. Empty: the "
            "pair is matched in any case."),
      field("embed_folder", &Self::embed_folder, anything(),
            "Folder for global_a, global_b, patch_a and patch_b as .npy files, the tokens being those that "
            "took part in matching, in their order (of b in its best rotation); empty: not written.")};
};

struct PairJobOptions {
  std::vector<std::string> images;
  std::vector<PairTask> pairs;
  std::string weight;
  PairMeta meta;
  MutualNearestOptions match;
  std::vector<double> rotations_deg;
  std::string rotation_score = "inliers";
  std::string other_global;
  int batch_size = 8;
  double memory_mb = 1024;
  std::string folder;
  bool force = false;
  using Self = PairJobOptions;
  static constexpr auto fields =
      std::tuple{field("images", &Self::images, anything(), "Paths of the images."),
                 field("pairs", &Self::pairs, anything(), "Ordered pairs of them, each with its file."),
                 field("weight", &Self::weight, anything(), "What the files call the backbone."),
                 field("meta", &Self::meta, anything(), "Where the files say that they came from."),
                 field("match", &Self::match, anything(), "Options of match.mutual_nearest."),
                 field("rotations_deg", &Self::rotations_deg, anything(),
                       "Angles by which b is rotated clockwise, the best is kept; empty: b as it is."),
                 field("rotation_score", &Self::rotation_score, one_of(kRotationScores),
                       "What the best rotation has most of."),
                 field("other_global", &Self::other_global, anything(),
                       "Name of the global vector where it is another than readers of these files expect: it "
                       "is then written as global_<NAME>_a and _b, and its cosine under other_global; empty: "
                       "the expected one."),
                 field("batch_size", &Self::batch_size, at_least(1), "Images decoded and run together."),
                 field("memory_mb", &Self::memory_mb, at_least(0),
                       "Features held in memory (MB of 10^6 bytes); more is written to the disk meanwhile."),
                 field("folder", &Self::folder, anything(),
                       "For what does not fit in memory: a folder of that name is made and removed."),
                 field("force", &Self::force, anything(), "Match again what is finished.")};
};

struct PairJobProgress {
  std::size_t total = 0;     ///< Pairs.
  std::size_t run = 0;       ///< Matched and written by this job.
  std::size_t finished = 0;  ///< There before, with equal settings_key (and embeddings).
  std::size_t skipped = 0;   ///< An image of theirs could not be used.
  static constexpr auto fields = std::tuple{
      field("total", &PairJobProgress::total, anything(), "Pairs."),
      field("run", &PairJobProgress::run, anything(), "Matched and written."),
      field("finished", &PairJobProgress::finished, anything(), "There before, with equal settings."),
      field("skipped", &PairJobProgress::skipped, anything(), "An image of theirs could not be used.")};
};

/// What images of one size become.
struct PairJobGrid {
  int image_width = 0, image_height = 0;
  int rows = 0, cols = 0;
  int dim = 0;
  auto operator<=>(const PairJobGrid&) const = default;
  static constexpr auto fields =
      std::tuple{field("image_width", &PairJobGrid::image_width, anything(), "Of the image, px."),
                 field("image_height", &PairJobGrid::image_height, anything(), "Likewise."),
                 field("rows", &PairJobGrid::rows, anything(), "Rows of tokens."),
                 field("cols", &PairJobGrid::cols, anything(), "Columns of tokens."),
                 field("dim", &PairJobGrid::dim, anything(), "Length of a token.")};
};

struct PairJobEvents {
  std::function<void(const PairJobProgress&)> on_progress = [](const PairJobProgress&) {};  ///< After a pair.
  std::function<void(const PairJobGrid&)> on_grid = [](const PairJobGrid&) {};  ///< Once for each.
};

struct FailedImage {
  std::string file;
  std::string problem;
  static constexpr auto fields =
      std::tuple{field("file", &FailedImage::file, anything(), "Its path."),
                 field("problem", &FailedImage::problem, anything(), "Why it could not be read or run.")};
};

struct PairJobResult {
  PairJobProgress counts;
  std::vector<FailedImage> failed_images;  ///< In the order of `images`.
  static constexpr auto fields = std::tuple{
      field("counts", &PairJobResult::counts, anything(), "total, run, finished, skipped."),
      field("failed_images", &PairJobResult::failed_images, anything(), "Each with file and problem.")};
};

/// Matches every pair with one backbone and writes a file for each, whole or not at all; what is finished
/// stays, so a job that was stopped goes on where it was. An image is decoded once and goes forward once,
/// within memory_mb (match/image_features.h). What does not fit is read once for each group of images b that
/// fill half of the memory: they stay there while every a passes by. Throws Error for a pair that names no
/// image, Failure (unwritable, no_space), and Interrupted when a stop is asked for, once a pair.
PairJobResult run_pairs(const Backbone& backbone, const PairJobOptions& options,
                        const PairJobEvents& events = {});

}  // namespace imatch
