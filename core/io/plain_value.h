// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace imatch {

struct PlainList;
struct PlainDict;

/// Text and bytes of a pickle, told apart.
struct PlainText {
  std::string text;
};
struct PlainBytes {
  std::string bytes;
};

/// What a file of weights can hold: tensors and plain containers. Containers and texts may be shared between
/// several places of a tree, but never form a cycle. monostate is Python's None; lists, tuples and torch.Size
/// are lists; a ScalarType is a torch.dtype.
using PlainValue = std::variant<std::monostate, bool, std::int64_t, double, std::shared_ptr<const PlainText>,
                                std::shared_ptr<const PlainBytes>, at::Tensor, at::ScalarType,
                                std::shared_ptr<PlainList>, std::shared_ptr<PlainDict>>;

struct PlainList {
  std::vector<PlainValue> items;
};

struct PlainDict {
  std::vector<std::pair<PlainValue, PlainValue>> items;
  /// The value under a text key, or nullptr.
  const PlainValue* find(std::string_view key) const;
};

/// Values that are to be written.
PlainValue plain_text(std::string text);
PlainValue plain_list(std::vector<PlainValue> items);
PlainValue plain_dict(std::vector<std::pair<std::string, PlainValue>> items);

/// The text of a value, or nullptr when it is something else; likewise the others.
const std::string* text_of(const PlainValue& value);
const PlainList* list_of(const PlainValue& value);
const PlainDict* dict_of(const PlainValue& value);

}  // namespace imatch
