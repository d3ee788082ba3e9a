// SPDX-License-Identifier: Apache-2.0
#include "evaluation/placed_query.h"

#include <fmt/format.h>

#include <cmath>

#include "base/error.h"
#include "base/file.h"
#include "base/stop.h"

namespace imatch {
namespace {

std::string dumped(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);  // bytes that are not UTF-8: U+FFFD
}

Json point_of(LatLon p) {
  return Json::array({p.longitude_deg, p.latitude_deg});
}

/// Text for an XML element.
std::string xml_text(const std::string& raw) {
  std::string xml;
  for (const char c : Json::parse(dumped(raw)).get<std::string>()) {
    if (c == '&')
      xml += "&amp;";
    else if (c == '<')
      xml += "&lt;";
    else if (c == '>')
      xml += "&gt;";
    else if (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n')
      xml += "\xef\xbf\xbd";
    else
      xml += c;
  }
  // Characters that XML 1.0 does not have.
  for (const std::string_view none : {"\xef\xbf\xbe", "\xef\xbf\xbf"})
    for (auto at = xml.find(none); at != std::string::npos; at = xml.find(none, at))
      xml.replace(at, none.size(), "\xef\xbf\xbd");
  return xml;
}

std::optional<LatLon> position_in(const Json& object, const char* name, const char* what) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return std::nullopt;
  const auto number = [&](const char* field) {
    if (!found->is_object() || !found->contains(field) || !(*found)[field].is_number())
      throw Error(fmt::format("{}: {} has no number '{}'", what, name, field));
    return (*found)[field].get<double>();
  };
  const LatLon position{number("latitude_deg"), number("longitude_deg")};
  require_position(position);
  return position;
}

}  // namespace

PlacedQuery placed_query_from(const Json& object, const char* what) {
  if (!object.is_object() || !object.contains("query") || !object["query"].is_string())
    throw Error(fmt::format("{}: a query has no string 'query'", what));
  PlacedQuery query;
  query.query = object["query"];
  query.truth = position_in(object, "truth", what);
  query.predicted = position_in(object, "predicted", what);
  if (const auto name = object.find("predicted_name"); name != object.end() && name->is_string())
    query.predicted_name = *name;
  if (const auto error = object.find("error_m"); error != object.end() && error->is_number())
    query.error_m = *error;
  if (const auto more = object.find("properties"); more != object.end() && more->is_object())
    query.properties = *more;
  return query;
}

void write_geojson(const std::string& path, std::span<const PlacedQuery> queries) {
  std::string text = "{\"type\":\"FeatureCollection\",\"features\":[";
  const auto add = [&](const PlacedQuery& q, const char* kind, Json geometry) {
    Json properties{{"kind", kind},
                    {"query", q.query},
                    {"predicted", q.predicted_name},
                    {"error_m", std::isnan(q.error_m) ? Json(nullptr) : Json(q.error_m)}};
    if (kind == std::string_view("prediction") && q.properties.is_object()) properties.update(q.properties);
    text += text.back() == '[' ? "\n" : ",\n";
    text += dumped(Json{{"type", "Feature"}, {"geometry", std::move(geometry)}, {"properties", properties}});
  };
  for (const PlacedQuery& q : queries) {
    check_stop();
    if (q.truth) add(q, "query", {{"type", "Point"}, {"coordinates", point_of(*q.truth)}});
    if (q.predicted) add(q, "prediction", {{"type", "Point"}, {"coordinates", point_of(*q.predicted)}});
    if (q.truth && q.predicted)
      add(q, "error",
          {{"type", "LineString"},
           {"coordinates", Json::array({point_of(*q.truth), point_of(*q.predicted)})}});
  }
  write_file_atomically(path, text + "\n]}\n");
}

void write_kml(const std::string& path, std::span<const PlacedQuery> queries) {
  std::string kml =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<kml xmlns=\"http://www.opengis.net/kml/2.2\"><Document>\n"
      "<Style id=\"query\"><IconStyle><color>ff50aa00</color></IconStyle></Style>\n"
      "<Style id=\"prediction\"><IconStyle><color>ff2060ff</color></IconStyle></Style>\n"
      "<Style id=\"error\"><LineStyle><color>ff2060ff</color><width>2</width></LineStyle></Style>\n";
  const auto at = [](LatLon p) { return fmt::format("{},{},0", p.longitude_deg, p.latitude_deg); };
  const auto add = [&](const char* style, const std::string& name, const std::string& geometry) {
    kml += fmt::format("<Placemark><name>{}</name><styleUrl>#{}</styleUrl>{}</Placemark>\n", xml_text(name),
                       style, geometry);
  };
  for (const PlacedQuery& q : queries) {
    check_stop();
    if (q.truth)
      add("query", q.query, fmt::format("<Point><coordinates>{}</coordinates></Point>", at(*q.truth)));
    if (q.predicted)
      add("prediction", q.predicted_name.empty() ? q.query : q.predicted_name,
          fmt::format("<Point><coordinates>{}</coordinates></Point>", at(*q.predicted)));
    if (q.truth && q.predicted)
      add("error", std::isnan(q.error_m) ? q.query : fmt::format("{}: {:.1f} m", q.query, q.error_m),
          fmt::format("<LineString><tessellate>1</tessellate><coordinates>{} {}</coordinates></LineString>",
                      at(*q.truth), at(*q.predicted)));
  }
  write_file_atomically(path, kml + "</Document></kml>\n");
}

}  // namespace imatch
