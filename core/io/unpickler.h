// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "io/byte_reader.h"
#include "io/pickle.h"
#include "io/pickle_globals.h"
#include "io/pickle_opcode.h"

namespace imatch::pickle {

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

/// Runs the opcodes of one pickle: a machine with a stack. Its calls build what the table of globals allows.
class Unpickler {
 public:
  Unpickler(std::span<const std::byte> bytes, const StorageSource& storages, const std::string& name)
      : reader_(bytes, name), storages_(storages), name_(name) {}
  Unpickler(const Unpickler&) = delete;
  Unpickler& operator=(const Unpickler&) = delete;
  ~Unpickler();
  Unpickled run();

 private:
  [[noreturn]] void fail(const std::string& what) const { reader_.fail("broken pickle: " + what); }
  bool step(Opcode opcode);

  // The stack.
  /// Bounds memory and time by a number that no honest file comes near to, whatever is duplicated in a few
  /// bytes.
  void charge(std::size_t count);
  void push(Item item);
  void add_mark();
  /// Items above the last mark.
  std::size_t available() const { return stack_.size() - (marks_.empty() ? 0 : marks_.back()); }
  Item& top();
  Item pop_any();
  std::vector<Item> pop_last(std::size_t count);
  std::vector<Item> pop_mark();
  PlainValue pop_plain(const char* what) { return plain(pop_any(), what); }
  PlainValue plain(Item item, const char* what) const;
  std::vector<PlainValue> plain(std::vector<Item> items, const char* what) const;
  const Item& remembered(std::uint32_t index) const;
  /// What is stepped over: nothing is made of it but a None in its place.
  static bool is_inert(const Item& item);

  // Values.
  void require_protocol(int protocol) const;
  PlainValue long_integer(std::uint32_t count);
  PlainValue text(std::uint64_t count);
  PlainValue bytes(std::uint64_t count);
  PlainValue new_list(std::vector<PlainValue> items);
  PlainValue new_dict() { return dicts_.emplace_back(std::make_shared<PlainDict>()); }
  Item tuple(std::vector<Item> items);
  void append(std::vector<Item> items);
  void set_items(std::vector<Item> items);

  // Globals, and the calls that are allowed.
  [[noreturn]] void refuse_global(std::string_view name) const;
  Item global(std::string_view module, std::string_view symbol) const;
  void push_stack_global();
  std::int64_t integer(const Item& item, const char* what) const;
  std::vector<std::int64_t> integers(const Item& item, const char* what) const;
  /// ('storage', torch.FloatStorage, key, location, count[, (view key, offset, count)])
  Item persistent(const Item& id) const;
  /// (storage, offset, size, stride[, requires_grad, hooks[, metadata]])
  PlainValue tensor(const std::vector<Item>& items) const;
  void reduce();
  /// cls.__new__(cls, *arguments), of inert classes alone. `parts`: 2, or 3 with keyword arguments.
  void new_object(std::size_t parts);
  PlainValue call(const Global& function, const std::vector<Item>& items);
  /// OrderedDict([[key, value], ...]), as Python 2 wrote it.
  PlainValue dict_of_pairs(const PlainList& pairs);
  /// torch.nn.Module.state_dict() hangs `_metadata` on its OrderedDict, and objects have a state: stepped
  /// over.
  void build();
  /// Levels of containers in `value`, each container visited once. Throws when the tree is too deep or has a
  /// cycle.
  int height(const PlainValue& value, int depth);

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

}  // namespace imatch::pickle
