// SPDX-License-Identifier: Apache-2.0
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "bind/types.h"
#include "binding.h"
#include "feature/similarity.h"

namespace imatch::host {
namespace tensor_bindings {

Json sizes_of(const at::Tensor& t) {
  Json list = Json::array();
  for (const std::int64_t size : t.sizes()) list.push_back(size);
  return list;
}

std::string dtype_of(const at::Tensor& t) {
  switch (t.scalar_type()) {
    case at::kFloat:
      return "float32";
    case at::kDouble:
      return "float64";
    case at::kHalf:
      return "float16";
    case at::kBFloat16:
      return "bfloat16";
    case at::kInt:
      return "int32";
    case at::kLong:
      return "int64";
    case at::kShort:
      return "int16";
    case at::kChar:
      return "int8";
    case at::kByte:
      return "uint8";
    case at::kBool:
      return "bool";
    default:
      return c10::toString(t.scalar_type());
  }
}

/// On the CPU, contiguous, float64: what Lua's numbers can hold.
at::Tensor as_doubles(const at::Tensor& t) {
  return t.to(at::kCPU, at::kDouble).contiguous();
}

/// Nested lists to a shape, checked to be rectangular, and their numbers in row-major order.
void flatten(const Json& value, std::size_t depth, std::vector<std::int64_t>& sizes,
             std::vector<float>& numbers) {
  if (!value.is_array()) {
    if (depth != sizes.size() || !value.is_number())
      throw Error("tensor: expected a rectangular nesting of lists of numbers");
    numbers.push_back(value.get<float>());
    return;
  }
  const auto size = static_cast<std::int64_t>(value.size());
  if (numbers.empty() && depth == sizes.size()) sizes.push_back(size);
  if (depth >= sizes.size() || sizes[depth] != size)
    throw Error(fmt::format("tensor: lists of different lengths at depth {}", depth + 1));
  for (const Json& item : value) flatten(item, depth + 1, sizes, numbers);
}

int from_table(lua_State* L) {
  const Json value = to_json(L, 1, "tensor");
  if (!value.is_array()) wrong_argument(L, 1, "a list of numbers or of lists");
  std::vector<std::int64_t> sizes;
  std::vector<float> numbers;
  flatten(value, 0, sizes, numbers);
  return push(L, at::from_blob(numbers.data(), sizes, at::kFloat).clone());
}

int shape(lua_State* L) {
  return push(L, sizes_of(arg<at::Tensor>(L, 1)));
}
int dtype(lua_State* L) {
  return push(L, dtype_of(arg<at::Tensor>(L, 1)));
}
int device(lua_State* L) {
  return push(L, arg<at::Tensor>(L, 1).device().str());
}
int numel(lua_State* L) {
  return push(L, static_cast<std::int64_t>(arg<at::Tensor>(L, 1).numel()));
}

int get(lua_State* L) {
  at::Tensor t = arg<at::Tensor>(L, 1);
  if (lua_gettop(L) - 1 != t.dim())
    throw Error(fmt::format("get: expected {} indices for a tensor of shape {}, got {}", t.dim(),
                            sizes_of(t).dump(), lua_gettop(L) - 1));
  const at::NoGradGuard no_gradients;
  for (int i = 2; i <= lua_gettop(L); ++i) t = t.select(0, check_integer(L, i, 0, t.size(0) - 1));
  return push(L, t.item().toDouble());
}

int select(lua_State* L) {
  const auto& t = arg<at::Tensor>(L, 1);
  if (t.dim() < 1) throw Error("select: the tensor has no dimension");
  return push(L, t.select(0, check_integer(L, 2, 0, t.size(0) - 1)));
}

Json nested(const double* data, c10::IntArrayRef sizes) {
  if (sizes.empty()) return *data;
  std::int64_t stride = 1;
  for (const std::int64_t size : sizes.slice(1)) stride *= size;
  Json list = Json::array();
  for (std::int64_t i = 0; i < sizes[0]; ++i) list.push_back(nested(data + i * stride, sizes.slice(1)));
  return list;
}

int to_table(lua_State* L) {
  const at::Tensor t = as_doubles(arg<at::Tensor>(L, 1));
  return push(L, nested(t.const_data_ptr<double>(), t.sizes()));
}

const at::Tensor& filled(lua_State* L) {
  const auto& t = arg<at::Tensor>(L, 1);
  if (t.numel() == 0) throw Error("the tensor is empty");
  return t;
}

/// Elements as float64, a part after the other: a copy of all the bytes of a large file would have eight
/// times its size.
template <typename Use>
void for_parts(const at::Tensor& t, const Use& use) {
  constexpr std::int64_t kPart = 1 << 24;
  const at::Tensor flat = t.reshape(-1);
  for (std::int64_t i = 0; i < flat.numel(); i += kPart)
    use(as_doubles(flat.narrow(0, i, std::min(kPart, flat.numel() - i))));
}

double mean_of(const at::Tensor& t) {
  double sum = 0;
  for_parts(t, [&](const at::Tensor& part) { sum += part.sum().item<double>(); });
  return sum / static_cast<double>(t.numel());
}

int min(lua_State* L) {
  return push(L, filled(L).min().item().toDouble());
}
int max(lua_State* L) {
  return push(L, filled(L).max().item().toDouble());
}
int mean(lua_State* L) {
  return push(L, mean_of(filled(L)));
}
int norm(lua_State* L) {
  double norm = 0;
  for_parts(filled(L), [&](const at::Tensor& part) { norm = std::hypot(norm, part.norm().item<double>()); });
  return push(L, norm);
}

int cosine(lua_State* L) {
  return push(L, imatch::cosine(arg<at::Tensor>(L, 1), arg<at::Tensor>(L, 2)));
}

int max_difference(lua_State* L) {
  const auto &a = arg<at::Tensor>(L, 1), &b = arg<at::Tensor>(L, 2);
  if (a.sizes() != b.sizes())
    throw Error(
        fmt::format("max_difference: shapes {} and {} differ", sizes_of(a).dump(), sizes_of(b).dump()));
  double most = 0;
  const at::Tensor flat_b = b.reshape(-1);
  std::int64_t begin = 0;
  for_parts(a, [&](const at::Tensor& part) {
    const at::Tensor other = as_doubles(flat_b.narrow(0, begin, part.numel()));
    const auto difference = part.sub(other).abs().max().item<double>();
    if (std::isnan(difference) || difference > most) most = difference;
    begin += part.numel();
  });
  return push(L, most);
}

/// Address of float32 data on the CPU, for lua/imatch/view.lua, which keeps the tensor alive.
int data_address(lua_State* L) {
  const auto& t = arg<at::Tensor>(L, 1);
  if (t.scalar_type() != at::kFloat || !t.device().is_cpu() || !t.is_contiguous())
    throw Error(fmt::format("view: expected a contiguous float32 tensor on the CPU, got {} on {}",
                            dtype_of(t), t.device().str()));
  lua_pushlightuserdata(L, const_cast<float*>(t.const_data_ptr<float>()));
  return 1;
}

int tensor_to_string(lua_State* L) {
  const auto& t = arg<at::Tensor>(L, 1);
  std::string shape_text;
  for (const std::int64_t size : t.sizes())
    shape_text += fmt::format("{}{}", shape_text.empty() ? "" : "x", size);
  std::string text = fmt::format("Tensor({} {} {}", shape_text.empty() ? "scalar" : shape_text, dtype_of(t),
                                 t.device().str());
  if (t.numel() > 0)
    text += fmt::format(", min {:.4g} mean {:.4g} max {:.4g}", t.min().item().toDouble(), mean_of(t),
                        t.max().item().toDouble());
  return push(L, text + ")");
}

int tensor_length(lua_State* L) {
  const auto& t = arg<at::Tensor>(L, 1);
  return push(L, t.dim() == 0 ? std::int64_t{0} : t.size(0));
}

constexpr Binding kFunctions[] = {
    bind<from_table>("from_table", "tensor.from_table(list) -> Tensor",
                     "A float32 tensor on the CPU from a list of numbers or nested lists of equal lengths.",
                     "print(im.tensor.from_table { { 1, 2 }, { 3, 4 } }) --> Tensor(2x2 float32 cpu, min 1 "
                     "mean 2.5 max 4)"),
};

constexpr Binding kMethods[] = {
    bind<shape>("shape", "Tensor:shape() -> list of integers", "Sizes of the dimensions, outermost first.",
                "print(#im.tensor.from_table { 1, 2 }:shape()) --> 1"),
    bind<dtype>("dtype", "Tensor:dtype() -> string", "'float32', 'float16', 'int64' ...",
                "print(im.tensor.from_table { 1 }:dtype()) --> float32"),
    bind<device>("device", "Tensor:device() -> string", "'cpu', 'cuda:0' ...",
                 "print(im.tensor.from_table { 1 }:device()) --> cpu"),
    bind<numel>("numel", "Tensor:numel() -> integer", "Number of elements.",
                "print(im.tensor.from_table { 1, 2 }:numel()) --> 2"),
    bind<get>("get", "Tensor:get(i, j, ...) -> number",
              "One element; indices are 0-based, one for each dimension.",
              "print(im.tensor.from_table { { 1, 2 }, { 3, 4 } }:get(1, 0)) --> 3"),
    bind<select>("select", "Tensor:select(i) -> Tensor",
                 "The i-th slice along the first dimension, 0-based, without a copy.",
                 "print(im.tensor.from_table { { 1, 2 }, { 3, 4 } }:select(0)) --> Tensor(2 float32 cpu, min "
                 "1 mean 1.5 max 2)"),
    bind<to_table>("to_table", "Tensor:to_table() -> list", "Nested lists of numbers: a copy. Mind the size.",
                   "print(im.tensor.from_table { 1, 2 }:to_table()[2]) --> 2"),
    bind<min>("min", "Tensor:min() -> number", "Smallest element; an empty tensor is an error.",
              "print(im.tensor.from_table { 1, 2 }:min()) --> 1"),
    bind<max>("max", "Tensor:max() -> number", "Largest element; an empty tensor is an error.",
              "print(im.tensor.from_table { 1, 2 }:max()) --> 2"),
    bind<mean>("mean", "Tensor:mean() -> number", "Mean of all elements; an empty tensor is an error.",
               "print(im.tensor.from_table { 1, 2 }:mean()) --> 1.5"),
    bind<norm>("norm", "Tensor:norm() -> number",
               "Euclidean norm of all elements; an empty tensor is an error.",
               "print(im.tensor.from_table { 3, 4 }:norm()) --> 5"),
    bind<cosine>(
        "cosine", "Tensor:cosine(other) -> number",
        "Cosine of the angle between two tensors read as vectors, in [-1, 1]; 0 when one of them is zero.",
        "print(im.tensor.from_table { 1, 0 }:cosine(im.tensor.from_table { 1, 1 })) --> 0.707..."),
    bind<max_difference>(
        "max_difference", "Tensor:max_difference(other) -> number",
        "Largest absolute difference of two tensors of the same shape.",
        "print(im.tensor.from_table { 1, 2 }:max_difference(im.tensor.from_table { 1, 5 })) --> 3"),
    bind<data_address>(
        "data_address", "Tensor:data_address() -> light userdata",
        "Address of the first element of a contiguous float32 tensor on the CPU. Use im.view, which keeps "
        "the tensor alive.",
        "local view = im.view(im.tensor.from_table { 1, 2 }); print(view[0]) --> 1"),
};

constexpr Type kTypes[] = {
    describe_type<at::Tensor, tensor_to_string, tensor_length>(
        "Numbers in a regular array, on the CPU or a GPU; immutable.", kMethods),
};

}  // namespace tensor_bindings

extern const Module tensor_module;
const Module tensor_module{"tensor", "Tensors: what networks make and indexes search.",
                           tensor_bindings::kFunctions, tensor_bindings::kTypes};

}  // namespace imatch::host
