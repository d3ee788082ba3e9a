// SPDX-License-Identifier: Apache-2.0
#include "io/pickle.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <unordered_map>

#include "base/error.h"
#include "io/byte_reader.h"
#include "io/tensor_view.h"

namespace imatch {
namespace {

constexpr int kMaxPickleDepth = 100;
constexpr std::size_t kMaxValues = std::size_t{1} << 23;
constexpr std::size_t kMaxDimensions = 64;

enum class Opcode : std::uint8_t {
  kMark = '(',
  kStop = '.',
  kPop = '0',
  kPopMark = '1',
  kDup = '2',
  kFloat = 'G',
  kInt32 = 'J',
  kInt8 = 'K',
  kInt16 = 'M',
  kNone = 'N',
  kPersistentId = 'Q',
  kReduce = 'R',
  kString32 = 'T',
  kString8 = 'U',
  kText32 = 'X',
  kAppend = 'a',
  kBuild = 'b',
  kGlobal = 'c',
  kDict = 'd',
  kAppends = 'e',
  kGet8 = 'h',
  kInstance = 'i',
  kGet32 = 'j',
  kList = 'l',
  kPut8 = 'q',
  kPut32 = 'r',
  kSetItem = 's',
  kTuple = 't',
  kSetItems = 'u',
  kEmptyDict = '}',
  kEmptyList = ']',
  kEmptyTuple = ')',
  kBytes32 = 'B',
  kBytes8 = 'C',
  kProtocol = 0x80,
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kTrue = 0x88,
  kFalse = 0x89,
  kLong8 = 0x8a,
  kLong32 = 0x8b,
  kText8 = 0x8c,
  kText64 = 0x8d,
  kBytes64 = 0x8e,
  kStackGlobal = 0x93,
  kMemoize = 0x94,
  kFrame = 0x95,
};

enum class Kind { kTensor, kParameter, kOrderedDict, kSize, kBytes, kEncode, kDtype, kStorageType };

/// A global that a pickle may name.
struct Global {
  const char* name;
  Kind kind;
  at::ScalarType type = at::ScalarType::Undefined;  ///< Of a dtype or storage type.
};

constexpr Global kGlobals[] = {
    {"torch._utils._rebuild_tensor_v2", Kind::kTensor},
    {"torch._utils._rebuild_tensor", Kind::kTensor},
    {"torch._utils._rebuild_parameter", Kind::kParameter},
    {"collections.OrderedDict", Kind::kOrderedDict},
    {"torch.Size", Kind::kSize},
    // What protocol 2 makes of bytes: _codecs.encode('...', 'latin1'), or bytes() for none.
    {"__builtin__.bytes", Kind::kBytes},
    {"builtins.bytes", Kind::kBytes},
    {"_codecs.encode", Kind::kEncode},
    {"torch.FloatStorage", Kind::kStorageType, at::kFloat},
    {"torch.DoubleStorage", Kind::kStorageType, at::kDouble},
    {"torch.HalfStorage", Kind::kStorageType, at::kHalf},
    {"torch.BFloat16Storage", Kind::kStorageType, at::kBFloat16},
    {"torch.CharStorage", Kind::kStorageType, at::kChar},
    {"torch.ShortStorage", Kind::kStorageType, at::kShort},
    {"torch.IntStorage", Kind::kStorageType, at::kInt},
    {"torch.LongStorage", Kind::kStorageType, at::kLong},
    {"torch.ByteStorage", Kind::kStorageType, at::kByte},
    {"torch.BoolStorage", Kind::kStorageType, at::kBool},
    {"torch.storage.UntypedStorage", Kind::kStorageType, at::kByte},
    {"torch.float32", Kind::kDtype, at::kFloat},
    {"torch.float64", Kind::kDtype, at::kDouble},
    {"torch.float16", Kind::kDtype, at::kHalf},
    {"torch.bfloat16", Kind::kDtype, at::kBFloat16},
    {"torch.int8", Kind::kDtype, at::kChar},
    {"torch.int16", Kind::kDtype, at::kShort},
    {"torch.int32", Kind::kDtype, at::kInt},
    {"torch.int64", Kind::kDtype, at::kLong},
    {"torch.uint8", Kind::kDtype, at::kByte},
    {"torch.bool", Kind::kDtype, at::kBool},
};

/// A storage, or part of one (files older than PyTorch 1.0 name views of storages).
struct StorageView {
  at::Storage storage;
  at::ScalarType type;
  std::int64_t first = 0;
  std::int64_t count = 0;
};

struct Arguments;
/// What lies on the stack: a plain value, or what only arguments of an allowed global may be.
using Item = std::variant<PlainValue, const Global*, StorageView, std::shared_ptr<Arguments>>;

/// A tuple that holds more than plain values. Never nested.
struct Arguments {
  std::vector<Item> items;
};

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

class Unpickler {
 public:
  Unpickler(std::span<const std::byte> bytes, const StorageSource& storages, const std::string& name)
      : reader_(bytes, name), storages_(storages), name_(name) {}
  Unpickler(const Unpickler&) = delete;
  Unpickler& operator=(const Unpickler&) = delete;

