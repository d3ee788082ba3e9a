// SPDX-License-Identifier: Apache-2.0
#include "io/json_builder.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/stop.h"

namespace imatch {
namespace {

constexpr std::size_t kFewMembers = 16;        ///< Among which looking is as quick as a table.
constexpr std::size_t kMembersBetween = 1024;  ///< Two looks at the stop request.

}  // namespace

bool JsonBuilder::parse_error(std::size_t byte, const std::string&, const Json::exception& error) {
  problem_ = error.what();
  byte_ = byte;
  is_syntax_error_ = dynamic_cast<const Json::parse_error*>(&error) != nullptr;
  return false;
}

void JsonBuilder::add_member(Open& object, Json value) {
  auto& members = object.value.get_ref<Json::object_t&>();
  if (members.size() < kFewMembers) {
    const auto found =
        std::find_if(members.begin(), members.end(), [&](const auto& m) { return m.first == object.key; });
    if (found != members.end())
      found->second = std::move(value);
    else
      members.emplace_back(std::move(object.key), std::move(value));
    return;
  }
  if (object.places.empty())
    for (const auto& member : members) object.places.emplace(member.first, object.places.size());
  if (members.size() % kMembersBetween == 0) check_stop();
  const auto [place, is_new] = object.places.emplace(object.key, members.size());
  if (is_new)
    members.emplace_back(std::move(object.key), std::move(value));
  else
    (members.begin() + static_cast<std::ptrdiff_t>(place->second))->second = std::move(value);
}

bool JsonBuilder::add(Json value) {
  if (open_.empty()) {
    root_ = std::move(value);
  } else if (Open& top = open_.back(); top.value.is_object()) {
    add_member(top, std::move(value));
  } else {
    auto& items = top.value.get_ref<Json::array_t&>();
    items.push_back(std::move(value));
    if (items.size() % kMembersBetween == 0) check_stop();
  }
  return true;
}

bool JsonBuilder::open(Json value) {
  if (open_.size() >= kMaxDepth)
    throw Failure(code::kBadFormat, fmt::format("{}: nested more than {} deep", name_, kMaxDepth));
  open_.push_back({std::move(value), {}, {}});
  return true;
}

bool JsonBuilder::close() {
  Json value = std::move(open_.back().value);
  open_.pop_back();
  return add(std::move(value));
}

}  // namespace imatch
