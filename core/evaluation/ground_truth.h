// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "geo/distance.h"
#include "retrieval/skipped_file.h"

namespace imatch {

/// A position in metres in the plane that a label index has beside latitude and longitude.
struct PlanePosition {
  double x_m = 0;
  double y_m = 0;
};

/// Positions by the name of an image, in the order in which they were added.
class PositionTable {
 public:
  /// Throws Error for a position that is none.
  void add(const std::string& name, LatLon position, std::optional<PlanePosition> plane = {});
  /// The number of an image: by the path as it stands, else by its file name, else by that without its
  /// ending, else by the frame that it tells of (frame_name, image_in_vector_name); -1 when it is not there,
  /// or when several share the shorter name.
  std::int64_t number(std::string_view path) const;
  std::optional<LatLon> find(std::string_view path) const;

  std::size_t size() const { return positions_.size(); }
  const std::vector<LatLon>& positions() const { return positions_; }
  /// As many; none where the table has no x and y for an image.
  const std::vector<std::optional<PlanePosition>>& plane() const { return plane_; }
  const std::string& name(std::int64_t number) const { return names_[static_cast<std::size_t>(number)]; }

 private:
  std::vector<std::string> names_;
  std::vector<LatLon> positions_;
  std::vector<std::optional<PlanePosition>> plane_;
  std::unordered_map<std::string, std::int64_t> by_name_;
  std::unordered_map<std::string, std::int64_t> by_shorter_name_;  ///< File names and stems; -1: of several.
  std::unordered_map<std::string, std::int64_t> by_frame_;         ///< Likewise by frame_name.
};

/// Reads an annotation JSON (images[]{imageref, position{latitude, longitude, x, y}}), a label index made
/// from one ({imageref: {lat, lon, x, y}}), or a CSV table with named columns (name, image, file or path;
/// latitude or lat; longitude or lon; x, y; in small or capital letters, between commas, semicolons or tabs).
/// x and y, metres, may be missing. Throws Failure: not_found, not_a_file, unreadable; bad_format naming the
/// file and the key or line: no coordinates, a latitude beyond 90.
PositionTable read_positions(const std::string& path);

/// UTM coordinates on WGS 84. Throws Error for a zone that is not in [1, 60] or a latitude band that is none.
LatLon latlon_from_utm(double east_m, double north_m, int zone, char band);

/// The position that an image's name says: @<UTM east>@<UTM north>@<zone>@<band>@..., as the data sets of
/// visual place recognition have it. nullopt for another name.
std::optional<LatLon> position_in_name(const std::string& path);

/// Where a picture says that it is, and why that may be doubted (PhotoMetadata::warning).
struct ImagePosition {
  LatLon position;
  std::string source;  ///< "name", "exif" (or XMP) or "geotiff", its centre
  std::optional<std::string> warning;
};

/// nullopt when it says nothing.
std::optional<ImagePosition> position_of_image(const std::string& path);

/// Positions by path, and the files that have none, or one to doubt, with the reason.
struct ImagePositions {
  PositionTable table;
  std::vector<SkippedFile> skipped, doubtful;
};
ImagePositions positions_of_images(const std::vector<std::string>& paths);

}  // namespace imatch
