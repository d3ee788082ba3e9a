// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <tuple>

#include "base/field.h"

namespace imatch {

/// What a photo says of itself: EXIF, and the XMP of drones: DJI and Autel (drone-dji:, drone:), Skydio,
/// Parrot, and Pix4D's Camera: namespace, which senseFly, Parrot and MicaSense write. A field that the file
/// lacks, or that is damaged, is unset. `read_metadata` derives nothing: a heading, for one, is the caller's
/// choice between track, image direction, gimbal and flight yaw.
struct PhotoMetadata {
  std::optional<double> latitude_deg;
  std::optional<double> longitude_deg;
  std::optional<double> altitude_m;
  std::optional<double> gps_track_deg;
  std::optional<std::string> gps_track_ref;
  std::optional<double> gps_image_direction_deg;
  std::optional<std::string> gps_image_direction_ref;
  std::optional<std::string> date_time_original;
  std::optional<std::string> make;
  std::optional<std::string> model;
  std::optional<double> focal_length_mm;
  std::optional<double> focal_length_35mm_mm;
  int orientation = 1;
  std::optional<double> relative_altitude_m;
  std::optional<double> absolute_altitude_m;
  std::optional<double> gimbal_yaw_deg;
  std::optional<double> gimbal_pitch_deg;
  std::optional<double> gimbal_roll_deg;
  std::optional<double> flight_yaw_deg;
  std::optional<double> flight_pitch_deg;
  std::optional<double> flight_roll_deg;
  std::optional<std::string> warning;

  using Self = PhotoMetadata;
  static constexpr auto fields = std::tuple{
      field("latitude_deg", &Self::latitude_deg, in_range(-90, 90),
            "North positive; WGS 84. EXIF GPSLatitude; where EXIF has no position, XMP's (DJI GpsLatitude, "
            "Latitude, exif:GPSLatitude). 0, 0 is what receivers write without a fix, and unset."),
      field("longitude_deg", &Self::longitude_deg, in_range(-180, 180),
            "East positive; as latitude_deg (DJI GpsLongitude, GpsLongtitude)."),
      field("altitude_m", &Self::altitude_m, anything(), "EXIF GPSAltitude above sea level, negative below."),
      field("gps_track_deg", &Self::gps_track_deg, in_range(0, 360), "EXIF GPSTrack: direction of movement."),
      field("gps_track_ref", &Self::gps_track_ref, anything(), "'T' true north, 'M' magnetic north."),
      field("gps_image_direction_deg", &Self::gps_image_direction_deg, in_range(0, 360),
            "EXIF GPSImgDirection: where the camera points."),
      field("gps_image_direction_ref", &Self::gps_image_direction_ref, anything(),
            "'T' true north, 'M' magnetic north."),
      field("date_time_original", &Self::date_time_original, anything(),
            "EXIF DateTimeOriginal, else DateTime: 'YYYY:MM:DD HH:MM:SS', local time of the camera."),
      field("make", &Self::make, anything(), "EXIF Make."),
      field("model", &Self::model, anything(), "EXIF Model."),
      field("focal_length_mm", &Self::focal_length_mm, anything(), "EXIF FocalLength."),
      field("focal_length_35mm_mm", &Self::focal_length_35mm_mm, anything(),
            "EXIF FocalLengthIn35mmFilm: the focal length that gives the same field of view on 36 x 24 mm."),
      field("orientation", &Self::orientation, in_range(1, 8),
            "EXIF Orientation, else XMP's tiff:Orientation; 1: upright as stored."),
      field("relative_altitude_m", &Self::relative_altitude_m, anything(),
            "Above the take-off point: RelativeAltitude of DJI, Autel and Skydio; else above ground: "
            "Camera:AboveGroundAltitude."),
      field("absolute_altitude_m", &Self::absolute_altitude_m, anything(),
            "AbsoluteAltitude of the same makers: above sea level."),
      field("gimbal_yaw_deg", &Self::gimbal_yaw_deg, anything(),
            "Of the camera, clockwise from north: GimbalYawDegree (DJI, Autel), CameraOrientationNED/Yaw "
            "(Skydio), CameraYawDegree (Parrot), Camera:Yaw (Pix4D, senseFly)."),
      field("gimbal_pitch_deg", &Self::gimbal_pitch_deg, anything(),
            "Of the camera, -90: straight down, likewise. Camera:Pitch, which is 0 straight down, minus 90."),
      field("gimbal_roll_deg", &Self::gimbal_roll_deg, anything(), "Of the camera, likewise."),
      field("flight_yaw_deg", &Self::flight_yaw_deg, anything(),
            "Of the aircraft, clockwise from north: FlightYawDegree (DJI, Autel), VehicleOrientationNED/Yaw "
            "(Skydio), DroneYawDegree (Parrot)."),
      field("flight_pitch_deg", &Self::flight_pitch_deg, anything(), "Of the aircraft, likewise."),
      field("flight_roll_deg", &Self::flight_roll_deg, anything(), "Of the aircraft, likewise."),
      field("warning", &Self::warning, anything(),
            "What is doubtful about the position: no hemisphere letters, or letters that contradict its "
            "signs.")};
};

/// Reads the file's header and metadata blocks, no pixels. JPEG, PNG (also in text profiles), TIFF and WebP
/// carry EXIF and XMP; of a BMP all fields are unset. Throws Failure: not_found, not_a_file, unreadable,
/// bad_format (not a picture).
PhotoMetadata read_metadata(const std::string& path);

}  // namespace imatch
