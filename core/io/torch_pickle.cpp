// SPDX-License-Identifier: Apache-2.0
#include "io/torch_pickle.h"

#include <fmt/format.h>

#include <bit>
#include <limits>

#include "base/error.h"

namespace imatch {
namespace {

const char* storage_name(at::ScalarType type) {
  switch (type) {
    case at::kFloat:
      return "FloatStorage";
    case at::kDouble:
      return "DoubleStorage";
    case at::kHalf:
      return "HalfStorage";
    case at::kBFloat16:
      return "BFloat16Storage";
    case at::kChar:
      return "CharStorage";
    case at::kShort:
      return "ShortStorage";
    case at::kInt:
      return "IntStorage";
    case at::kLong:
      return "LongStorage";
    case at::kByte:
      return "ByteStorage";
    case at::kBool:
      return "BoolStorage";
    default:
      throw Error(fmt::format("torch file: a tensor of type {} cannot be written", c10::toString(type)));
  }
}

/// Opcodes: https://github.com/python/cpython/blob/3.11/Lib/pickletools.py
class TorchPickler {
 public:
  TorchPickle result(const PlainValue& value) {
    out_.bytes = "\x80\x02";
    visit(value);
    put('.');
    return std::move(out_);
  }

 private:
  void visit(const PlainValue& value) {
    if (std::holds_alternative<std::monostate>(value)) {
      put('N');
    } else if (const auto* flag = std::get_if<bool>(&value)) {
      put(*flag ? '\x88' : '\x89');
    } else if (const auto* whole = std::get_if<std::int64_t>(&value)) {
      integer(*whole);
    } else if (const auto* number = std::get_if<double>(&value)) {
      put('G');
      little_endian(__builtin_bswap64(std::bit_cast<std::uint64_t>(*number)));
    } else if (const std::string* words = text_of(value)) {
      text(*words);
    } else if (const auto* tensor = std::get_if<at::Tensor>(&value)) {
      visit_tensor(*tensor);
    } else if (const PlainList* list = list_of(value)) {
      put(']');
      put('(');
      for (const PlainValue& item : list->items) visit(item);
      put('e');
    } else if (const PlainDict* dict = dict_of(value)) {
      put('}');
      put('(');
      for (const auto& [key, item] : dict->items) {
        visit(key);
        visit(item);
      }
      put('u');
    } else {
      throw Error(
          "torch file: bytes and dtypes are not written; expected numbers, texts, tensors, lists or dicts");
    }
  }

  /// torch._utils._rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks).
  void visit_tensor(const at::Tensor& given) {
    const at::Tensor tensor = given.detach().to(at::kCPU).contiguous();
    global("torch._utils", "_rebuild_tensor_v2");
    put('(');
    put('(');
    text("storage");
    global("torch", storage_name(tensor.scalar_type()));
    text(std::to_string(out_.storages.size()));
    text("cpu");
    integer(tensor.numel());
    put('t');
    put('Q');  // the tuple names the storage
    integer(0);
    tuple(tensor.sizes());
    tuple(tensor.strides());
    put('\x89');
    global("collections", "OrderedDict");
    put(')');
    put('R');
    put('t');
    put('R');
    out_.storages.push_back(tensor);
  }

  void put(char opcode) { out_.bytes += opcode; }

  template <class T>
  void little_endian(T number) {
    out_.bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
  }

  void integer(std::int64_t number) {
    if (number >= std::numeric_limits<std::int32_t>::min() &&
        number <= std::numeric_limits<std::int32_t>::max()) {
      put('J');
      little_endian(static_cast<std::int32_t>(number));
    } else {
      put('\x8a');
      put('\x08');
      little_endian(number);
    }
  }

  void text(std::string_view words) {
    put('X');
    little_endian(static_cast<std::uint32_t>(words.size()));
    out_.bytes += words;
  }

  void global(const char* module, const char* name) { out_.bytes += fmt::format("c{}\n{}\n", module, name); }

  void tuple(at::IntArrayRef numbers) {
    put('(');
    for (const std::int64_t number : numbers) integer(number);
    put('t');
  }

  TorchPickle out_;
};

}  // namespace

TorchPickle torch_pickle_of(const PlainValue& value) {
  return TorchPickler().result(value);
}

}  // namespace imatch
