// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "mesh/mesh_file.h"
#include "mesh/text_scanner.h"

namespace imatch {
namespace {

/// Vertex of "7", "7/1", "7//2" or "-1/...": 1-based, negative ones from the end.
std::int32_t vertex_of(const TextScanner& scanner, std::string_view word, std::size_t count) {
  const double index = scanner.number_of(word.substr(0, word.find('/')));
  const double at = index > 0 ? index - 1 : static_cast<double>(count) + index;
  if (index == 0 || index != std::floor(index) || !(at >= 0 && at < static_cast<double>(count)))
    scanner.fail(fmt::format("a face names vertex {} of {}", index, count));
  return static_cast<std::int32_t>(at);
}

}  // namespace

Mesh parse_obj(std::string_view text, const std::string& name) {
  Mesh mesh;
  TextScanner scanner(text, name);
  std::vector<std::int32_t> face;
  bool any = false;
  while (scanner.next_line(true)) {
    const std::string_view kind = scanner.word();
    if (kind == "v") {
      Float3& p = mesh.positions.emplace_back();
      for (float& x : p) x = static_cast<float>(scanner.number());
      const std::string_view red = scanner.word(), green = scanner.word(), blue = scanner.word();
      if (!blue.empty()) {  // a single number more is a weight
        mesh.colours.resize(mesh.positions.size(), {255, 255, 255});
        const std::string_view words[] = {red, green, blue};
        for (std::size_t k = 0; k < 3; ++k)
          mesh.colours.back()[k] =
              static_cast<std::uint8_t>(std::lround(255 * std::clamp(scanner.number_of(words[k]), 0.0, 1.0)));
      } else if (!mesh.colours.empty()) {
        mesh.colours.resize(mesh.positions.size(), {255, 255, 255});
      }
    } else if (kind == "f") {
      face.clear();
      for (std::string_view word = scanner.word(); !word.empty() && word[0] != '#'; word = scanner.word())
        face.push_back(vertex_of(scanner, word, mesh.positions.size()));
      if (face.size() < 3) scanner.fail(fmt::format("a face of {} vertices", face.size()));
      for (std::size_t i = 2; i < face.size(); ++i) mesh.triangles.push_back({face[0], face[i - 1], face[i]});
    }
    any = any || kind == "v";
  }
  if (!any) throw Failure(code::kBadFormat, name + ": no vertices in it");
  return mesh;
}

}  // namespace imatch
