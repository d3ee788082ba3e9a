// SPDX-License-Identifier: Apache-2.0
#include "nn/weights_checkpoint.h"

#include <ATen/ops/aminmax.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace imatch {
namespace {

/// The extremes of a tensor with a NaN are NaN, so that no mask of its size is needed.
bool is_finite(const at::Tensor& tensor) {
  const auto [least, most] = at::aminmax(tensor);
  return std::isfinite(least.item<double>()) && std::isfinite(most.item<double>());
}

/// Takes a tensor's pages out of this process's memory; they come back from the file when touched again, so
/// this is safe whoever shares them. Where the kernel cannot, they stay.
void release_pages(const at::Tensor& tensor) {
#ifdef MADV_PAGEOUT
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(tensor.const_data_ptr());
  const std::uintptr_t first = (begin + page - 1) / page * page;
  const std::uintptr_t last = (begin + tensor.nbytes()) / page * page;
  if (first < last) ::madvise(reinterpret_cast<void*>(first), last - first, MADV_PAGEOUT);
#endif
}

}  // namespace

WeightsCheckpoint::WeightsCheckpoint(std::string title, const StateDict& tensors, NameInFile name_in_file,
                                     c10::Device device, c10::ScalarType dtype, Purpose purpose)
    : title_(std::move(title)),
      tensors_(tensors.begin(), tensors.end()),
      name_in_file_(name_in_file),
      device_(device),
      dtype_(dtype),
      purpose_(purpose) {
  double bytes = 0;
  for (const auto& [name, tensor] : tensors_)
    bytes += static_cast<double>(tensor.numel()) * static_cast<double>(c10::elementSize(dtype));
  const double memory =
      static_cast<double>(::sysconf(_SC_PHYS_PAGES)) * static_cast<double>(::sysconf(_SC_PAGESIZE));
  linear_storage_ = purpose == Purpose::kInference && bytes < memory / 2 ? LinearLayer::Storage::kPacked
                                                                         : LinearLayer::Storage::kShared;
}

WeightsCheckpoint::WeightsCheckpoint(std::string title, const StateDict& tensors, c10::Device device,
                                     c10::ScalarType dtype, Purpose purpose)
    : WeightsCheckpoint(
          std::move(title), tensors, [](std::string_view official) { return std::string(official); }, device,
          dtype, purpose) {}

void WeightsCheckpoint::round_weights(Rounding rounding) {
  rounding_ = rounding;
  if (rounding == Rounding::kInt8) linear_storage_ = LinearLayer::Storage::kInt8;
}

void WeightsCheckpoint::fail(const std::string& what) const {
  throw Failure(code::kBadWeights, fmt::format("{}: {}", title_, what));
}

at::Tensor WeightsCheckpoint::parameter(std::string_view official, at::Tensor tensor) {
  if (purpose_ == Purpose::kInference) return tensor;
  tensor = tensor.detach().clone().set_requires_grad(true);
  parameters_.emplace_back(official, tensor);
  return tensor;
}

at::Tensor WeightsCheckpoint::read(std::string_view official, const Shape& shape, c10::ScalarType dtype) {
  const std::string name = name_in_file_(official);
  const auto found = tensors_.find(name);
  if (found == tensors_.end())
    fail(fmt::format("the tensor '{}' is missing; the file holds {}", name, contents()));
  const at::Tensor tensor = found->second;
  if (tensor.sizes() != c10::IntArrayRef(shape))
    fail(fmt::format("the tensor '{}' has the shape [{}]; expected [{}]", name,
                     fmt::join(tensor.sizes(), ", "), fmt::join(shape, ", ")));
  if (!tensor.is_floating_point())
    fail(fmt::format("the tensor '{}' is of type {}; expected a floating-point tensor", name,
                     c10::toString(tensor.scalar_type())));
  if (!is_finite(tensor))
    fail(fmt::format("the tensor '{}' has elements that are not finite; expected numbers", name));
  tensors_.erase(found);
  at::Tensor result = tensor.to(device_, dtype).contiguous();
  if (dtype == dtype_) result = placed(result);
  if (!result.is_alias_of(tensor)) release_pages(tensor);
  return result;
}

at::Tensor WeightsCheckpoint::placed(const at::Tensor& weight) const {
  return (rounding_ == Rounding::kFloat16 ? weight.to(at::kHalf) : weight).to(dtype_);
}

LinearLayer WeightsCheckpoint::take_linear(const std::string& official, std::int64_t in, std::int64_t out,
                                           bool bias) {
  const at::Tensor weight = take(official + ".weight", {out, in});
  return packed(weight, bias ? take(official + ".bias", {out}) : at::Tensor());
}

LinearLayer WeightsCheckpoint::take_linear_weight(const std::string& official, std::int64_t in,
                                                  std::int64_t out, at::Tensor bias) {
  return packed(take(official + ".weight", {out, in}), std::move(bias));
}

LinearLayer WeightsCheckpoint::packed(const at::Tensor& weight, at::Tensor bias) const {
  LinearLayer layer(weight, std::move(bias), linear_storage_);
  if (layer.is_packed()) release_pages(weight);
  return layer;
}

std::int64_t WeightsCheckpoint::square_side(std::string_view official, std::int64_t before,
                                            std::int64_t otherwise) const {
  const auto found = tensors_.find(name_in_file_(official));
  if (found == tensors_.end() || found->second.dim() < 2) return otherwise;
  const std::int64_t cells = found->second.size(1) - before;
  const auto side = static_cast<std::int64_t>(
      std::lround(std::sqrt(static_cast<double>(std::max<std::int64_t>(cells, 0)))));
  return side > 0 && side * side == cells ? side : otherwise;
}

std::string WeightsCheckpoint::contents() const {
  constexpr std::size_t kMost = 12;
  std::map<std::string, std::size_t> parts;
  for (const auto& [name, tensor] : tensors_) ++parts[name.substr(0, name.find('.'))];
  if (parts.empty()) return "no tensors";
  std::vector<std::string> words;
  for (const auto& [part, count] : parts) {
    if (words.size() == kMost) {
      words.push_back(fmt::format("{} more", parts.size() - kMost));
      break;
    }
    words.push_back(count == 1 ? fmt::format("'{}'", part) : fmt::format("'{}' ({} tensors)", part, count));
  }
  return fmt::format("{}", fmt::join(words, ", "));
}

void WeightsCheckpoint::skip(std::string_view official) {
  tensors_.erase(name_in_file_(official));
}

void WeightsCheckpoint::require_empty() const {
  if (tensors_.empty()) return;
  const std::string more =
      tensors_.size() == 1 ? std::string() : fmt::format(", nor are {} more", tensors_.size() - 1);
  fail(fmt::format("the tensor '{}' is not part of the network{}", tensors_.begin()->first, more));
}

}  // namespace imatch