  ~Unpickler() {
    if (finished_) return;
    // A refused pickle may hold cycles, or a nesting so deep that destroying it recursively would end the
    // stack.
    for (const auto& list : lists_) list->items.clear();
    for (const auto& dict : dicts_) dict->items.clear();
  }

  Unpickled run() {
    while (step(Opcode{reader_.number<std::uint8_t>()})) {
    }
    PlainValue value = pop_plain("the result");
    height(value, 0);
    finished_ = true;
    return {std::move(value), reader_.position()};
  }

 private:
  [[noreturn]] void fail(const std::string& what) const { reader_.fail("broken pickle: " + what); }

  bool step(Opcode opcode) {
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
        push(new_list(plain(pop_mark(), "a list")));
        break;
      case Opcode::kAppend:
        append(pop_last(1));
        break;
      case Opcode::kAppends:
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
      case Opcode::kBuild:
        build();
        break;
      default:
        fail(fmt::format("opcode 0x{:02x} is not one that torch.save writes", static_cast<int>(opcode)));
    }
    return true;
  }

  // The stack.

  /// Bounds memory and time by a number that no honest file comes near to, whatever is duplicated in a few
  /// bytes.
  void charge(std::size_t count) {
    values_ += count;
    if (values_ > kMaxValues) fail(fmt::format("more than {} values", kMaxValues));
  }

  void push(Item item) {
    charge(1);
    stack_.push_back(std::move(item));
  }

  void add_mark() {
    charge(1);
    marks_.push_back(stack_.size());
  }

  /// Items above the last mark.
  std::size_t available() const { return stack_.size() - (marks_.empty() ? 0 : marks_.back()); }

  Item& top() {
    if (available() == 0) fail("the stack is empty");
    return stack_.back();
  }

  Item pop_any() {
    Item item = std::move(top());
    stack_.pop_back();
    return item;
  }

  std::vector<Item> pop_last(std::size_t count) {
    if (available() < count) fail("the stack is empty");
    const auto first = stack_.end() - static_cast<std::ptrdiff_t>(count);
    std::vector<Item> items(std::make_move_iterator(first), std::make_move_iterator(stack_.end()));
    stack_.erase(first, stack_.end());
    return items;
  }

  std::vector<Item> pop_mark() {
    if (marks_.empty()) fail("no mark on the stack");
    std::vector<Item> items = pop_last(available());
    marks_.pop_back();
    return items;
  }

  PlainValue pop_plain(const char* what) { return plain(pop_any(), what); }

  PlainValue plain(Item item, const char* what) const {
    if (auto* value = std::get_if<PlainValue>(&item)) return std::move(*value);
    if (const auto* named = std::get_if<const Global*>(&item))
      fail(fmt::format("{} holds '{}' itself", what, (*named)->name));
    fail(fmt::format("{} holds a storage without a tensor", what));
  }

