// SPDX-License-Identifier: Apache-2.0
//
// Names of the bound types, one line each, and what the garbage collector has to know of their size.
#pragma once

#include <ATen/core/Tensor.h>

#include "backbone/backbone.h"
#include "feature/features.h"
#include "geometry/planar.h"
#include "handle.h"
#include "image/image.h"
#include "match/geometry.h"
#include "match/matches.h"
#include "render/ground.h"

namespace imatch::host {

template <>
inline constexpr const char* type_name<at::Tensor> = "Tensor";
template <>
inline constexpr const char* type_name<Image> = "Image";
template <>
inline constexpr const char* type_name<Features> = "Features";
template <>
inline constexpr const char* type_name<Backbone> = "Backbone";
template <>
inline constexpr const char* type_name<Matches> = "Matches";
template <>
inline constexpr const char* type_name<Geometry> = "Geometry";
template <>
inline constexpr const char* type_name<Ground> = "Ground";

template <>
inline std::size_t native_bytes(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.nbytes() : 0;
}
template <>
inline std::size_t native_bytes(const Image& image) {
  return image.rgb.size();
}
template <>
inline std::size_t native_bytes(const Features& features) {
  return features.bytes();
}
template <>
inline std::size_t native_bytes(const Matches& matches) {
  return matches.size() * (2 * sizeof(std::int32_t) + sizeof(float) + 2 * sizeof(Point2));
}
template <>
inline std::size_t native_bytes(const Geometry& geometry) {
  return geometry.inliers.size();
}

}  // namespace imatch::host
