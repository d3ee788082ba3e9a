// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "io/plain_value.h"

namespace imatch {

/// Named tensors in the order of their file. Copies share the tensors.
class StateDict {
 public:
  using Entry = std::pair<std::string, at::Tensor>;

  /// Throws Error when the name is taken.
  void add(std::string name, at::Tensor tensor);

  std::size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  std::vector<Entry>::const_iterator begin() const { return entries_.begin(); }
  std::vector<Entry>::const_iterator end() const { return entries_.end(); }

  /// The tensor of that name, or nullptr.
  const at::Tensor* find(std::string_view name) const;
  /// The tensors whose names begin with `prefix`, which is taken away: below("teacher.").
  StateDict below(std::string_view prefix) const;

 private:
  std::vector<Entry> entries_;
  std::unordered_map<std::string, std::size_t> index_;
};

/// Every tensor of a tree, named by its path: {"teacher": {"norm.weight": t}} gives "teacher.norm.weight";
/// items of lists are named by their 0-based position. What is no tensor is left out. Throws Failure
/// (bad_format; `name` begins the message) for two tensors of one name, for a name longer than 4096 bytes and
/// for more than 2^20 places.
StateDict state_dict_of(const PlainValue& tree, const std::string& name);

/// Opens a file of weights by its content: .safetensors, or what torch.save wrote (flattened by
/// state_dict_of). Throws Failure as load_torch_file and read_safetensors.
StateDict load_state_dict(const std::string& path);

}  // namespace imatch