  std::vector<PlainValue> plain(std::vector<Item> items, const char* what) const {
    std::vector<PlainValue> values;
    values.reserve(items.size());
    for (Item& item : items) values.push_back(plain(std::move(item), what));
    return values;
  }

  const Item& remembered(std::uint32_t index) const {
    const auto found = memo_.find(index);
    if (found == memo_.end()) fail(fmt::format("nothing was remembered as {}", index));
    return found->second;
  }

  // Values.

  void require_protocol(int protocol) const {
    if (protocol < 2 || protocol > 5) fail(fmt::format("protocol {}, expected 2 to 5", protocol));
  }

  PlainValue long_integer(std::uint32_t count) {
    const auto digits = reader_.take(count);
    if (count > 8) fail(fmt::format("an integer of {} bytes", count));
    std::uint64_t bits =
        count > 0 && (digits.back() & std::byte{0x80}) != std::byte{0} ? ~std::uint64_t{0} : 0;
    for (std::size_t i = count; i-- > 0;) bits = bits << 8 | std::to_integer<std::uint64_t>(digits[i]);
    return std::bit_cast<std::int64_t>(bits);
  }

  PlainValue text(std::uint64_t count) {
    return std::make_shared<const PlainText>(PlainText{std::string(reader_.text(count))});
  }

  PlainValue bytes(std::uint64_t count) {
    return std::make_shared<const PlainBytes>(PlainBytes{std::string(reader_.text(count))});
  }

  PlainValue new_list(std::vector<PlainValue> items) {
    return lists_.emplace_back(std::make_shared<PlainList>(PlainList{std::move(items)}));
  }

  PlainValue new_dict() { return dicts_.emplace_back(std::make_shared<PlainDict>()); }

  Item tuple(std::vector<Item> items) {
    const auto is_plain = [](const Item& item) { return std::holds_alternative<PlainValue>(item); };
    if (std::all_of(items.begin(), items.end(), is_plain))
      return new_list(plain(std::move(items), "a tuple"));
    for (const Item& item : items)
      if (std::holds_alternative<std::shared_ptr<Arguments>>(item))
        fail("a tuple holds the arguments of a call");
    return std::make_shared<Arguments>(Arguments{std::move(items)});
  }

  void append(std::vector<Item> items) {
    auto* value = std::get_if<PlainValue>(&top());
    auto* list = value ? std::get_if<std::shared_ptr<PlainList>>(value) : nullptr;
    if (!list) fail("items are appended to what is no list");
    for (Item& item : items) (*list)->items.push_back(plain(std::move(item), "a list"));
  }

  void set_items(std::vector<Item> items) {
    auto* value = std::get_if<PlainValue>(&top());
    auto* dict = value ? std::get_if<std::shared_ptr<PlainDict>>(value) : nullptr;
    if (!dict) fail("items are set in what is no dict");
    if (items.size() % 2 != 0) fail("a dict has a key without a value");
    for (std::size_t i = 0; i < items.size(); i += 2)
      (*dict)->items.emplace_back(plain(std::move(items[i]), "a dict"),
                                  plain(std::move(items[i + 1]), "a dict"));
  }

  // Globals, and the calls that are allowed.

  Item global(std::string_view module, std::string_view symbol) const {
    const std::string full = fmt::format("{}.{}", module, symbol);
    for (const Global& allowed : kGlobals)
      if (full == allowed.name) {
        if (allowed.kind == Kind::kDtype) return PlainValue(allowed.type);
        return &allowed;
      }
    throw Failure(code::kBadFormat,
                  fmt::format("{}: names '{}'; weights may hold tensors and plain containers only", name_,
                              full.substr(0, 200)));
  }

  void push_stack_global() {
    const PlainValue symbol = pop_plain("a name"), module = pop_plain("a name");
    if (!text_of(module) || !text_of(symbol)) fail("a global without a name");
    push(global(*text_of(module), *text_of(symbol)));
  }

  std::int64_t integer(const Item& item, const char* what) const {
    const auto* value = std::get_if<PlainValue>(&item);
    const auto* number = value ? std::get_if<std::int64_t>(value) : nullptr;
    if (!number) fail(fmt::format("{} is no integer", what));
    return *number;
  }

