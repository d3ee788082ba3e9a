// SPDX-License-Identifier: Apache-2.0
#include "image/metadata.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <initializer_list>
#include <utility>

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

/// One coordinate, and whether its letter was there and agreed.
struct Coordinate {
  Number degrees;
  bool has_letter = false;
  bool contradictory = false;
};

/// Degrees, minutes and seconds; some writers leave the later ones out, some write signed numbers beside the
/// letter:
/// "-33 51 35.9, S" is south once.
Coordinate angle(const TiffDirectory& gps, std::uint16_t value, std::uint16_t ref, std::string_view letters,
                 double limit) {
  Coordinate result;
  const Number degrees = gps.number(value);
  if (!degrees) return result;
  const double minutes = gps.number(value, 1).value_or(0), seconds = gps.number(value, 2).value_or(0);
  const bool is_negative = std::signbit(*degrees) || minutes < 0 || seconds < 0;
  double size = std::abs(*degrees) + std::abs(minutes) / 60 + std::abs(seconds) / 3600;
  const auto side = gps.text(ref);
  const char letter = side ? static_cast<char>(std::toupper(static_cast<unsigned char>(side->front()))) : ' ';
  result.has_letter = letters.find(letter) != letters.npos;
  result.contradictory = is_negative && letter == letters[0];
  if (is_negative || letter == letters[1]) size = -size;
  if (std::isfinite(size) && std::abs(size) <= limit) result.degrees = size;
  return result;
}

Number bearing(const TiffDirectory& gps, std::uint16_t tag) {
  const Number value = gps.number(tag);
  return value && *value >= 0 && *value <= 360 ? value : Number{};
}

/// 0, 0 is a receiver without a fix.
void take_position(Number latitude, Number longitude, PhotoMetadata& photo) {
  if (latitude == 0.0 && longitude == 0.0) return;
  photo.latitude_deg = latitude;
  photo.longitude_deg = longitude;
}

void take_gps(const TiffDirectory& gps, PhotoMetadata& photo) {
  const Coordinate latitude = angle(gps, tag::kGpsLatitude, tag::kGpsLatitudeRef, "NS", 90);
  const Coordinate longitude = angle(gps, tag::kGpsLongitude, tag::kGpsLongitudeRef, "EW", 180);
  take_position(latitude.degrees, longitude.degrees, photo);
  if (!photo.latitude_deg || !photo.longitude_deg) {
    // Half a position, or none: nothing to doubt.
  } else if (latitude.contradictory || longitude.contradictory) {
    photo.warning = "the GPS position is negative beside the letter N or E: the sign is taken";
  } else if (!latitude.has_letter || !longitude.has_letter) {
    photo.warning = "the GPS position has no hemisphere letter: its signs are taken as they are";
  }
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

/// "44,30.8148N", or "44,30,48.9N": how XMP writes what EXIF has.
Number xmp_angle(const XmpProperties& xmp, std::string_view path, std::string_view letters) {
  const std::string* text = xmp.find("exif", path);
  if (!text || text->empty() || letters.find(text->back()) == letters.npos) return {};
  const char *at = text->data(), *end = text->data() + text->size() - 1;
  double degrees = 0, unit = 1;
  while (at < end) {
    double value = 0;
    const auto [stop, error] = std::from_chars(at, end, value);
    if (error != std::errc{} || value < 0 || unit > 3600 || (stop != end && *stop != ',')) return {};
    degrees += value / unit;
    unit *= 60;
    at = stop + 1;
  }
  return text->back() == letters[1] ? -degrees : degrees;
}

/// The first that is there.
Number first_of(const XmpProperties& xmp, std::initializer_list<std::pair<const char*, const char*>> places) {
  for (const auto& [space, path] : places)
    if (const Number value = xmp.number(space, path)) return value;
  return {};
}

void take_xmp(const XmpProperties& xmp, PhotoMetadata& photo) {
  if (!photo.latitude_deg || !photo.longitude_deg) {
    // DJI misspelt the longitude for years.
    Number latitude = first_of(xmp, {{"", "GpsLatitude"}, {"", "GPSLatitude"}, {"", "Latitude"}});
    Number longitude =
        first_of(xmp, {{"", "GpsLongitude"}, {"", "GpsLongtitude"}, {"", "GPSLongitude"}, {"", "Longitude"}});
    if (!latitude || !longitude) {
      latitude = xmp_angle(xmp, "GPSLatitude", "NS");
      longitude = xmp_angle(xmp, "GPSLongitude", "EW");
    }
    if (latitude && longitude && std::abs(*latitude) <= 90 && std::abs(*longitude) <= 180)
      take_position(latitude, longitude, photo);
  }
  // Pix4D's address (http://pix4d.com/camera/1.0) or prefix.
  photo.relative_altitude_m = first_of(
      xmp, {{"", "RelativeAltitude"}, {"pix4d", "AboveGroundAltitude"}, {"camera", "AboveGroundAltitude"}});
  photo.absolute_altitude_m = xmp.number("", "AbsoluteAltitude");
  photo.gimbal_yaw_deg = first_of(xmp, {{"", "GimbalYawDegree"},
                                        {"", "CameraOrientationNED/Yaw"},
                                        {"", "CameraYawDegree"},
                                        {"pix4d", "Yaw"},
                                        {"camera", "Yaw"}});
  photo.gimbal_pitch_deg = first_of(
      xmp, {{"", "GimbalPitchDegree"}, {"", "CameraOrientationNED/Pitch"}, {"", "CameraPitchDegree"}});
  if (!photo.gimbal_pitch_deg)
    if (const Number from_below = first_of(xmp, {{"pix4d", "Pitch"}, {"camera", "Pitch"}}))
      photo.gimbal_pitch_deg = *from_below - 90;
  photo.gimbal_roll_deg = first_of(xmp, {{"", "GimbalRollDegree"},
                                         {"", "CameraOrientationNED/Roll"},
                                         {"", "CameraRollDegree"},
                                         {"pix4d", "Roll"},
                                         {"camera", "Roll"}});
  photo.flight_yaw_deg =
      first_of(xmp, {{"", "FlightYawDegree"}, {"", "VehicleOrientationNED/Yaw"}, {"", "DroneYawDegree"}});
  photo.flight_pitch_deg = first_of(
      xmp, {{"", "FlightPitchDegree"}, {"", "VehicleOrientationNED/Pitch"}, {"", "DronePitchDegree"}});
  photo.flight_roll_deg =
      first_of(xmp, {{"", "FlightRollDegree"}, {"", "VehicleOrientationNED/Roll"}, {"", "DroneRollDegree"}});
}

}  // namespace

PhotoMetadata read_metadata(const std::string& path) {
  const FileSource source(path);
  const PictureHeader header = read_picture_header(source, path);
  PhotoMetadata photo;
  photo.orientation = header.orientation;
  if (header.exif) take_exif(*header.exif, photo);
  if (!header.xmp.empty()) take_xmp(XmpProperties(header.xmp), photo);
  return photo;
}

}  // namespace imatch
