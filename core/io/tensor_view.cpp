// SPDX-License-Identifier: Apache-2.0
#include "io/tensor_view.h"

#include <c10/core/CPUAllocator.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace imatch {
namespace {

constexpr std::int64_t kMaxOverlappingBytes = std::int64_t{1} << 30;
constexpr std::size_t kMaxDimensions = 64;

using Owner = std::shared_ptr<const void>;

[[noreturn]] void refuse(const std::string& name, at::ScalarType type, at::IntArrayRef sizes,
                         const std::string& why) {
  throw Failure(code::kBadFormat, fmt::format("{}: a {} tensor of shape [{}] {}", name, dtype_name(type),
                                              fmt::join(sizes, ", "), why));
}

/// The product of the sizes; false when it, or what is left of it without the zeros, does not fit into 63
/// bits. (The strides of an empty array are computed from its other sizes.)
bool count_elements(at::IntArrayRef sizes, std::int64_t* count) {
  *count = 1;
  bool empty = false, fits = true;
  for (const std::int64_t size : sizes) {
    empty = empty || size == 0;
    fits = fits && size >= 0 && !__builtin_mul_overflow(*count, std::max<std::int64_t>(size, 1), count);
  }
  if (empty) *count = 0;
  return fits;
}

/// One past the last element reached; false when it does not fit into 63 bits.
bool last_element(std::int64_t offset, at::IntArrayRef sizes, at::IntArrayRef strides, std::int64_t* end) {
  *end = 1;
  bool fits = !__builtin_add_overflow(*end, offset, end);
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    std::int64_t reach = 0;
    fits = fits && !__builtin_mul_overflow(sizes[i] - 1, strides[i], &reach) &&
           !__builtin_add_overflow(*end, reach, end);
  }
  return fits;
}

}  // namespace

bool is_supported(at::ScalarType type) {
  switch (type) {
    case at::kFloat:
    case at::kDouble:
    case at::kHalf:
    case at::kBFloat16:
    case at::kChar:
    case at::kShort:
    case at::kInt:
    case at::kLong:
    case at::kByte:
    case at::kUInt16:
    case at::kBool:
      return true;
    default:
      return false;
  }
}

const char* dtype_name(at::ScalarType type) {
  switch (type) {
    case at::kFloat:
      return "float32";
    case at::kDouble:
      return "float64";
    case at::kHalf:
      return "float16";
    case at::kBFloat16:
      return "bfloat16";
    case at::kChar:
      return "int8";
    case at::kShort:
      return "int16";
    case at::kInt:
      return "int32";
    case at::kLong:
      return "int64";
    case at::kByte:
      return "uint8";
    case at::kUInt16:
      return "uint16";
    case at::kBool:
      return "bool";
    default:
      return c10::toString(type);
  }
}

c10::DataPtr data_over(const ByteRange& range, at::ScalarType type, const std::string& name) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(range.bytes.data());
  const std::size_t size = range.size();
  // Any other value in a C++ bool is undefined behaviour.
  if (type == at::kBool && std::any_of(bytes, bytes + size, [](unsigned char b) { return b > 1; }))
    throw Failure(code::kBadFormat, name + ": a bool is neither 0 nor 1");
  if (size > 0 && reinterpret_cast<std::uintptr_t>(bytes) % c10::elementSize(type) == 0)
    return {range.bytes.data(), new Owner(range.owner),
            [](void* owner) { delete static_cast<Owner*>(owner); }, c10::kCPU};
  c10::DataPtr copy = c10::GetCPUAllocator()->allocate(size);
  if (size > 0) std::memcpy(copy.get(), bytes, size);
  return copy;
}

at::Storage storage_over(const ByteRange& range, at::ScalarType type, const std::string& name) {
  return at::Storage(at::Storage::use_byte_size_t(), range.size(), data_over(range, type, name), nullptr,
                     /*resizable=*/false);
}

at::Tensor tensor_over(at::Storage storage, at::ScalarType type, std::int64_t offset, at::IntArrayRef sizes,
                       at::IntArrayRef strides, const std::string& name) {
  const auto negative = [](std::int64_t n) { return n < 0; };
  if (sizes.size() != strides.size())
    refuse(name, type, sizes, fmt::format("has {} strides", strides.size()));
  if (sizes.size() > kMaxDimensions)
    refuse(name, type, sizes.slice(0, 4), fmt::format("... has {} dimensions", sizes.size()));
  if (offset < 0) refuse(name, type, sizes, fmt::format("begins at element {}", offset));
  if (std::any_of(sizes.begin(), sizes.end(), negative)) refuse(name, type, sizes, "has a negative size");
  if (std::any_of(strides.begin(), strides.end(), negative))
    refuse(name, type, sizes, fmt::format("has a negative stride: [{}]", fmt::join(strides, ", ")));

  const auto item = static_cast<std::int64_t>(c10::elementSize(type));
  const auto room = static_cast<std::int64_t>(storage.nbytes()) / item;
  std::int64_t count = 0, end = 0;
  bool fits = count_elements(sizes, &count);
  if (fits && count > 0) fits = last_element(offset, sizes, strides, &end);
  if (!fits || std::max(end, offset) > room)
    refuse(name, type, sizes,
           fmt::format("with strides [{}] from element {} does not fit its storage of {} elements",
                       fmt::join(strides, ", "), offset, room));
  if (count > room && count > kMaxOverlappingBytes / item)
    refuse(name, type, sizes, fmt::format("repeats the {} elements of its storage too often", room));

  at::Tensor tensor = at::detail::make_tensor<c10::TensorImpl>(
      std::move(storage), c10::DispatchKeySet(c10::DispatchKey::CPU), c10::scalarTypeToTypeMeta(type));
  tensor.unsafeGetTensorImpl()->set_sizes_and_strides(sizes, strides, offset);
  return tensor;
}

at::Tensor tensor_over(const ByteRange& range, at::ScalarType type, at::IntArrayRef sizes,
                       const std::string& name) {
  std::int64_t count = 0, bytes = 0;
  const auto item = static_cast<std::int64_t>(c10::elementSize(type));
  if (!count_elements(sizes, &count) || __builtin_mul_overflow(count, item, &bytes) ||
      static_cast<std::uint64_t>(bytes) != range.size())
    refuse(name, type, sizes, fmt::format("does not fit its {} bytes", range.size()));
  return tensor_over(storage_over(range, type, name), type, 0, sizes, row_major_strides(sizes), name);
}

std::vector<std::int64_t> row_major_strides(at::IntArrayRef sizes) {
  std::vector<std::int64_t> strides(sizes.size(), 1);
  for (std::size_t i = sizes.size(); i-- > 1;)
    strides[i - 1] = strides[i] * std::max<std::int64_t>(1, sizes[i]);
  return strides;
}

}  // namespace imatch
