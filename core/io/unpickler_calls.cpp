// SPDX-License-Identifier: Apache-2.0
//
// The globals that a pickle names, and the calls of them that torch.save writes.
#include <fmt/format.h>

#include <optional>

#include "base/error.h"
#include "io/tensor_view.h"
#include "io/unpickler.h"

namespace imatch::pickle {
namespace {

constexpr std::size_t kMaxDimensions = 64;

/// Python text holds code points up to 255 for bytes in Latin-1.
std::optional<std::string> latin1_from_utf8(std::string_view utf8) {
  std::string bytes;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto lead = static_cast<unsigned char>(utf8[i]);
    if (lead < 0x80) {
      bytes += utf8[i];
    } else {
      if ((lead != 0xc2 && lead != 0xc3) || i + 1 == utf8.size()) return std::nullopt;
      const auto next = static_cast<unsigned char>(utf8[++i]);
      if ((next & 0xc0) != 0x80) return std::nullopt;
      bytes += static_cast<char>((lead & 3) << 6 | (next & 0x3f));
    }
  }
  return bytes;
}

}  // namespace

void Unpickler::refuse_global(std::string_view name) const {
  throw Failure(code::kBadFormat,
                fmt::format("{}: names '{}'; weights may hold tensors and plain containers only", name_,
                            name.substr(0, 200)));
}

Item Unpickler::global(std::string_view module, std::string_view symbol) const {
  const std::string full = fmt::format("{}.{}", module, symbol);
  if (const Global* allowed = find_global(full)) {
    if (allowed->kind == Kind::kDtype) return PlainValue(allowed->type);
    return allowed;
  }
  refuse_global(full);
}

void Unpickler::push_stack_global() {
  const PlainValue symbol = pop_plain("a name"), module = pop_plain("a name");
  if (!text_of(module) || !text_of(symbol)) fail("a global without a name");
  push(global(*text_of(module), *text_of(symbol)));
}

std::int64_t Unpickler::integer(const Item& item, const char* what) const {
  const auto* value = std::get_if<PlainValue>(&item);
  const auto* number = value ? std::get_if<std::int64_t>(value) : nullptr;
  if (!number) fail(fmt::format("{} is no integer", what));
  return *number;
}

std::vector<std::int64_t> Unpickler::integers(const Item& item, const char* what) const {
  const auto* value = std::get_if<PlainValue>(&item);
  const PlainList* list = value ? list_of(*value) : nullptr;
  if (!list || list->items.size() > kMaxDimensions)
    fail(fmt::format("{} is no tuple of a few integers", what));
  std::vector<std::int64_t> numbers;
  for (const PlainValue& number : list->items) numbers.push_back(integer(number, what));
  return numbers;
}

Item Unpickler::persistent(const Item& id) const {
  const auto* held = std::get_if<std::shared_ptr<Arguments>>(&id);
  if (!held) fail("an unknown persistent id");
  const auto& items = (*held)->items;
  if (items.size() != 5 && items.size() != 6) fail("an unknown persistent id");
  const auto* tag = std::get_if<PlainValue>(&items[0]);
  const auto* kind = std::get_if<const Global*>(&items[1]);
  const auto* key = std::get_if<PlainValue>(&items[2]);
  if (!tag || !text_of(*tag) || *text_of(*tag) != "storage" || !kind || (*kind)->kind != Kind::kStorageType ||
      !key || !text_of(*key))
    fail("an unknown persistent id");
  const std::int64_t count = integer(items[4], "the size of a storage");
  if (count < 0) fail(fmt::format("a storage of {} elements", count));
  StorageView view{storages_({*text_of(*key), (*kind)->type, count}), (*kind)->type, 0, count};
  const auto* part = items.size() == 6 ? std::get_if<PlainValue>(&items[5]) : nullptr;
  if (part && !std::holds_alternative<std::monostate>(*part)) {
    const PlainList* list = list_of(*part);
    if (!list || list->items.size() != 3) fail("an unknown view of a storage");
    view.first = integer(list->items[1], "the offset of a view");
    view.count = integer(list->items[2], "the size of a view");
    if (view.first < 0 || view.count < 0 || view.first > count || view.count > count - view.first)
      fail(fmt::format("a view of {} elements from {} in a storage of {}", view.count, view.first, count));
  }
  return view;
}

