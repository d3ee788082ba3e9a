// SPDX-License-Identifier: Apache-2.0
#include "image/xmp.h"

#include <cpl_error.h>
#include <cpl_minixml.h>

#include <memory>
#include <string_view>
#include <vector>

namespace imatch {
namespace {

struct DestroyXml {
  void operator()(CPLXMLNode* node) const { CPLDestroyXMLNode(node); }
};

std::string_view local_name(std::string_view qualified) {
  const auto colon = qualified.find(':');
  return colon == std::string_view::npos ? qualified : qualified.substr(colon + 1);
}

}  // namespace

std::map<std::string, std::string> xmp_properties(const std::string& packet) {
  CPLPushErrorHandler(CPLQuietErrorHandler);
  const std::unique_ptr<CPLXMLNode, DestroyXml> root(CPLParseXMLString(packet.c_str()));
  CPLPopErrorHandler();
  CPLErrorReset();
  std::map<std::string, std::string> properties;
  // A stack of our own: how deep the packet nests is not ours to decide.
  std::vector<const CPLXMLNode*> open{root.get()};
  while (!open.empty()) {
    const CPLXMLNode* node = open.back();
    open.pop_back();
    if (!node) continue;
    open.push_back(node->psNext);
    open.push_back(node->psChild);
    // An attribute holds its value as a text child, and so does an element that is a simple property.
    if ((node->eType == CXT_Attribute || node->eType == CXT_Element) && node->psChild &&
        node->psChild->eType == CXT_Text && !node->psChild->psNext)
      properties.emplace(local_name(node->pszValue), node->psChild->pszValue);
  }
  return properties;
}

}  // namespace imatch
