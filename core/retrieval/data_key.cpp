// SPDX-License-Identifier: Apache-2.0
#include "retrieval/data_key.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/error.h"
#include "base/spelling.h"
#include "io/json_file.h"

namespace imatch {
namespace {

constexpr std::string_view kAltitudeReferences[] = {"agl", "amsl", "takeoff"};

[[noreturn]] void refuse_key(const std::string& where, const std::string& why) {
  throw Failure(code::kBadFormat, fmt::format("{}: {}", where, why));
}

const Json& member(const Json& object, const char* key, const std::string& where) {
  if (!object.is_object()) refuse_key(where, "expected an object");
  const auto found = object.find(key);
  if (found == object.end()) refuse_key(where, fmt::format("'{}' is missing", key));
  return *found;
}

std::string text_member(const Json& object, const char* key, const std::string& where) {
  const Json& value = member(object, key, where);
  if (!value.is_string()) refuse_key(where + "." + key, "expected a string, got " + value.dump());
  return value;
}

void require_known_keys(const Json& object, const std::vector<std::string>& known, const std::string& where) {
  for (const auto& [key, value] : object.items())
    if (std::find(known.begin(), known.end(), key) == known.end())
      refuse_key(where, fmt::format("'{}' is not known{}; known are {}", key, did_you_mean(key, known),
                                    joined(known)));
}

std::optional<double> number_of(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// <id>_<altitude>_<overlap>_<n>_<heading>, as reference captures are called.
void read_capture_name(Capture& capture) {
  std::array<std::string_view, 5> fields;
  std::string_view rest = capture.id;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const auto cut = rest.find('_');
    fields[i] = rest.substr(0, cut);
    if ((cut == std::string_view::npos) != (i + 1 == fields.size())) return;
    if (i + 1 < fields.size()) rest.remove_prefix(cut + 1);
  }
  if (!capture.altitude_m) capture.altitude_m = number_of(fields[1]);
  capture.heading_deg = number_of(fields[4]);
}

Capture read_capture(const std::string& id, const Json& value, const std::string& where) {
  Capture capture{.id = id, .label = id, .altitude_m = std::nullopt, .heading_deg = std::nullopt};
  if (value.is_string()) {
    capture.label = value;
  } else if (value.is_number()) {
    capture.altitude_m = value.get<double>();
  } else if (value.is_object()) {
    require_known_keys(value, {"label", "altitude"}, where);
    const Json& label = member(value, "label", where);
    capture.label = label.is_string() ? label.get<std::string>() : label.dump();
    if (value.contains("altitude") && value["altitude"].is_number())
      capture.altitude_m = value["altitude"].get<double>();
  } else {
    refuse_key(where, "expected {\"label\": ...}, a label or an altitude, got " + value.dump());
  }
  read_capture_name(capture);
  return capture;
}

NameTemplate read_template(const Json& dataset, const char* key, const std::string& where) {
  const std::string text = text_member(dataset, key, where);
  try {
    return NameTemplate(text);
  } catch (const Error& e) {
    refuse_key(where + "." + key, e.what());
  }
}

Dataset read_dataset(const std::string& key, const Json& json, const std::string& where) {
  if (!json.is_object()) refuse_key(where, "expected an object");
  require_known_keys(
      json, {"root", "folder_template", "filename_template", "images", "gt_sigma_m", "alt_ref", "yaw_source"},
      where);
  Dataset dataset;
  dataset.key = key;
  dataset.root = text_member(json, "root", where);
  dataset.folder = read_template(json, "folder_template", where);
  dataset.file = read_template(json, "filename_template", where);
  const Json& images = member(json, "images", where);
  if (!images.is_object()) refuse_key(where + ".images", "expected an object by capture id");
  for (const auto& [id, value] : images.items())
    dataset.captures.push_back(read_capture(id, value, where + ".images." + id));
  if (json.contains("gt_sigma_m")) {
    if (!json["gt_sigma_m"].is_number() || json["gt_sigma_m"].get<double>() < 0)
      refuse_key(where + ".gt_sigma_m", "expected metres >= 0, got " + json["gt_sigma_m"].dump());
    dataset.gt_sigma_m = json["gt_sigma_m"].get<double>();
  }
  if (json.contains("alt_ref")) {
    dataset.alt_ref = text_member(json, "alt_ref", where);
    if (std::find(std::begin(kAltitudeReferences), std::end(kAltitudeReferences), *dataset.alt_ref) ==
        std::end(kAltitudeReferences))
      refuse_key(where + ".alt_ref",
                 fmt::format("'{}' is not known; expected 'agl', 'amsl' or 'takeoff'", *dataset.alt_ref));
  }
  if (json.contains("yaw_source")) dataset.yaw_source = text_member(json, "yaw_source", where);
  return dataset;
}

WeightEntry read_weight(const std::string& alias, const std::string& folder, const Json& json,
                        const std::string& where) {
  if (!json.is_array() || json.size() != 3 || !json[0].is_string() || !json[1].is_string() ||
      !json[2].is_string())
    refuse_key(where, "expected [hub name, file, \"LVD\" or \"SAT\"], got " + json.dump());
  WeightEntry entry{
      .alias = alias, .folder = folder, .hub = json[0], .file = json[1], .normalization = json[2]};
  if (entry.normalization != "LVD" && entry.normalization != "SAT")
    refuse_key(where,
               fmt::format("normalisation '{}' is not known; expected 'LVD' or 'SAT'", entry.normalization));
  return entry;
}

}  // namespace

NameTemplate::NameTemplate(std::string_view text) {
  while (!text.empty()) {
    const auto open = text.find('{');
    if (open != 0) parts_.push_back({Part::Kind::kText, std::string(text.substr(0, open)), 0});
    if (open == std::string_view::npos) break;
    const auto close = text.find('}', open);
    if (close == std::string_view::npos)
      throw Error(fmt::format("'{}': the brace does not close", text.substr(open)));
    const std::string_view field = text.substr(open + 1, close - open - 1);
    if (field == "capture_id") {
      parts_.push_back({Part::Kind::kCaptureId, "", 0});
    } else if (field == "label") {
      parts_.push_back({Part::Kind::kLabel, "", 0});
    } else if (field == "frame") {
      parts_.push_back({Part::Kind::kFrame, "", 0});
    } else if (field.size() == 9 && field.starts_with("frame:0") && field[7] >= '1' && field[7] <= '9' &&
               field[8] == 'd') {
      parts_.push_back({Part::Kind::kFrame, "", field[7] - '0'});
    } else {
      throw Error(fmt::format(
          "'{{{}}}' is not known; known are {{capture_id}}, {{label}}, {{frame}} and {{frame:04d}}", field));
    }
    text.remove_prefix(close + 1);
  }
}

std::string NameTemplate::fill(const Capture& capture, std::int64_t frame) const {
  std::string text;
  for (const Part& part : parts_) switch (part.kind) {
      case Part::Kind::kText:
        text += part.text;
        break;
      case Part::Kind::kCaptureId:
        text += capture.id;
        break;
      case Part::Kind::kLabel:
        text += capture.label;
        break;
      case Part::Kind::kFrame:
        text += fmt::format("{:0{}}", frame, part.digits);
    }
  return text;
}

std::string NameTemplate::frame_text(std::int64_t frame) const {
  for (const Part& part : parts_)
    if (part.kind == Part::Kind::kFrame) return fmt::format("{:0{}}", frame, part.digits);
  return std::to_string(frame);
}

const Capture* Dataset::find(std::string_view capture_id) const {
  for (const Capture& capture : captures)
    if (capture.id == capture_id) return &capture;
  return nullptr;
}

const Dataset& DataKey::dataset(const std::string& key) const {
  std::vector<std::string> names;
  for (const Dataset& d : datasets) {
    if (d.key == key) return d;
    names.push_back(d.key);
  }
  refuse_key(path, fmt::format("datasets: there is no '{}'{}; there are {}", key, did_you_mean(key, names),
                               joined(names)));
}

const WeightEntry& DataKey::weight(const std::string& set, const std::string& alias) const {
  std::vector<std::string> sets;
  for (const auto& [name, entries] : weight_sets) {
    sets.push_back(name);
    if (name != set) continue;
    std::vector<std::string> names;
    for (const WeightEntry& entry : entries) {
      if (entry.alias == alias) return entry;
      names.push_back(entry.alias);
    }
    refuse_key(path, fmt::format("weights.{}: there is no alias '{}'{}; there are {}", set, alias,
                                 did_you_mean(alias, names), joined(names)));
  }
  refuse_key(path, fmt::format("weights: there is no set '{}'{}; there are {}", set, did_you_mean(set, sets),
                               joined(sets)));
}

DataKey read_data_key(const std::string& path) {
  const Json json = read_json(path);
  DataKey key;
  key.path = path;
  const Json& datasets = member(json, "datasets", path);
  if (!datasets.is_object()) refuse_key(path + ": datasets", "expected an object");
  for (const auto& [name, dataset] : datasets.items())
    key.datasets.push_back(read_dataset(name, dataset, path + ": datasets." + name));
  if (json.contains("weights")) {
    if (!json["weights"].is_object()) refuse_key(path + ": weights", "expected an object");
    for (const auto& [set, folders] : json["weights"].items()) {
      if (!folders.is_object()) refuse_key(path + ": weights." + set, "expected an object by folder");
      auto& entries = key.weight_sets.emplace_back(set, std::vector<WeightEntry>()).second;
      for (const auto& [folder, aliases] : folders.items()) {
        if (!aliases.is_object())
          refuse_key(fmt::format("{}: weights.{}.{}", path, set, folder), "expected an object by alias");
        for (const auto& [alias, entry] : aliases.items())
          entries.push_back(read_weight(alias, folder, entry,
                                        fmt::format("{}: weights.{}.{}.{}", path, set, folder, alias)));
      }
    }
  }
  return key;
}

}  // namespace imatch