PlainValue Unpickler::tensor(const std::vector<Item>& items) const {
  const StorageView* view = items.size() >= 4 ? std::get_if<StorageView>(&items[0]) : nullptr;
  if (!view) fail("a tensor without a storage");
  const std::int64_t offset = integer(items[1], "the offset of a tensor");
  const auto sizes = integers(items[2], "the size of a tensor");
  const auto strides = integers(items[3], "the stride of a tensor");
  if (offset < 0 || offset > view->count)
    fail(fmt::format("a tensor at {} of a storage of {}", offset, view->count));
  return tensor_over(view->storage, view->type, view->first + offset, sizes, strides, name_);
}

void Unpickler::reduce() {
  const Item arguments = pop_any(), callable = pop_any();
  const auto* named = std::get_if<const Global*>(&callable);
  if (!named) fail("a call of what is no global");
  std::vector<Item> items;
  if (const auto* held = std::get_if<std::shared_ptr<Arguments>>(&arguments)) {
    items = (*held)->items;
  } else {
    const auto* value = std::get_if<PlainValue>(&arguments);
    const PlainList* list = value ? list_of(*value) : nullptr;
    if (!list) fail("a call without a tuple of arguments");
    charge(list->items.size());
    items.assign(list->items.begin(), list->items.end());
  }
  push(call(**named, items));
}

void Unpickler::new_object(std::size_t parts) {
  const std::vector<Item> items = pop_last(parts);
  if (!is_inert(items[0])) fail("an object is made of what is no class of a program");
  push(std::monostate());
}

PlainValue Unpickler::call(const Global& function, const std::vector<Item>& items) {
  const auto value = [&](std::size_t i) {
    return i < items.size() ? std::get_if<PlainValue>(&items[i]) : nullptr;
  };
  switch (function.kind) {
    case Kind::kTensor:
      return tensor(items);
    case Kind::kParameter:
      if (value(0) && std::holds_alternative<at::Tensor>(*value(0))) return *value(0);
      break;
    case Kind::kSize:
      if (value(0) && list_of(*value(0))) return *value(0);
      break;
    case Kind::kOrderedDict:
      if (items.empty() || (value(0) && std::holds_alternative<std::monostate>(*value(0)))) return new_dict();
      if (value(0) && dict_of(*value(0))) return *value(0);  // a Counter of one
      if (value(0) && list_of(*value(0))) return dict_of_pairs(*list_of(*value(0)));
      break;
    case Kind::kBytes:
      if (items.empty()) return std::make_shared<const PlainBytes>();
      break;
    case Kind::kEncode:
      if (items.size() == 2 && value(0) && text_of(*value(0)) && value(1) && text_of(*value(1)) &&
          *text_of(*value(1)) == "latin1") {
        charge(text_of(*value(0))->size() / sizeof(PlainValue));
        if (auto decoded = latin1_from_utf8(*text_of(*value(0))))
          return std::make_shared<const PlainBytes>(PlainBytes{std::move(*decoded)});
      }
      break;
    case Kind::kInert:
      return std::monostate();
    case Kind::kGetattr:  // of a class that was stepped over
      if (items.size() == 2 && value(0) && std::holds_alternative<std::monostate>(*value(0)) && value(1) &&
          text_of(*value(1)))
        return std::monostate();
      refuse_global(function.name);
    case Kind::kDtype:  // a value, never on the stack as a global
    case Kind::kStorageType:
      break;
  }
  fail(fmt::format("'{}' is not called in this way by torch.save", function.name));
}

PlainValue Unpickler::dict_of_pairs(const PlainList& pairs) {
  auto dict = std::make_shared<PlainDict>();
  charge(pairs.items.size());
  for (const PlainValue& pair : pairs.items) {
    const PlainList* items = list_of(pair);
    if (!items || items->items.size() != 2) fail("an OrderedDict of what are no pairs");
    dict->items.emplace_back(items->items[0], items->items[1]);
  }
  return dicts_.emplace_back(std::move(dict));
}

void Unpickler::build() {
  const PlainValue state = pop_plain("the state of an object");
  const auto* object = std::get_if<PlainValue>(&top());
  if (object && std::holds_alternative<std::monostate>(*object)) return;
  if (!object || !dict_of(*object) || !dict_of(state)) fail("a state is set on what is no OrderedDict");
}

}  // namespace imatch::pickle
