// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <tuple>

#include "base/field.h"
#include "base/options.h"

namespace imatch {

/// Everything that decides PatchCore's scores beside the network and the size of its input (K. Roth et al.,
/// "Towards total recall in industrial anomaly detection", 2022). A preset gives every field its value; each
/// may then be set alone.
struct PatchCoreMethod {
  std::string preset = "anomalib";
  std::string crop = "none";
  std::string pooling = "average";
  int patch_size = 3;
  int layer_dims = 1024;
  int dims = 1024;
  std::string coreset = "greedy";
  std::string start = "kept";
  std::string distance = "euclidean";
  std::string score = "reweighted";
  int num_neighbors = 9;
  std::string upsampling = "nearest";
  double blur_sigma_px = 4;
  std::string blur_border = "reflect";

  static constexpr std::string_view kPresets[] = {"anomalib", "anomalib-2.3", "patchcore"};
  static constexpr std::string_view kCrops[] = {"none", "centre"};
  static constexpr std::string_view kPoolings[] = {"average", "adaptive"};
  static constexpr std::string_view kCoresets[] = {"greedy", "approximate"};
  static constexpr std::string_view kStarts[] = {"kept", "dropped"};
  static constexpr std::string_view kDistances[] = {"euclidean", "squared"};
  static constexpr std::string_view kScores[] = {"reweighted", "mean"};
  static constexpr std::string_view kUpsamplings[] = {"nearest", "bilinear"};
  static constexpr std::string_view kBorders[] = {"reflect", "symmetric"};
  using Self = PatchCoreMethod;
  static constexpr auto fields = std::tuple{
      field(
          "preset", &Self::preset, one_of(kPresets),
          "Whose numbers are reproduced: 'anomalib' (from 2.4 on), 'anomalib-2.3' (the coreset's start point "
          "is not kept), "
          "'patchcore' (amazon-science/patchcore-inspection: 1,024 dimensions, squared distances, no "
          "re-weighting). It sets "
          "the options below, each of which may be set alone."),
      field("crop", &Self::crop, one_of(kCrops),
            "What of a picture, or of its region, is inspected: 'none': all, resized to the network's input "
            "whatever "
            "its shape; 'centre': its middle, of the input's shape and 224/256 of the largest that fits, "
            "which is "
            "resizing the shorter side to 256 and cutting 224 out."),
      field("pooling", &Self::pooling, one_of(kPoolings),
            "How a patch becomes a vector: 'average' of its cells, channels of the layers one behind the "
            "other; "
            "'adaptive': its "
            "cells themselves, averaged to `layer_dims` numbers a layer and `dims` in all."),
      field("patch_size", &Self::patch_size, in_range(1, 31),
            "Side of a patch in cells, odd; cells beyond the border count as zeros."),
      field("layer_dims", &Self::layer_dims, in_range(1, 65536), "Numbers a layer for 'adaptive'."),
      field("dims", &Self::dims, in_range(1, 65536), "Numbers a patch for 'adaptive'."),
      field(
          "coreset", &Self::coreset, one_of(kCoresets),
          "'greedy': farthest point first after a sparse random projection; 'approximate': the same from the "
          "mean distance to "
          "ten random points, after a dense projection to 128 dimensions."),
      field("start", &Self::start, one_of(kStarts),
            "Whether the random point from which 'greedy' starts belongs to the coreset."),
      field("distance", &Self::distance, one_of(kDistances), "Of a patch to a row of the memory bank."),
      field("score", &Self::score, one_of(kScores),
            "'reweighted': a patch scores its distance to the nearest row, the image the largest one, "
            "weighed by "
            "1 - softmax over "
            "the `num_neighbors` rows around that row. 'mean': a patch scores the mean distance to its "
            "`num_neighbors` nearest "
            "rows, the image the largest."),
      field("num_neighbors", &Self::num_neighbors, in_range(1, 1e6),
            "See `score`; 1 is the plain distance in both cases. No more than there are rows are taken."),
      field("upsampling", &Self::upsampling, one_of(kUpsamplings),
            "From a score for each patch to one for each pixel of the network's input."),
      field("blur_sigma_px", &Self::blur_sigma_px, in_range(0, 100),
            "Gaussian over the map, cut off after int(4 sigma + 0.5) pixels; 0: none."),
      field("blur_border", &Self::blur_border, one_of(kBorders),
            "What lies beyond the map: 'reflect' (c b | a b c) or 'symmetric' (b a | a b c).")};
};

/// The method of a preset. Throws Error for an unknown name.
PatchCoreMethod patchcore_method(std::string_view preset);

/// Reads a method from a table: the preset named in it, then each option on top. Throws Error as
/// parse_options, and for an even patch size.
PatchCoreMethod parse_patchcore_method(const Json& table, std::string_view what);

}  // namespace imatch
