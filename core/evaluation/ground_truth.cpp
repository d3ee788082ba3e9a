// SPDX-License-Identifier: Apache-2.0
#include "evaluation/ground_truth.h"

#include <fmt/format.h>
#include <proj.h>

#include <cctype>
#include <charconv>
#include <filesystem>
#include <memory>
#include <vector>

#include "base/error.h"
#include "base/progress.h"
#include "geo/map.h"
#include "image/metadata.h"
#include "io/csv.h"
#include "io/json_file.h"
#include "retrieval/image_name.h"

namespace imatch {
namespace {

[[noreturn]] void refuse(const std::string& where, const std::string& why) {
  throw Failure(code::kBadFormat, fmt::format("{}: {}", where, why));
}

std::optional<double> number_of(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

void add_checked(PositionTable& table, const std::string& name, LatLon position,
                 std::optional<PlanePosition> plane, const std::string& where) {
  try {
    table.add(name, position, plane);
  } catch (const Error& e) {
    refuse(where, e.what());
  }
}

std::optional<double> number_in(const Json& object, std::initializer_list<const char*> keys) {
  for (const char* key : keys)
    if (object.is_object() && object.contains(key) && object[key].is_number())
      return object[key].get<double>();
  return std::nullopt;
}

void add_from_json(PositionTable& table, const std::string& name, const Json& position,
                   const std::string& where) {
  const auto coordinate = [&](std::initializer_list<const char*> keys) {
    const auto number = number_in(position, keys);
    if (!number) refuse(where, fmt::format("has no '{}'", *keys.begin()));
    return *number;
  };
  const LatLon at{coordinate({"latitude", "lat"}), coordinate({"longitude", "lon"})};
  const auto x = number_in(position, {"x"}), y = number_in(position, {"y"});
  add_checked(table, name, at, x && y ? std::optional(PlanePosition{*x, *y}) : std::nullopt, where);
}

PositionTable from_json(const std::string& path) {
  const Json json = read_json(path);
  PositionTable table;
  if (!json.is_object())
    refuse(path, "expected an object: images[] of an annotation, or a label index by image");
  if (json.contains("images") && json["images"].is_array()) {
    std::size_t i = 0;
    for (const Json& image : json["images"]) {
      const std::string where = fmt::format("{}: images[{}]", path, ++i);
      if (!image.is_object() || !image.contains("imageref") || !image["imageref"].is_string())
        refuse(where, "has no 'imageref'");
      if (!image.contains("position")) refuse(where, "has no 'position'");
      add_from_json(table, image["imageref"], image["position"], where + ".position");
    }
  } else {
    for (const auto& [name, position] : json.items())
      add_from_json(table, name, position, path + ": " + name);
  }
  return table;
}

PositionTable from_csv(const std::string& path) {
  const CsvTable csv = tidied(read_csv(path), path);
  const auto column = [&](std::initializer_list<const char*> names) {
    for (const char* name : names)
      if (const auto found = csv.column(name)) return *found;
    refuse(path, fmt::format("there is no column '{}'", *names.begin()));
  };
  const std::size_t name = column({"name", "image", "file", "filename", "photo", "path", "imageref"}),
                    latitude = column({"latitude", "lat", "latitude_deg"}),
                    longitude = column({"longitude", "lon", "lng", "longitude_deg"});
  const auto x = csv.column("x"), y = csv.column("y");
  PositionTable table;
  std::size_t line = 1;
  for (const auto& row : csv.rows) {
    const std::string where = fmt::format("{}: row {}", path, line++);
    const auto lat = csv_number(row[latitude], where), lon = csv_number(row[longitude], where);
    if (!lat || !lon)
      refuse(where,
             fmt::format("'{}' and '{}' are no latitude and longitude", row[latitude], row[longitude]));
    std::optional<PlanePosition> plane;
    if (x && y)
      if (const auto x_m = csv_number(row[*x], where), y_m = csv_number(row[*y], where); x_m && y_m)
        plane = {*x_m, *y_m};
    add_checked(table, row[name], {*lat, *lon}, plane, where);
  }
  return table;
}

std::string file_name(std::string_view path) {
  return std::filesystem::path(path).filename().string();
}

std::string stem_of(const std::string& file) {
  return std::filesystem::path(file).stem().string();
}

}  // namespace

void PositionTable::add(const std::string& name, LatLon position, std::optional<PlanePosition> plane) {
  require_position(position);
  const auto number = static_cast<std::int64_t>(positions_.size());
  const auto [known, is_new] = by_name_.try_emplace(name, number);
  if (!is_new) {
    positions_[static_cast<std::size_t>(known->second)] = position;
    plane_[static_cast<std::size_t>(known->second)] = plane;
    return;
  }
  names_.push_back(name);
  positions_.push_back(position);
  plane_.push_back(plane);
  const std::string file = file_name(name), stem = stem_of(file);
  const auto name_once = [number](auto& map, const std::string& shorter) {
    const auto [at, is_first] = map.try_emplace(shorter, number);
    if (!is_first && at->second != number) at->second = -1;
  };
  name_once(by_shorter_name_, file);
  name_once(by_shorter_name_, stem);
  name_once(by_frame_, frame_name(stem));
}

std::int64_t PositionTable::number(std::string_view path) const {
  if (const auto found = by_name_.find(std::string(path)); found != by_name_.end()) return found->second;
  const std::string file = file_name(path), stem = stem_of(file);
  for (const std::string& name : {file, stem})
    if (const auto found = by_shorter_name_.find(name); found != by_shorter_name_.end()) return found->second;
  const std::string told = image_in_vector_name(stem);
  const auto found = by_frame_.find(frame_name(told.empty() ? stem : stem_of(told)));
  return found == by_frame_.end() ? -1 : found->second;
}

std::optional<LatLon> PositionTable::find(std::string_view path) const {
  const std::int64_t at = number(path);
  return at < 0 ? std::nullopt : std::optional(positions_[static_cast<std::size_t>(at)]);
}

PositionTable read_positions(const std::string& path) {
  std::string ending = std::filesystem::path(path).extension().string();
  for (char& c : ending) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return ending == ".csv" ? from_csv(path) : from_json(path);
}

LatLon latlon_from_utm(double east_m, double north_m, int zone, char band) {
  const char letter = static_cast<char>(std::toupper(static_cast<unsigned char>(band)));
  if (zone < 1 || zone > 60 || letter < 'C' || letter > 'X' || letter == 'I' || letter == 'O')
    throw Error(fmt::format("UTM zone {}{}: expected 1 to 60 and a band from C to X", zone, band));
  const std::string system =
      fmt::format("+proj=utm +zone={} +ellps=WGS84{}", zone, letter < 'N' ? " +south" : "");
  const std::unique_ptr<PJ_CONTEXT, decltype(&proj_context_destroy)> context(proj_context_create(),
                                                                             &proj_context_destroy);
  const std::unique_ptr<PJ, decltype(&proj_destroy)> projection(proj_create(context.get(), system.c_str()),
                                                                &proj_destroy);
  if (!projection) throw Error(system + ": PROJ does not know it");
  const PJ_COORD position = proj_trans(projection.get(), PJ_INV, proj_coord(east_m, north_m, 0, 0));
  return {proj_todeg(position.lp.phi), proj_todeg(position.lp.lam)};
}

std::optional<LatLon> position_in_name(const std::string& path) {
  const std::string name = file_name(path);
  if (name.empty() || name.front() != '@') return std::nullopt;
  std::vector<std::string_view> fields;
  for (std::string_view rest = std::string_view(name).substr(1);;) {
    const auto cut = rest.find('@');
    fields.push_back(rest.substr(0, cut));
    if (cut == std::string_view::npos) break;
    rest.remove_prefix(cut + 1);
  }
  if (fields.size() < 4) return std::nullopt;
  const auto east = number_of(fields[0]), north = number_of(fields[1]), zone = number_of(fields[2]);
  if (!east || !north || !zone || fields[3].size() != 1) return std::nullopt;
  return latlon_from_utm(*east, *north, static_cast<int>(*zone), fields[3][0]);
}

std::optional<ImagePosition> position_of_image(const std::string& path) {
  if (const auto named = position_in_name(path)) return ImagePosition{*named, "name", {}};
  const PhotoMetadata metadata = read_metadata(path);
  if (metadata.latitude_deg && metadata.longitude_deg)
    return ImagePosition{{*metadata.latitude_deg, *metadata.longitude_deg}, "exif", metadata.warning};
  const std::string ending = std::filesystem::path(path).extension().string();
  if (ending == ".tif" || ending == ".tiff" || ending == ".TIF" || ending == ".TIFF") {
    try {
      const GeoMap map(path);
      return ImagePosition{map.latlon_from_pixel({map.width() / 2.0, map.height() / 2.0}), "geotiff", {}};
    } catch (const Failure&) {  // a TIFF without coordinates says nothing
    }
  }
  return std::nullopt;
}

ImagePositions positions_of_images(const std::vector<std::string>& paths) {
  ImagePositions result;
  Progress progress("positions", "images", paths.size());
  for (const std::string& path : paths) {
    progress.advance();
    try {
      if (const auto found = position_of_image(path)) {
        result.table.add(path, found->position);
        if (found->warning) result.doubtful.push_back({path, *found->warning});
      } else {
        result.skipped.push_back({path, "its name, EXIF and coordinates say no position"});
      }
    } catch (const Error& e) {
      result.skipped.push_back({path, e.what()});
    }
  }
  return result;
}

}  // namespace imatch
