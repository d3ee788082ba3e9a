// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

namespace imatch {

/// Where and how large the descriptors of dense_rootsift() are.
struct SiftGrid {
  int step_px = 8;      ///< Distance of neighbouring descriptors; >= 1.
  int bin_size_px = 4;  ///< Side of one of the 4 x 4 spatial bins; >= 1.
};

/// RootSIFT descriptors on a regular grid, upright.
///
/// `grey` [H, W] float32, contiguous, CPU, levels 0 to 255, both sides >= step_px. Returns [rows * cols, 128]
/// float32, row-major over the grid, rows = H / step_px and cols = W / step_px (integer division); the
/// descriptor (r, c) is centred at x = (c + 0.5) step_px, y = (r + 0.5) step_px, the centre of the top-left
/// pixel being (0.5, 0.5). Elements are ordered [bin y][bin x][orientation].
///
/// Definition (D. Lowe, "Distinctive image features from scale-invariant keypoints", 2004, section 6, with
/// the dense layout of VLFeat's dsift; R. Arandjelovic and A. Zisserman, "Three things everyone should know
/// to improve object retrieval", 2012):
/// 1. The image is smoothed from the 0.5 px assumed of a camera to sigma = bin_size / 3 (Gaussian cut at 4
/// sigma, edge
///    pixels repeated), the scale at which a SIFT key point has bins of this size.
/// 2. Gradients by central differences (one-sided at the edges); the magnitude goes linearly to the two
/// nearest of 8
///    orientations, multiples of 45 degrees, the angle being atan2(dI/dy, dI/dx) with y down.
/// 3. Spatial weights are separable, per axis max(0, 1 - |u - b| / B) exp(-u^2 / (2 (2 B)^2)) for a pixel at
/// distance
///    u from the descriptor's centre, B the bin size and b in {-1.5, -0.5, 0.5, 1.5} B the bin's centre.
///    Pixels outside the image count nothing.
/// 4. The 128 sums are divided by their L2 norm, clamped at 0.2, divided by their L1 norm, and square-rooted:
/// a unit
///    vector.
/// 5. That vector is multiplied by the square root of the window's weighted mean gradient magnitude (levels a
/// pixel).
///    Cosine similarity does not see this factor; a selection by token norm does, and so prefers texture to
///    sky. It is the norm that plain square roots of the unnormalised sums would have. A window without any
///    gradient is zero.
at::Tensor dense_rootsift(const at::Tensor& grey, const SiftGrid& grid);

}  // namespace imatch
