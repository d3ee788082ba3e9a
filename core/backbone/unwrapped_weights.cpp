// SPDX-License-Identifier: Apache-2.0
#include "backbone/unwrapped_weights.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

namespace imatch {
namespace {

constexpr std::string_view kWrappers[] = {"_orig_mod.", "_fsdp_wrapped_module.",
                                          "_checkpoint_wrapped_module."};

/// Under new names; nothing where two would fall together.
template <class Rename>
std::optional<StateDict> renamed(const StateDict& tensors, Rename rename) {
  StateDict result;
  for (const auto& [name, tensor] : tensors) {
    std::string now = rename(name);
    if (result.find(now)) return {};
    result.add(std::move(now), tensor);
  }
  return result;
}

std::string without_wrappers(std::string name) {
  for (const std::string_view wrapper : kWrappers)
    for (std::size_t at; (at = name.find(wrapper)) != std::string::npos && (at == 0 || name[at - 1] == '.');)
      name.erase(at, wrapper.size());
  return name;
}

/// What is tried first: the teacher, which self-distillation evaluates, a moving average, any other, the
/// student.
int rank_of(std::string_view prefix) {
  if (prefix.find("teacher") != prefix.npos) return 0;
  if (prefix.find("ema") != prefix.npos) return 1;
  return prefix.find("student") != prefix.npos ? 3 : 2;
}

/// Prefixes under which there is the tensor, the best first.
std::vector<std::string> prefixes_of(const StateDict& tensors, std::string_view landmark) {
  std::vector<std::string> prefixes;
  for (const auto& [name, tensor] : tensors)
    if (name.ends_with(landmark) &&
        (name.size() == landmark.size() || name[name.size() - landmark.size() - 1] == '.'))
      prefixes.push_back(name.substr(0, name.size() - landmark.size()));
  std::ranges::sort(prefixes, {}, [](const std::string& p) {
    return std::tuple(p.empty() ? -1 : rank_of(p), p.size(), p);
  });
  return prefixes;
}

/// "blocks.<chunk>.<index>.rest" -> the three parts; nothing for any other name.
struct InChunk {
  int chunk, index;
  std::string rest;
};
std::optional<InChunk> in_chunk(std::string_view name) {
  constexpr std::string_view kBlocks = "blocks.";
  if (!name.starts_with(kBlocks)) return {};
  name.remove_prefix(kBlocks.size());
  int numbers[2];
  for (int& number : numbers) {
    std::size_t digits = 0;
    while (digits < name.size() && digits < 6 && std::isdigit(static_cast<unsigned char>(name[digits])))
      ++digits;
    if (digits == 0 || digits >= name.size() || name[digits] != '.') return {};
    number = std::stoi(std::string(name.substr(0, digits)));
    name.remove_prefix(digits + 1);
  }
  return InChunk{numbers[0], numbers[1], std::string(name)};
}

/// Blocks of DINOv2's FSDP training lie in chunks, whose index counts through; where it does not, they are
/// counted.
bool number_chunks(StateDict& tensors) {
  std::set<std::pair<int, int>> places;
  for (const auto& [name, tensor] : tensors)
    if (const auto found = in_chunk(name)) places.emplace(found->chunk, found->index);
  if (places.empty()) return false;
  std::set<int> indices;
  for (const auto& [chunk, index] : places) indices.insert(index);
  const bool counts_through = indices.size() == places.size();
  std::map<std::pair<int, int>, int> numbers;
  for (const auto& place : places)
    numbers.emplace(place, counts_through ? place.second : static_cast<int>(numbers.size()));
  auto result = renamed(tensors, [&](const std::string& name) {
    const auto found = in_chunk(name);
    return found ? fmt::format("blocks.{}.{}", numbers.at({found->chunk, found->index}), found->rest) : name;
  });
  if (!result) return false;
  tensors = std::move(*result);
  return true;
}

/// Takes out the tensors of heads, and tells which.
std::set<std::string> leave_heads(StateDict& tensors, std::span<const std::string_view> heads) {
  std::set<std::string> left;
  StateDict kept;
  for (const auto& [name, tensor] : tensors) {
    const auto head = std::ranges::find_if(heads, [&](std::string_view h) { return name.starts_with(h); });
    if (head == heads.end())
      kept.add(name, tensor);
    else
      left.emplace(*head);
  }
  tensors = std::move(kept);
  return left;
}

}  // namespace

UnwrappedWeights unwrap_weights(const StateDict& file, std::span<const std::string_view> landmarks,
                                std::span<const std::string_view> heads) {
  std::vector<std::string> done;
  auto plain = renamed(file, without_wrappers);
  const StateDict& tensors = plain ? *plain : file;
  for (const std::string_view landmark : landmarks) {
    const std::vector<std::string> prefixes = prefixes_of(tensors, landmark);
    if (prefixes.empty()) continue;
    StateDict network = prefixes[0].empty() ? tensors : tensors.below(prefixes[0]);
    if (!prefixes[0].empty()) done.push_back(fmt::format("of '{}'", prefixes[0]));
    if (number_chunks(network)) done.emplace_back("blocks out of chunks");
    for (const std::string& head : leave_heads(network, heads))
      done.push_back(fmt::format("without '{}'", head));
    return {std::move(network), fmt::format("{}", fmt::join(done, ", "))};
  }
  return {file, ""};
}

int count_blocks(const StateDict& tensors, const std::string& blocks) {
  std::set<int> numbers;
  for (const auto& [name, tensor] : tensors)
    if (name.starts_with(blocks) && name.size() > blocks.size() &&
        std::isdigit(static_cast<unsigned char>(name[blocks.size()])))
      numbers.insert(std::atoi(name.c_str() + blocks.size()));
  int count = 0;
  while (numbers.contains(count)) ++count;
  return count;
}

}  // namespace imatch
