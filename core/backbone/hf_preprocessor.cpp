// SPDX-License-Identifier: Apache-2.0
#include "backbone/hf_preprocessor.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string_view>

#include "backbone/hf_folder.h"
#include "base/error.h"
#include "io/json_file.h"

namespace imatch {
namespace {

/// What the class of an image processor does where the file says nothing.
struct ProcessorClass {
  std::string_view name;
  const char* arithmetic;
  int resample;
  bool square;  ///< A size of one number is a square's, else the shorter side's.
  int crop_px;  ///< 0: it does not crop.
  Normalization normalization;
};

constexpr ProcessorClass kProcessorClasses[] = {
    {"DINOv3ViTImageProcessor", "float", 2, true, 0, {{0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 0.225f}}},
    {"BitImageProcessor",
     "uint8",
     3,
     false,
     224,
     {{0.48145466f, 0.4578275f, 0.40821073f}, {0.26862954f, 0.26130258f, 0.27577711f}}},
};
constexpr int kDefaultSide = 224;

/// Understood, or of no consequence for pictures that are RGB and go in one by one.
constexpr std::string_view kKnownEntries[] = {"image_processor_type",
                                              "feature_extractor_type",
                                              "processor_class",
                                              "size",
                                              "crop_size",
                                              "resample",
                                              "do_resize",
                                              "do_center_crop",
                                              "do_rescale",
                                              "rescale_factor",
                                              "do_normalize",
                                              "image_mean",
                                              "image_std",
                                              "do_convert_rgb",
                                              "default_to_square",
                                              "data_format",
                                              "input_data_format",
                                              "device",
                                              "return_tensors",
                                              "disable_grouping",
                                              "do_pad",
                                              "pad_size"};

class ProcessorFile {
 public:
  ProcessorFile(const Json& config, const std::string& name) : config_(config), name_(name) {
    if (!config.is_object()) refuse("expected a table of keys");
    for (const auto& [key, value] : config.items())
      if (!value.is_null() && std::ranges::find(kKnownEntries, key) == std::end(kKnownEntries))
        refuse(fmt::format("'{}' is not understood, its value is {}", key, value.dump()));
  }

  [[noreturn]] void refuse(const std::string& what) const {
    throw Failure(code::kBadFormat, name_ + ": " + what);
  }
  [[noreturn]] void refuse(const char* key, const char* expected) const {
    refuse(fmt::format("'{}' is {}; expected {}", key, config_.at(key).dump(), expected));
  }

  bool flag(const char* key, bool missing) const { return config_flag(config_, key, missing); }
  double number(const char* key, double missing) const { return config_number(config_, key, missing); }

  const ProcessorClass& type() const {
    std::string name = config_text(config_, "image_processor_type", "");
    if (name.ends_with("Fast")) name.resize(name.size() - 4);
    for (const ProcessorClass& known : kProcessorClasses)
      if (known.name == name) return known;
    refuse(
        fmt::format("image_processor_type: '{}' is not allowed; expected 'DINOv3ViTImageProcessor' or "
                    "'BitImageProcessor'",
                    name));
  }

  /// {"height": , "width": }, a number (a square), or {"shortest_edge": } where that is allowed.
  ProcessorSteps size(const char* key, ProcessorSteps missing, bool square) const {
    if (!config_.contains(key) || config_[key].is_null()) return missing;
    const Json& value = config_[key];
    const auto side = [&](const Json& number) {
      if (!number.is_number_integer() || number < 1 || number > 4096) refuse(key, "sides of 1 to 4096 px");
      return number.get<int>();
    };
    if (value.is_number()) {
      if (square) return {.stretched = ImageSize{side(value), side(value)}};
      return {.shorter_px = side(value)};
    }
    if (value.is_object() && value.size() == 2 && value.contains("height") && value.contains("width"))
      return {.stretched = ImageSize{side(value["width"]), side(value["height"])}};
    if (value.is_object() && value.size() == 1 && value.contains("shortest_edge"))
      return {.shorter_px = side(value["shortest_edge"])};
    refuse(key, "{height, width}, {shortest_edge} or a number");
  }

  std::array<float, 3> channels(const char* key, const std::array<float, 3>& missing) const {
    if (!config_.contains(key) || config_[key].is_null()) return missing;
    const Json& value = config_[key];
    const bool fits = value.is_array() && value.size() == 3 &&
                      std::ranges::all_of(value, [](const Json& v) { return v.is_number(); });
    if (!fits) refuse(key, "three numbers");
    return value.get<std::array<float, 3>>();
  }

  const char* interpolation(int missing) const {
    const double resample = number("resample", missing);
    if (resample == 2) return "bilinear";
    if (resample == 3) return "bicubic";
    refuse("resample", "2 (bilinear) or 3 (bicubic)");
  }

 private:
  const Json& config_;
  const std::string& name_;
};

/// With the samples divided by 255, what multiplying them by rescale_factor and then normalising gives.
Normalization normalization_in(const ProcessorFile& file, const ProcessorClass& type) {
  Normalization by;
  if (file.flag("do_normalize", true))
    by = {file.channels("image_mean", type.normalization.mean),
          file.channels("image_std", type.normalization.std)};
  if (std::ranges::min(by.std) <= 0) file.refuse("image_std", "numbers greater than 0");
  const double factor = file.flag("do_rescale", true) ? file.number("rescale_factor", 1.0 / 255) : 1.0;
  if (!(factor > 0)) file.refuse("rescale_factor", "a number greater than 0");
  if (std::abs(factor * 255 - 1) < 1e-6) return by;
  for (std::size_t c = 0; c < 3; ++c) {
    by.mean[c] = static_cast<float>(by.mean[c] / (255 * factor));
    by.std[c] = static_cast<float>(by.std[c] / (255 * factor));
  }
  return by;
}

}  // namespace

HfPreprocessor parse_hf_preprocessor(const Json& config, const std::string& name, int shorter_px) {
  const ProcessorFile file(config, name);
  const ProcessorClass& type = file.type();
  if (file.flag("do_pad", false)) file.refuse("do_pad", "false");
  HfPreprocessor result{.steps = {},
                        .interpolation = file.interpolation(type.resample),
                        .arithmetic = type.arithmetic,
                        .normalization = normalization_in(file, type)};
  const ImageSize square{kDefaultSide, kDefaultSide};
  const ProcessorSteps size = file.size(
      "size", type.square ? ProcessorSteps{.stretched = square} : ProcessorSteps{.shorter_px = kDefaultSide},
      file.flag("default_to_square", type.square));
  if (file.flag("do_resize", true))
    result.steps = shorter_px > 0 ? ProcessorSteps{.shorter_px = shorter_px} : size;
  const ProcessorSteps crop =
      file.size("crop_size", {.stretched = ImageSize{type.crop_px, type.crop_px}}, true);
  if (file.flag("do_center_crop", type.crop_px > 0)) {
    if (!crop.stretched || crop.stretched->width == 0) file.refuse("crop_size: expected {height, width}");
    result.steps.crop = crop.stretched;
  }
  return result;
}

HfPreprocessor read_hf_preprocessor(const std::string& folder, int shorter_px) {
  const std::string path = folder + "/" + kHfPreprocessorFile;
  if (!std::filesystem::exists(path))
    throw Failure(code::kNotFound, path +
                                       ": no such file, which resize = 'processor' asks for; use resize = "
                                       "'shorter_cut', interpolation and arithmetic without it");
  return parse_hf_preprocessor(read_json(path), path, shorter_px);
}

}  // namespace imatch
