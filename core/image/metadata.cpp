// SPDX-License-Identifier: Apache-2.0
#include "image/metadata.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <map>

#include "image/byte_source.h"
#include "image/exif.h"
#include "image/picture_header.h"
#include "image/xmp.h"

namespace imatch {
namespace {

using Number = std::optional<double>;

/// Printable ASCII as it is, all else as '?': what is not valid UTF-8 could not be written to a report.
std::optional<std::string> printable(std::optional<std::string> text) {
  if (text)
    for (char& c : *text)
      if (c < ' ' || c > '~') c = '?';
  return text;
}

/// Degrees, minutes and seconds; some writers leave the later ones out.
Number angle(const TiffDirectory& gps, std::uint16_t value, std::uint16_t ref, char negative, double limit) {
  const Number degrees = gps.number(value);
  if (!degrees) return {};
  double result = *degrees + gps.number(value, 1).value_or(0) / 60 + gps.number(value, 2).value_or(0) / 3600;
  const auto side = gps.text(ref);
  if (side && (side->front() == negative || side->front() == std::tolower(negative))) result = -result;
  if (!std::isfinite(result) || std::abs(result) > limit) return {};
  return result;
}

Number bearing(const TiffDirectory& gps, std::uint16_t tag) {
  const Number value = gps.number(tag);
  return value && *value >= 0 && *value <= 360 ? value : Number{};
}

void take_gps(const TiffDirectory& gps, PhotoMetadata& photo) {
  photo.latitude_deg = angle(gps, tag::kGpsLatitude, tag::kGpsLatitudeRef, 'S', 90);
  photo.longitude_deg = angle(gps, tag::kGpsLongitude, tag::kGpsLongitudeRef, 'W', 180);
  photo.altitude_m = gps.number(tag::kGpsAltitude);
  if (photo.altitude_m && gps.integer(tag::kGpsAltitudeRef) == 1)
    photo.altitude_m = -std::abs(*photo.altitude_m);
  photo.gps_track_deg = bearing(gps, tag::kGpsTrack);
  photo.gps_track_ref = printable(gps.text(tag::kGpsTrackRef));
  photo.gps_image_direction_deg = bearing(gps, tag::kGpsImageDirection);
  photo.gps_image_direction_ref = printable(gps.text(tag::kGpsImageDirectionRef));
}

void take_exif(const TiffDirectory& main, PhotoMetadata& photo) {
  photo.make = printable(main.text(tag::kMake));
  photo.model = printable(main.text(tag::kModel));
  photo.date_time_original = printable(main.text(tag::kDateTime));
  if (const auto exif = main.child(tag::kExifDirectory)) {
    if (const auto original = printable(exif->text(tag::kDateTimeOriginal)))
      photo.date_time_original = original;
    photo.focal_length_mm = exif->number(tag::kFocalLength);
    photo.focal_length_35mm_mm = exif->number(tag::kFocalLengthIn35mm);
    if (photo.focal_length_35mm_mm == 0.0) photo.focal_length_35mm_mm.reset();  // Exif: 0 is unknown
  }
  if (const auto gps = main.child(tag::kGpsDirectory)) take_gps(*gps, photo);
}

Number number_from(const std::map<std::string, std::string>& properties, const char* name) {
  const auto found = properties.find(name);
  if (found == properties.end()) return {};
  std::string_view text = found->second;
  text.remove_prefix(std::min(text.size(), text.find_first_not_of(" \t\r\n")));
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || !std::isfinite(value)) return {};
  return value;
}

void take_xmp(const std::map<std::string, std::string>& properties, PhotoMetadata& photo) {
  photo.relative_altitude_m = number_from(properties, "RelativeAltitude");
  photo.absolute_altitude_m = number_from(properties, "AbsoluteAltitude");
  photo.gimbal_yaw_deg = number_from(properties, "GimbalYawDegree");
  photo.gimbal_pitch_deg = number_from(properties, "GimbalPitchDegree");
  photo.gimbal_roll_deg = number_from(properties, "GimbalRollDegree");
  photo.flight_yaw_deg = number_from(properties, "FlightYawDegree");
  photo.flight_pitch_deg = number_from(properties, "FlightPitchDegree");
  photo.flight_roll_deg = number_from(properties, "FlightRollDegree");
}

/// A packet is a few kilobytes; more than this is damage.
constexpr std::uint64_t kLargestXmp = 16 << 20;

}  // namespace

PhotoMetadata read_metadata(const std::string& path) {
  const FileSource source(path);
  const PictureHeader header = read_picture_header(source, path);
  PhotoMetadata photo;
  photo.orientation = header.orientation;
  if (header.exif) take_exif(*header.exif, photo);
  if (header.xmp_size > 0 && header.xmp_size <= kLargestXmp)
    if (const auto packet = source.text(header.xmp_offset, static_cast<std::size_t>(header.xmp_size)))
      take_xmp(xmp_properties(*packet), photo);
  return photo;
}

}  // namespace imatch
