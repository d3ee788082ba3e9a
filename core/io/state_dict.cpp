// SPDX-License-Identifier: Apache-2.0
#include "io/state_dict.h"

#include <fmt/format.h>

#include "base/error.h"

namespace imatch {
namespace {

constexpr std::size_t kMaxName = 4096;
constexpr std::size_t kMaxPlaces = std::size_t{1} << 20;

/// The tree may share its containers, so that a small file can describe a huge number of places.
class Flattener {
 public:
  explicit Flattener(const std::string& file) : file_(file) {}

  void visit(const PlainValue& value, const std::string& path) {
    if (++places_ > kMaxPlaces) fail(fmt::format("more than {} values in its containers", kMaxPlaces));
    if (path.size() > kMaxName)
      fail(fmt::format("the name '{}...' is longer than {} bytes", path.substr(0, 40), kMaxName));
    if (const auto* tensor = std::get_if<at::Tensor>(&value)) {
      if (found_.find(path)) fail(fmt::format("two tensors are named '{}'", path));
      found_.add(path, *tensor);
    } else if (const PlainDict* dict = dict_of(value)) {
      for (const auto& [key, item] : dict->items)
        if (const std::string* text = text_of(key))
          visit(item, below(path, *text));
        else if (const auto* number = std::get_if<std::int64_t>(&key))
          visit(item, below(path, std::to_string(*number)));
    } else if (const PlainList* list = list_of(value)) {
      for (std::size_t i = 0; i < list->items.size(); ++i)
        visit(list->items[i], below(path, std::to_string(i)));
    }
  }

  StateDict result() && { return std::move(found_); }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Failure(code::kBadFormat, file_ + ": " + what);
  }

  static std::string below(const std::string& path, const std::string& key) {
    return path.empty() ? key : path + "." + key;
  }

  const std::string& file_;
  StateDict found_;
  std::size_t places_ = 0;
};

}  // namespace

void StateDict::add(std::string name, at::Tensor tensor) {
  if (!index_.emplace(name, entries_.size()).second)
    throw Error("state dict: two tensors are named '" + name + "'");
  entries_.emplace_back(std::move(name), std::move(tensor));
}

const at::Tensor* StateDict::find(std::string_view name) const {
  const auto found = index_.find(std::string(name));
  return found == index_.end() ? nullptr : &entries_[found->second].second;
}

StateDict StateDict::below(std::string_view prefix) const {
  StateDict part;
  for (const auto& [name, tensor] : entries_)
    if (name.starts_with(prefix)) part.add(name.substr(prefix.size()), tensor);
  return part;
}

StateDict state_dict_of(const PlainValue& tree, const std::string& name) {
  Flattener flattener(name);
  flattener.visit(tree, "");
  return std::move(flattener).result();
}

}  // namespace imatch
