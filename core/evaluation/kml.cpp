// SPDX-License-Identifier: Apache-2.0
#include "evaluation/kml.h"

#include <fmt/format.h>

#include "base/file.h"
#include "base/stop.h"

namespace imatch {
namespace {

std::string escaped(const std::string& raw) {
  std::string xml;
  for (const char c : raw) {
    if (c == '&')
      xml += "&amp;";
    else if (c == '<')
      xml += "&lt;";
    else if (c == '>')
      xml += "&gt;";
    else
      xml += c;
  }
  return xml;
}

}  // namespace

void write_kml(const std::string& path, std::span<const PlacedQuery> queries) {
  std::string kml =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<kml xmlns=\"http://www.opengis.net/kml/2.2\"><Document>\n"
      "<Style id=\"query\"><IconStyle><color>ff50aa00</color></IconStyle></Style>\n"
      "<Style id=\"prediction\"><IconStyle><color>ff2060ff</color></IconStyle></Style>\n"
      "<Style id=\"error\"><LineStyle><color>ff2060ff</color><width>2</width></LineStyle></Style>\n";
  const auto at = [](LatLon p) { return fmt::format("{},{},0", p.longitude_deg, p.latitude_deg); };
  const auto add = [&](const char* style, const std::string& name, const std::string& geometry) {
    kml += fmt::format("<Placemark><name>{}</name><styleUrl>#{}</styleUrl>{}</Placemark>\n", escaped(name),
                       style, geometry);
  };
  for (const PlacedQuery& q : queries) {
    check_stop();
    if (q.truth)
      add("query", q.query, fmt::format("<Point><coordinates>{}</coordinates></Point>", at(*q.truth)));
    if (q.predicted)
      add("prediction", q.predicted_name,
          fmt::format("<Point><coordinates>{}</coordinates></Point>", at(*q.predicted)));
    if (q.truth && q.predicted)
      add("error", fmt::format("{}: {:.1f} m", q.query, q.error_m),
          fmt::format("<LineString><tessellate>1</tessellate><coordinates>{} {}</coordinates></LineString>",
                      at(*q.truth), at(*q.predicted)));
  }
  write_file_atomically(path, kml + "</Document></kml>\n");
}

}  // namespace imatch
