// SPDX-License-Identifier: Apache-2.0
#include "retrieval/image_name.h"

#include <fmt/format.h>

#include <algorithm>

namespace imatch {
namespace {

constexpr std::string_view kDigits = "0123456789";

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of(kDigits) == std::string_view::npos;
}

/// Without the "_rot045_crop50" of a reference made from a photo.
std::string_view without_view(std::string_view stem) {
  const auto crop = stem.rfind("_crop");
  if (crop == std::string_view::npos || !is_number(stem.substr(crop + 5))) return stem;
  const auto rotation = stem.substr(0, crop).rfind("_rot");
  if (rotation == std::string_view::npos || !is_number(stem.substr(rotation + 4, crop - rotation - 4)))
    return stem;
  return stem.substr(0, rotation);
}

/// Where the digits begin that a name ends in.
std::size_t begin_of_frame(std::string_view stem) {
  return stem.find_last_not_of(kDigits) + 1;
}

}  // namespace

std::string image_in_vector_name(std::string_view stem) {
  auto normalization = std::min(stem.rfind("_LVD_"), stem.rfind("_SAT_"));
  if (normalization == std::string_view::npos) return "";
  std::string_view rest = without_view(stem.substr(normalization + 5));
  auto frame = begin_of_frame(rest);
  if (frame == rest.size()) {  // <capture>_<frame>_ and more
    const auto after_capture = rest.find('_'), after_frame = rest.find('_', after_capture + 1);
    if (after_capture == std::string_view::npos || after_frame == std::string_view::npos) return "";
    rest = rest.substr(0, after_frame);
    frame = begin_of_frame(rest);
  }
  if (frame < 2 || frame == rest.size() || rest[frame - 1] != '_') return "";
  return fmt::format("{}_{:0>5}.jpg", rest.substr(0, frame - 1), rest.substr(frame));
}

std::string frame_name(std::string_view stem) {
  const std::string_view name = without_view(stem);
  const auto frame = begin_of_frame(name);
  if (frame == 0 || frame == name.size() || name[frame - 1] != '_') return std::string(name);
  const auto digits = std::min(name.find_first_not_of('0', frame), name.size() - 1);
  return fmt::format("{}{}", name.substr(0, frame), name.substr(digits));
}

}  // namespace imatch