  std::vector<std::int64_t> integers(const Item& item, const char* what) const {
    const auto* value = std::get_if<PlainValue>(&item);
    const PlainList* list = value ? list_of(*value) : nullptr;
    if (!list || list->items.size() > kMaxDimensions)
      fail(fmt::format("{} is no tuple of a few integers", what));
    std::vector<std::int64_t> numbers;
    for (const PlainValue& number : list->items) numbers.push_back(integer(number, what));
    return numbers;
  }

  /// ('storage', torch.FloatStorage, key, location, count[, (view key, offset, count)])
  Item persistent(const Item& id) const {
    const auto* held = std::get_if<std::shared_ptr<Arguments>>(&id);
    if (!held) fail("an unknown persistent id");
    const auto& items = (*held)->items;
    if (items.size() != 5 && items.size() != 6) fail("an unknown persistent id");
    const auto* tag = std::get_if<PlainValue>(&items[0]);
    const auto* kind = std::get_if<const Global*>(&items[1]);
    const auto* key = std::get_if<PlainValue>(&items[2]);
    if (!tag || !text_of(*tag) || *text_of(*tag) != "storage" || !kind ||
        (*kind)->kind != Kind::kStorageType || !key || !text_of(*key))
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

  /// (storage, offset, size, stride[, requires_grad, hooks[, metadata]])
  PlainValue tensor(const std::vector<Item>& items) const {
    const StorageView* view = items.size() >= 4 ? std::get_if<StorageView>(&items[0]) : nullptr;
    if (!view) fail("a tensor without a storage");
    const std::int64_t offset = integer(items[1], "the offset of a tensor");
    const auto sizes = integers(items[2], "the size of a tensor");
    const auto strides = integers(items[3], "the stride of a tensor");
    if (offset < 0 || offset > view->count)
      fail(fmt::format("a tensor at {} of a storage of {}", offset, view->count));
    return tensor_over(view->storage, view->type, view->first + offset, sizes, strides, name_);
  }

  void reduce() {
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

  PlainValue call(const Global& function, const std::vector<Item>& items) {
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
        if (items.empty()) return new_dict();
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
      case Kind::kDtype:  // a value, never on the stack as a global
      case Kind::kStorageType:
        break;
    }
    fail(fmt::format("'{}' is not called in this way by torch.save", function.name));
  }

  /// OrderedDict([[key, value], ...]), as Python 2 wrote it.
  PlainValue dict_of_pairs(const PlainList& pairs) {
    auto dict = std::make_shared<PlainDict>();
    charge(pairs.items.size());
    for (const PlainValue& pair : pairs.items) {
      const PlainList* items = list_of(pair);
      if (!items || items->items.size() != 2) fail("an OrderedDict of what are no pairs");
      dict->items.emplace_back(items->items[0], items->items[1]);
    }
    return dicts_.emplace_back(std::move(dict));
  }

  /// torch.nn.Module.state_dict() hangs `_metadata` on its OrderedDict: stepped over.
  void build() {
    const PlainValue state = pop_plain("the state of an object");
    const auto* object = std::get_if<PlainValue>(&top());
    if (!object || !dict_of(*object) || !dict_of(state)) fail("a state is set on what is no OrderedDict");
  }

  /// Levels of containers in `value`, each container visited once. Throws when the tree is too deep or has a
  /// cycle.
  int height(const PlainValue& value, int depth) {
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

  ByteReader reader_;
  const StorageSource& storages_;
  const std::string& name_;
  std::vector<Item> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint32_t, Item> memo_;
  std::unordered_map<const void*, int> heights_;
  std::vector<std::shared_ptr<PlainList>> lists_;
  std::vector<std::shared_ptr<PlainDict>> dicts_;
  std::size_t values_ = 0;
  bool finished_ = false;
};

}  // namespace

Unpickled unpickle(std::span<const std::byte> bytes, const StorageSource& storages, const std::string& name) {
  return Unpickler(bytes, storages, name).run();
}

}  // namespace imatch
