// SPDX-License-Identifier: Apache-2.0
#include "raster/sample_file.h"

#include <ATen/ops/isfinite.h>
#include <ATen/ops/nonzero.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.h"
#include "io/npz.h"
#include "io/tensor_view.h"

namespace imatch {
namespace {

constexpr std::int64_t kChannels = 7, kMostSlots = std::int64_t{1} << 29;

bool is_integer(const at::Tensor& t) {
  return at::isIntegralType(t.scalar_type(), /*includeBool=*/false);
}

std::vector<std::int64_t> strides_of(const std::vector<std::int64_t>& shape) {
  return {shape[1] * shape[2], shape[2], 1};
}

}  // namespace

SampleFile sparse_sample(const at::Tensor& dense) {
  if (dense.dim() != 4 || dense.size(3) != kChannels)
    throw Error(fmt::format("sample: an array of shape {}; expected four axes, the last of {}",
                            fmt::join(dense.sizes(), "x"), kChannels));
  const at::Tensor rows = dense.cpu().to(at::kFloat).reshape({-1, kChannels}).contiguous();
  const float* const from = rows.const_data_ptr<float>();
  const std::vector<std::int64_t> shape = dense.sizes().vec(), strides = strides_of(shape);
  std::vector<std::int64_t> kept;
  for (std::int64_t i = 0; i < rows.size(0); ++i)
    if (from[i * kChannels + kChannels - 1] != 0) kept.push_back(i);
  const auto count = static_cast<std::int64_t>(kept.size());
  const bool narrow = std::all_of(shape.begin(), shape.begin() + 3, [](std::int64_t n) { return n < 255; });
  SampleFile sample{shape, at::zeros({count, 3}, narrow ? at::kByte : at::kUInt16),
                    at::zeros({count, kChannels}, at::kFloat)};
  auto* const values = sample.values.mutable_data_ptr<float>();
  const auto fill = [&](auto* indices) {
    for (std::int64_t n = 0; n < count; ++n) {
      const std::int64_t i = kept[static_cast<std::size_t>(n)];
      std::copy_n(from + i * kChannels, kChannels, values + n * kChannels);
      std::int64_t left = i;
      for (std::size_t axis = 0; axis < 3; ++axis) {
        indices[3 * n + static_cast<std::int64_t>(axis)] =
            static_cast<std::remove_pointer_t<decltype(indices)>>(left / strides[axis]);
        left %= strides[axis];
      }
    }
  };
  if (narrow)
    fill(sample.indices.mutable_data_ptr<std::uint8_t>());
  else
    fill(sample.indices.mutable_data_ptr<std::uint16_t>());
  return sample;
}

at::Tensor dense_sample(const SampleFile& sample) {
  at::Tensor dense = at::zeros(sample.shape, at::kFloat);
  const at::Tensor indices = sample.indices.to(at::kLong).contiguous(),
                   values = sample.values.to(at::kFloat).contiguous();
  const auto strides = strides_of(sample.shape);
  const auto* at = indices.const_data_ptr<std::int64_t>();
  const auto* from = values.const_data_ptr<float>();
  auto* to = dense.mutable_data_ptr<float>();
  for (std::int64_t n = 0; n < values.size(0); ++n, at += 3, from += kChannels)
    std::copy_n(from, kChannels, to + kChannels * (at[0] * strides[0] + at[1] * strides[1] + at[2]));
  return dense;
}

SampleFile sample_of(const StateDict& arrays, const std::string& name,
                     const std::vector<std::int64_t>& default_shape) {
  const auto refuse = [&](const std::string& what) -> void {
    throw Failure(code::kBadFormat, name + ": " + what);
  };
  const at::Tensor *indices = arrays.find("indices"), *values = arrays.find("values"),
                   *shape = arrays.find("shape");
  if (!indices || !values) refuse("no sample: the arrays 'indices' and 'values' are missing");
  SampleFile sample{default_shape, *indices, *values};
  if (shape) {
    if (shape->dim() != 1 || !is_integer(*shape)) refuse("'shape' is no list of integers");
    const at::Tensor sizes = shape->to(at::kLong).contiguous();
    sample.shape.assign(sizes.const_data_ptr<std::int64_t>(),
                        sizes.const_data_ptr<std::int64_t>() + sizes.numel());
  }
  if (sample.shape.empty()) refuse("a sample without its 'shape'");
  std::int64_t slots = 1;
  for (const std::int64_t size : sample.shape)
    if (size < 1 || __builtin_mul_overflow(slots, size, &slots) || slots > kMostSlots * kChannels)
      refuse(fmt::format("a sample of shape {}", fmt::join(sample.shape, "x")));
  if (sample.shape.size() != 4 || sample.shape[3] != kChannels)
    refuse(fmt::format("a sample of shape {}; expected four axes, the last of {}",
                       fmt::join(sample.shape, "x"), kChannels));
  if (indices->dim() != 2 || indices->size(1) != 3 || !is_integer(*indices))
    refuse("'indices' are not N x 3 integers");
  if (values->dim() != 2 || values->size(1) != kChannels || values->size(0) != indices->size(0) ||
      !at::isFloatingType(values->scalar_type()))
    refuse(fmt::format("'values' of shape {} for {} indices; expected {} real numbers each",
                       fmt::join(values->sizes(), "x"), indices->size(0), kChannels));
  const at::Tensor places = indices->to(at::kLong).contiguous();
  const auto* at = places.const_data_ptr<std::int64_t>();
  for (std::int64_t n = 0; n < places.size(0); ++n)
    for (std::size_t axis = 0; axis < 3; ++axis, ++at)
      if (*at < 0 || *at >= sample.shape[axis])
        refuse(fmt::format("index {} of row {} is outside of the shape {}", *at, n,
                           fmt::join(sample.shape, "x")));
  sample.values = values->to(at::kFloat).contiguous();
  const auto* number = sample.values.const_data_ptr<float>();
  if (!std::all_of(number, number + sample.values.numel(), [](float x) { return std::isfinite(x); }))
    refuse("a value is not finite");
  return sample;
}

SampleFile read_sample(const std::string& path, const std::vector<std::int64_t>& default_shape) {
  return sample_of(read_npz(path), path, default_shape);
}

void write_sample(const std::string& path, const SampleFile& sample) {
  StateDict arrays;
  arrays.add("values", sample.values);
  arrays.add("indices", sample.indices);
  arrays.add("shape", at::tensor(at::ArrayRef<std::int64_t>(sample.shape)));
  write_npz(path, arrays);
}

}  // namespace imatch
