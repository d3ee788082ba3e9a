// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/options.h"
#include "image/decode.h"
#include "match/matches.h"
#include "match/rotation_search.h"

namespace imatch {

/// Where a pair file came from: paths and settings of the run, as text for people.
struct PairMeta {
  std::optional<std::string> repo_dir;
  std::optional<std::string> img_root;
  std::optional<std::string> embed_root;
  std::optional<std::string> export_root;
  std::optional<std::string> ckpt;
  std::optional<std::string> hub_model;
  std::optional<std::string> device;
  std::optional<int> image_size;
  std::optional<std::string> pair_match_root;
  std::optional<std::string> match_root;
  using Self = PairMeta;
  static constexpr auto fields = std::tuple{
      field("repo_dir", &Self::repo_dir, anything(), "Folder of the code."),
      field("img_root", &Self::img_root, anything(), "Folder of the images."),
      field("embed_root", &Self::embed_root, anything(), "Folder of saved features."),
      field("export_root", &Self::export_root, anything(), "Folder of all results."),
      field("ckpt", &Self::ckpt, anything(), "File or folder of the weights."),
      field("hub_model", &Self::hub_model, anything(), "Published name of the model."),
      field("device", &Self::device, anything(), "Where it ran."),
      field("image_size", &Self::image_size, in_range(1, 65536), "Side in pixels to which it resized."),
      field("pair_match_root", &Self::pair_match_root, anything(), "Folder of the pair files."),
      field("match_root", &Self::match_root, anything(), "The same, as earlier programs call it.")};
};

struct PairTimes {
  std::optional<double> forward_a;
  std::optional<double> forward_b;
  std::optional<double> total;
  using Self = PairTimes;
  static constexpr auto fields =
      std::tuple{field("forward_a", &Self::forward_a, anything(), "Features of image a, in ms."),
                 field("forward_b", &Self::forward_b, anything(), "Features of image b, in ms."),
                 field("total", &Self::total, anything(), "Both and the matching, in ms.")};
};

struct PairSettings {
  double match_threshold = 0;
  int max_features = 0;
  double keypoint_threshold = 0;
  double line_threshold = 0;
  std::string matching_mode = "mutual_knn_k1_unique";
  using Self = PairSettings;
  static constexpr auto fields = std::tuple{
      field("match_threshold", &Self::match_threshold, anything(), "match_th of match.mutual_nearest."),
      field("max_features", &Self::max_features, anything(), "max_features likewise."),
      field("keypoint_threshold", &Self::keypoint_threshold, anything(), "keypoint_th likewise."),
      field("line_threshold", &Self::line_threshold, anything(), "line_th likewise."),
      field("matching_mode", &Self::matching_mode, anything(), "How tokens were paired.")};
};

struct PairGrid {
  int rows = 0;
  int cols = 0;
  static constexpr auto fields = std::tuple{field("rows", &PairGrid::rows, in_range(0, 65536), "Rows."),
                                            field("cols", &PairGrid::cols, in_range(0, 65536), "Columns.")};
};

/// The matches. idx_* are 0-based, row by row, in the full token grid.
struct PairPatch {
  int n_a = 0;
  int n_b = 0;
  int n_selected_a = 0;
  int n_selected_b = 0;
  std::optional<int> grid_g_a;  ///< Side of a square grid; null for any other.
  std::optional<int> grid_g_b;
  std::vector<int> idx_a;
  std::vector<int> idx_b;
  std::vector<double> similarities;
  std::optional<PairGrid> grid_a;
  std::optional<PairGrid> grid_b;
  std::optional<std::vector<std::vector<double>>> points_a;  ///< {x, y} in pixels of the original image.
  std::optional<std::vector<std::vector<double>>> points_b;
  using Self = PairPatch;
  static constexpr auto fields = std::tuple{
      field("n_a", &Self::n_a, at_least(0), "Tokens of a."),
      field("n_b", &Self::n_b, at_least(0), "Tokens of b."),
      field("n_selected_a", &Self::n_selected_a, at_least(0), "Tokens of a that took part."),
      field("n_selected_b", &Self::n_selected_b, at_least(0), "Tokens of b that took part."),
      field("grid_g_a", &Self::grid_g_a, at_least(0), "Side of a square grid; unset for any other."),
      field("grid_g_b", &Self::grid_g_b, at_least(0), "Likewise."),
      field("idx_a", &Self::idx_a, at_least(0), "Token of a for each match, 0-based."),
      field("idx_b", &Self::idx_b, at_least(0), "Token of b for each match."),
      field("similarities", &Self::similarities, anything(), "Cosine of each match."),
      field("grid_a", &Self::grid_a, anything(), "{rows, cols} of a."),
      field("grid_b", &Self::grid_b, anything(),
            "{rows, cols} of b; of the rotated image where b was rotated."),
      field("points_a", &Self::points_a, anything(), "{x, y} of each match in pixels of the original a."),
      field("points_b", &Self::points_b, anything(), "Likewise of b, as it is on disk.")};
};

/// How the images became tokens.
struct PairPreprocessing {
  std::string backbone;
  std::optional<int> stride_px;
  std::vector<int> image_size_a;
  std::vector<int> image_size_b;
  using Self = PairPreprocessing;
  static constexpr auto fields = std::tuple{
      field("backbone", &Self::backbone, anything(), "Name and every option that shapes the features."),
      field("stride_px", &Self::stride_px, at_least(1), "Side of a token in the resized image."),
      field("image_size_a", &Self::image_size_a, at_least(1), "{width, height} of the original a."),
      field("image_size_b", &Self::image_size_b, at_least(1), "{width, height} of the original b.")};
};

/// The cosine of global vectors that are others than those of the DINO matching programs.
struct PairGlobal {
  std::string global;
  double cosine = 0;
  static constexpr auto fields =
      std::tuple{field("global", &PairGlobal::global, anything(), "Option `global` of the backbone."),
                 field("cosine", &PairGlobal::cosine, anything(), "Of the two vectors.")};
};

/// One matched pair as a file: pair_match/<weight>_<ALT>_<FRAME>/<weight>_<ALT.FRAME a>_<ALT.FRAME b>.json.
/// Everything up to `patch` is what the DINO matching programs write; what follows, and the grids and points
/// in `patch`, stands beside it and may be missing.
struct PairFile {
  PairMeta meta;
  std::string image_a;
  std::string image_b;
  std::string weight;
  std::optional<double> cosine;
  PairTimes time_ms;
  PairSettings advanced_settings;
  PairPatch patch;
  std::optional<std::string> weights_sha256;
  std::optional<std::string> program_version;
  std::optional<PairGlobal> other_global;
  std::optional<PairPreprocessing> preprocessing;
  std::optional<RotationSummary> rotation_search;
  std::optional<std::string> settings_key;
  using Self = PairFile;
  static constexpr auto fields = std::tuple{
      field("meta", &Self::meta, anything(), "repo_dir, img_root, embed_root, export_root, ckpt ..."),
      field("image_a", &Self::image_a, anything(), "Path of image a."),
      field("image_b", &Self::image_b, anything(), "Path of image b."),
      field("weight", &Self::weight, anything(), "Name of the backbone."),
      field("cosine", &Self::cosine, anything(), "Of the global vectors."),
      field("time_ms", &Self::time_ms, anything(), "forward_a, forward_b, total."),
      field("advanced_settings", &Self::advanced_settings, anything(), "Thresholds of the matching."),
      field("patch", &Self::patch, anything(), "Token counts, grids and matches."),
      field("weights_sha256", &Self::weights_sha256, anything(), "SHA-256 of the weights."),
      field("program_version", &Self::program_version, anything(), "Of the program that wrote the file."),
      field(
          "other_global", &Self::other_global, anything(),
          "{global, cosine}, in place of `cosine`, of global vectors that are others than those of the DINO "
          "matching programs."),
      field("preprocessing", &Self::preprocessing, anything(), "How the images became tokens."),
      field("rotation_search", &Self::rotation_search, anything(), "What the rotations tried gave."),
      field("settings_key", &Self::settings_key, anything(),
            "Hash of all that the matches depend on: an equal one need not be computed again.")};
};

/// Without the additions that are unset; required keys that are unset are null.
Json to_json(const PairFile& pair);

/// Everything but `patch`, that is but the matches.
Json header_json(const PairFile& pair);

struct PairReadOptions {
  bool ignore_unknown = false;
  static constexpr auto fields = std::tuple{field("ignore_unknown", &PairReadOptions::ignore_unknown,
                                                  anything(), "Step over keys not known here.")};
};

/// Throws Failure (bad_format) that names `name` and the key that is missing, unknown, of a wrong type or out
/// of range: also for lists of unequal length and tokens outside of their grid.
PairFile parse_pair(const Json& json, const std::string& name, const PairReadOptions& options = {});

/// Also as read_json.
PairFile read_pair_file(const std::string& path, const PairReadOptions& options = {});

/// Whole or not at all; makes missing folders. Throws Failure (unwritable, no_space), and bad_format as
/// parse_pair for what does not go together.
void write_pair_file(const std::string& path, const PairFile& pair);

/// As Matches between original images of these sizes. Points are those of the file, scaled when the sizes are
/// not the ones it names. A file without them has its grid from grid_*, from grid_g_*, or by the rule of the
/// programs that wrote it: the shorter side resized to meta.image_size, what exceeds whole patches cut off,
/// for patches of the size in the weight's name. Throws Failure (no_result) when no grid fits the tokens.
Matches matches_of(const PairFile& pair, ImageSize a, ImageSize b);

}  // namespace imatch
