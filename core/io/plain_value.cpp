// SPDX-License-Identifier: Apache-2.0
#include "io/plain_value.h"

namespace imatch {

const PlainValue* PlainDict::find(std::string_view key) const {
  for (const auto& [name, value] : items)
    if (const std::string* text = text_of(name); text && *text == key) return &value;
  return nullptr;
}

PlainValue plain_text(std::string text) {
  return std::make_shared<const PlainText>(PlainText{std::move(text)});
}

PlainValue plain_list(std::vector<PlainValue> items) {
  return std::make_shared<PlainList>(PlainList{std::move(items)});
}

PlainValue plain_dict(std::vector<std::pair<std::string, PlainValue>> items) {
  auto dict = std::make_shared<PlainDict>();
  for (auto& [key, value] : items) dict->items.emplace_back(plain_text(std::move(key)), std::move(value));
  return dict;
}

const std::string* text_of(const PlainValue& value) {
  const auto* text = std::get_if<std::shared_ptr<const PlainText>>(&value);
  return text ? &(*text)->text : nullptr;
}

const PlainList* list_of(const PlainValue& value) {
  const auto* list = std::get_if<std::shared_ptr<PlainList>>(&value);
  return list ? list->get() : nullptr;
}

const PlainDict* dict_of(const PlainValue& value) {
  const auto* dict = std::get_if<std::shared_ptr<PlainDict>>(&value);
  return dict ? dict->get() : nullptr;
}

}  // namespace imatch
