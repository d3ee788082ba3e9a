// SPDX-License-Identifier: Apache-2.0
#include "io/pickle.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "io/unpickler.h"

namespace imatch {
namespace pickle {
namespace {

constexpr int kMaxPickleDepth = 100;
constexpr std::size_t kMaxValues = std::size_t{1} << 23;

}  // namespace

Unpickler::~Unpickler() {
  if (finished_) return;
  // A refused pickle may hold cycles, or a nesting so deep that destroying it recursively would end the
  // stack.
  for (const auto& list : lists_) list->items.clear();
  for (const auto& dict : dicts_) dict->items.clear();
}

Unpickled Unpickler::run() {
  while (step(Opcode{reader_.number<std::uint8_t>()})) {
  }
  PlainValue value = pop_plain("the result");
  height(value, 0);
  finished_ = true;
  return {std::move(value), reader_.position()};
}

bool Unpickler::step(Opcode opcode) {
  switch (opcode) {
    case Opcode::kStop:
      return false;
    case Opcode::kProtocol:
      require_protocol(reader_.number<std::uint8_t>());
      break;
    case Opcode::kFrame:
      reader_.take(8);
      break;
    case Opcode::kMark:
      add_mark();
      break;
    case Opcode::kPop:
      pop_any();
      break;
    case Opcode::kPopMark:
      pop_mark();
      break;
    case Opcode::kDup:
      push(Item(top()));
      break;
    case Opcode::kNone:
      push(std::monostate());
      break;
    case Opcode::kTrue:
      push(true);
      break;
    case Opcode::kFalse:
      push(false);
      break;
    case Opcode::kInt8:
      push(std::int64_t{reader_.number<std::uint8_t>()});
      break;
    case Opcode::kInt16:
      push(std::int64_t{reader_.number<std::uint16_t>()});
      break;
    case Opcode::kInt32:
      push(std::int64_t{reader_.number<std::int32_t>()});
      break;
    case Opcode::kLong8:
      push(long_integer(reader_.number<std::uint8_t>()));
      break;
    case Opcode::kLong32:
      push(long_integer(reader_.number<std::uint32_t>()));
      break;
    case Opcode::kFloat:
      push(std::bit_cast<double>(__builtin_bswap64(reader_.number<std::uint64_t>())));
      break;
    case Opcode::kText8:
    case Opcode::kString8:
      push(text(reader_.number<std::uint8_t>()));
      break;
    case Opcode::kText32:
    case Opcode::kString32:
      push(text(reader_.number<std::uint32_t>()));
      break;
    case Opcode::kText64:
      push(text(reader_.number<std::uint64_t>()));
      break;
    case Opcode::kBytes8:
      push(bytes(reader_.number<std::uint8_t>()));
      break;
    case Opcode::kBytes32:
      push(bytes(reader_.number<std::uint32_t>()));
      break;
    case Opcode::kBytes64:
      push(bytes(reader_.number<std::uint64_t>()));
      break;
    case Opcode::kEmptyList:
    case Opcode::kEmptyTuple:
    case Opcode::kEmptySet:
      push(new_list({}));
      break;
    case Opcode::kEmptyDict:
      push(new_dict());
      break;
    case Opcode::kTuple1:
      push(tuple(pop_last(1)));
      break;
    case Opcode::kTuple2:
      push(tuple(pop_last(2)));
      break;
    case Opcode::kTuple3:
      push(tuple(pop_last(3)));
      break;
    case Opcode::kTuple:
      push(tuple(pop_mark()));
      break;
    case Opcode::kList:
    case Opcode::kFrozenSet:
      push(new_list(plain(pop_mark(), "a list")));
      break;
    case Opcode::kAppend:
      append(pop_last(1));
      break;
    case Opcode::kAppends:
    case Opcode::kAddItems:
      append(pop_mark());
      break;
    case Opcode::kDict: {
      std::vector<Item> items = pop_mark();
      push(new_dict());
      set_items(std::move(items));
      break;
    }
    case Opcode::kSetItem:
      set_items(pop_last(2));
      break;
    case Opcode::kSetItems:
      set_items(pop_mark());
      break;
    case Opcode::kPut8:
      memo_[reader_.number<std::uint8_t>()] = top();
      break;
    case Opcode::kPut32:
      memo_[reader_.number<std::uint32_t>()] = top();
      break;
    case Opcode::kMemoize:
      memo_[static_cast<std::uint32_t>(memo_.size())] = top();
      break;
    case Opcode::kGet8:
      push(remembered(reader_.number<std::uint8_t>()));
      break;
    case Opcode::kGet32:
      push(remembered(reader_.number<std::uint32_t>()));
      break;
    case Opcode::kGlobal:
    case Opcode::kInstance: {
      const std::string_view module = reader_.line();
      push(global(module, reader_.line()));
      // INST would call it at once, which torch.save never writes.
      if (opcode == Opcode::kInstance) fail("opcode INST is not one that torch.save writes");
      break;
    }
    case Opcode::kStackGlobal:
      push_stack_global();
      break;
    case Opcode::kPersistentId:
      push(persistent(pop_any()));
      break;
    case Opcode::kReduce:
      reduce();
      break;
    case Opcode::kNewObject:
      new_object(2);
      break;
    case Opcode::kNewObjectEx:
      new_object(3);
      break;
    case Opcode::kBuild:
      build();
      break;
    default:
      fail(fmt::format("opcode 0x{:02x} is not one that torch.save writes", static_cast<int>(opcode)));
  }
  return true;
}

bool Unpickler::is_inert(const Item& item) {
  const auto* named = std::get_if<const Global*>(&item);
  return named && (*named)->kind == Kind::kInert;
}

void Unpickler::charge(std::size_t count) {
  values_ += count;
  if (values_ > kMaxValues) fail(fmt::format("more than {} values", kMaxValues));
}

void Unpickler::push(Item item) {
  charge(1);
  stack_.push_back(std::move(item));
}

void Unpickler::add_mark() {
  charge(1);
  marks_.push_back(stack_.size());
}

Item& Unpickler::top() {
  if (available() == 0) fail("the stack is empty");
  return stack_.back();
}

Item Unpickler::pop_any() {
  Item item = std::move(top());
  stack_.pop_back();
  return item;
}

std::vector<Item> Unpickler::pop_last(std::size_t count) {
  if (available() < count) fail("the stack is empty");
  const auto first = stack_.end() - static_cast<std::ptrdiff_t>(count);
  std::vector<Item> items(std::make_move_iterator(first), std::make_move_iterator(stack_.end()));
  stack_.erase(first, stack_.end());
  return items;
}

std::vector<Item> Unpickler::pop_mark() {
  if (marks_.empty()) fail("no mark on the stack");
  std::vector<Item> items = pop_last(available());
  marks_.pop_back();
  return items;
}

PlainValue Unpickler::plain(Item item, const char* what) const {
  if (auto* value = std::get_if<PlainValue>(&item)) return std::move(*value);
  if (is_inert(item)) return std::monostate();
  if (const auto* named = std::get_if<const Global*>(&item))
    fail(fmt::format("{} holds '{}' itself", what, (*named)->name));
  fail(fmt::format("{} holds a storage without a tensor", what));
}

std::vector<PlainValue> Unpickler::plain(std::vector<Item> items, const char* what) const {
  std::vector<PlainValue> values;
  values.reserve(items.size());
  for (Item& item : items) values.push_back(plain(std::move(item), what));
  return values;
}

const Item& Unpickler::remembered(std::uint32_t index) const {
  const auto found = memo_.find(index);
  if (found == memo_.end()) fail(fmt::format("nothing was remembered as {}", index));
  return found->second;
}

void Unpickler::require_protocol(int protocol) const {
  if (protocol < 2 || protocol > 5) fail(fmt::format("protocol {}, expected 2 to 5", protocol));
}

PlainValue Unpickler::long_integer(std::uint32_t count) {
  const auto digits = reader_.take(count);
  if (count > 8) return std::monostate();  // a seed, or the state of a generator: never a size
  std::uint64_t bits = count > 0 && (digits.back() & std::byte{0x80}) != std::byte{0} ? ~std::uint64_t{0} : 0;
  for (std::size_t i = count; i-- > 0;) bits = bits << 8 | std::to_integer<std::uint64_t>(digits[i]);
  return std::bit_cast<std::int64_t>(bits);
}

PlainValue Unpickler::text(std::uint64_t count) {
  return std::make_shared<const PlainText>(PlainText{std::string(reader_.text(count))});
}

PlainValue Unpickler::bytes(std::uint64_t count) {
  return std::make_shared<const PlainBytes>(PlainBytes{std::string(reader_.text(count))});
}

PlainValue Unpickler::new_list(std::vector<PlainValue> items) {
  return lists_.emplace_back(std::make_shared<PlainList>(PlainList{std::move(items)}));
}

Item Unpickler::tuple(std::vector<Item> items) {
  const auto is_plain = [](const Item& item) {
    return std::holds_alternative<PlainValue>(item) || is_inert(item);
  };
  if (std::all_of(items.begin(), items.end(), is_plain)) return new_list(plain(std::move(items), "a tuple"));
  for (const Item& item : items)
    if (std::holds_alternative<std::shared_ptr<Arguments>>(item))
      fail("a tuple holds the arguments of a call");
  return std::make_shared<Arguments>(Arguments{std::move(items)});
}

void Unpickler::append(std::vector<Item> items) {
  auto* value = std::get_if<PlainValue>(&top());
  auto* list = value ? std::get_if<std::shared_ptr<PlainList>>(value) : nullptr;
  if (value && std::holds_alternative<std::monostate>(*value)) return;  // to an object that was stepped over
  if (!list) fail("items are appended to what is no list");
  for (Item& item : items) (*list)->items.push_back(plain(std::move(item), "a list"));
}

void Unpickler::set_items(std::vector<Item> items) {
  auto* value = std::get_if<PlainValue>(&top());
  auto* dict = value ? std::get_if<std::shared_ptr<PlainDict>>(value) : nullptr;
  if (value && std::holds_alternative<std::monostate>(*value)) return;  // likewise
  if (!dict) fail("items are set in what is no dict");
  if (items.size() % 2 != 0) fail("a dict has a key without a value");
  for (std::size_t i = 0; i < items.size(); i += 2)
    (*dict)->items.emplace_back(plain(std::move(items[i]), "a dict"),
                                plain(std::move(items[i + 1]), "a dict"));
}

int Unpickler::height(const PlainValue& value, int depth) {
  const PlainList* list = list_of(value);
  const PlainDict* dict = dict_of(value);
  if (!list && !dict) return 0;
  const void* address = list ? static_cast<const void*>(list) : dict;
  const auto known = heights_.find(address);
  const int least = known == heights_.end() ? 1 : known->second;
  if (depth + least > kMaxPickleDepth)
    fail(fmt::format("nested more than {} deep, or containing itself", kMaxPickleDepth));
  if (known != heights_.end()) return least;
  int most = 0;
  if (list)
    for (const PlainValue& item : list->items) most = std::max(most, height(item, depth + 1));
  else
    for (const auto& [key, item] : dict->items)
      most = std::max({most, height(key, depth + 1), height(item, depth + 1)});
  return heights_[address] = most + 1;
}

}  // namespace pickle

Unpickled unpickle(std::span<const std::byte> bytes, const StorageSource& storages, const std::string& name) {
  return pickle::Unpickler(bytes, storages, name).run();
}

}  // namespace imatch
