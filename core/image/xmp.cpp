// SPDX-License-Identifier: Apache-2.0
#include "image/xmp.h"

#include <cpl_error.h>
#include <cpl_minixml.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <map>
#include <memory>
#include <utility>

namespace imatch {
namespace {

struct DestroyXml {
  void operator()(CPLXMLNode* node) const { CPLDestroyXMLNode(node); }
};

std::string lowered(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

std::pair<std::string_view, std::string_view> split(std::string_view qualified) {
  const auto colon = qualified.find(':');
  return colon == std::string_view::npos ? std::pair{std::string_view(), qualified}
                                         : std::pair{qualified.substr(0, colon), qualified.substr(colon + 1)};
}

/// Elements of RDF itself (rdf:RDF, rdf:Description, rdf:Seq, rdf:li) and of the packet are no part of a
/// path.
bool is_frame(std::string_view prefix) {
  return prefix == "rdf" || prefix == "x" || prefix.empty();
}

std::optional<double> number_of(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  text.remove_prefix(std::min(text.size(), text.find_first_not_of(kBlanks)));
  text.remove_suffix(text.size() - std::min(text.size(), text.find_last_not_of(kBlanks) + 1));
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || !std::isfinite(value)) return {};
  if (stop == end) return value;
  double below = 0;
  if (*stop != '/') return {};
  const auto [last, wrong] = std::from_chars(stop + 1, end, below);
  if (wrong != std::errc{} || last != end || below == 0 || !std::isfinite(value / below)) return {};
  return value / below;
}

}  // namespace

XmpProperties::XmpProperties(const std::string& packet) {
  CPLPushErrorHandler(CPLQuietErrorHandler);
  const std::unique_ptr<CPLXMLNode, DestroyXml> root(CPLParseXMLString(packet.c_str()));
  CPLPopErrorHandler();
  CPLErrorReset();
  struct Open {
    const CPLXMLNode* node;
    std::string path;
  };
  std::map<std::string, std::string> addresses;
  // A stack of our own: how deep the packet nests is not ours to decide.
  std::vector<Open> open{{root.get(), ""}};
  while (!open.empty()) {
    const auto [node, path] = std::move(open.back());
    open.pop_back();
    if (!node) continue;
    if (node->psNext) open.push_back({node->psNext, path});
    if (node->eType != CXT_Attribute && node->eType != CXT_Element) continue;
    const auto [prefix, name] = split(node->pszValue);
    const std::string here = is_frame(prefix) ? path
                             : path.empty()   ? std::string(name)
                                              : path + "/" + std::string(name);
    // An attribute holds its value as a text child, and so does an element that is a simple property.
    const bool simple = node->psChild && node->psChild->eType == CXT_Text && !node->psChild->psNext;
    if (node->eType == CXT_Attribute && prefix == "xmlns" && simple)
      addresses.emplace(name, lowered(node->psChild->pszValue));
    else if (simple && !is_frame(prefix))
      properties_.push_back({lowered(prefix), std::string(prefix), here, node->psChild->pszValue});
    if (node->eType == CXT_Element && here.size() < 256) open.push_back({node->psChild, here});
  }
  for (Property& property : properties_) {
    const auto found = addresses.find(property.address);
    property.address = found == addresses.end() ? "" : found->second;
  }
}

const std::string* XmpProperties::find(std::string_view space, std::string_view path) const {
  for (const Property& property : properties_)
    if (property.path == path &&
        (property.prefix == space || property.address.find(space) != std::string::npos))
      return &property.value;
  return nullptr;
}

std::optional<double> XmpProperties::number(std::string_view space, std::string_view path) const {
  const std::string* text = find(space, path);
  return text ? number_of(*text) : std::nullopt;
}

}  // namespace imatch
