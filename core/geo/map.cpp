// SPDX-License-Identifier: Apache-2.0
#include "geo/map.h"

#include <fmt/format.h>
#include <gdal.h>
#include <ogr_srs_api.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <mutex>

#include "base/error.h"
#include "base/file.h"
#include "geo/gdal_scope.h"
#include "geo/map_problem.h"

namespace imatch {
namespace {

struct CloseDataset {
  void operator()(void* dataset) const { GDALClose(dataset); }
};
using Dataset = std::unique_ptr<void, CloseDataset>;

struct DestroyTransform {
  void operator()(void* transform) const {
    OCTDestroyCoordinateTransformation(static_cast<OGRCoordinateTransformationH>(transform));
  }
};
using Transform = std::unique_ptr<void, DestroyTransform>;

struct ReleaseSpatialReference {
  void operator()(void* reference) const { OSRRelease(reference); }
};
using SpatialReference = std::unique_ptr<void, ReleaseSpatialReference>;

/// How the bands of a file become colour.
struct Bands {
  int alpha = 0;            ///< 1-based; 0: none.
  std::vector<int> colour;  ///< 1-based: three for RGB, one for grey or palette.
  std::vector<std::array<std::uint8_t, 4>> palette;
  bool scaled = false;  ///< Values go through low..high rather than being 8-bit colour already.
  double low = 0;
  double high = 255;
};

Bands bands_of(GDALDatasetH dataset) {
  Bands bands;
  std::array<int, 3> rgb{};
  std::vector<int> plain;
  const int count = GDALGetRasterCount(dataset);
  for (int i = 1; i <= count; ++i) {
    switch (GDALGetRasterColorInterpretation(GDALGetRasterBand(dataset, i))) {
      case GCI_RedBand:
        rgb[0] = i;
        break;
      case GCI_GreenBand:
        rgb[1] = i;
        break;
      case GCI_BlueBand:
        rgb[2] = i;
        break;
      case GCI_AlphaBand:
        bands.alpha = i;
        break;
      default:
        plain.push_back(i);
    }
  }
  if (rgb[0] && rgb[1] && rgb[2])
    bands.colour.assign(rgb.begin(), rgb.end());
  else if (plain.size() >= 3)
    bands.colour.assign(plain.begin(), plain.begin() + 3);
  else if (!plain.empty())
    bands.colour.assign(1, plain.front());
  else
    bands.colour.assign(1, 1);

  const GDALRasterBandH first = GDALGetRasterBand(dataset, bands.colour.front());
  if (const GDALColorTableH table = GDALGetRasterColorTable(first); table && bands.colour.size() == 1) {
    const auto byte = [](short value) { return static_cast<std::uint8_t>(std::clamp<short>(value, 0, 255)); };
    for (int i = 0; i < GDALGetColorEntryCount(table); ++i) {
      const GDALColorEntry* e = GDALGetColorEntry(table, i);
      bands.palette.push_back({byte(e->c1), byte(e->c2), byte(e->c3), byte(e->c4)});
    }
    return bands;
  }
  bands.scaled = GDALGetRasterDataType(first) != GDT_Byte;
  // Fewer than 8 bits are stored in bytes as 0..2^n - 1.
  if (const char* bits = GDALGetMetadataItem(first, "NBITS", "IMAGE_STRUCTURE"); bits && !bands.scaled) {
    const int n = std::atoi(bits);
    if (n >= 1 && n < 8) {
      bands.scaled = true;
      bands.high = (1 << n) - 1;
    }
  }
  return bands;
}

std::string crs_name(OGRSpatialReferenceH reference) {
  const char* authority = OSRGetAuthorityName(reference, nullptr);
  const char* code = OSRGetAuthorityCode(reference, nullptr);
  if (authority && code) return fmt::format("{}:{}", authority, code);
  const char* name = OSRGetName(reference);
  return name ? name : "unnamed";
}

}  // namespace

struct GeoMap::Impl {
  std::string path;
  std::string crs;
  std::vector<Dataset> datasets;  // one a level
  std::vector<Level> levels;
  Bands bands;
  Transform wgs84_from_map;
  Transform map_from_wgs84;
  std::array<double, 6> map_from_pixel{};
  std::array<double, 6> pixel_from_map{};
  LocalFrame frame;
  double gsd_m = 0;
  bool in_degrees = false;
  mutable std::mutex mutex;  // neither datasets nor transforms may be shared by threads

  [[noreturn]] void fail(const std::string& reason) const {
    throw Failure(code::kBadFormat, fmt::format("{}: {}", path, reason));
  }
  void open_levels(const GdalScope& gdal, bool side_files);
  void open_georeference(const GdalScope& gdal);
  void choose_scale(const GeoMapOptions& options);
  std::vector<std::uint8_t> read_mask(int level, int x, int y, int w, int h) const;
  void raster_io(GDALRasterBandH band, int x, int y, int w, int h, void* out, GDALDataType type) const;
  Point2 transformed(const Transform& transform, Point2 p, const char* what) const;
};

void GeoMap::Impl::open_levels(const GdalScope& gdal, bool side_files) {
  static constexpr const char* kDrivers[] = {"GTiff", nullptr};
  const std::string name = std::filesystem::path(path).filename();
  const char* alone[] = {name.c_str(), nullptr};
  const auto open = [&](const char* const* settings) {
    return Dataset(GDALOpenEx(path.c_str(), GDAL_OF_RASTER | GDAL_OF_READONLY, kDrivers, settings,
                              side_files ? nullptr : alone));
  };
  datasets.push_back(open(nullptr));
  if (!datasets.front()) fail(why_no_geotiff(path, gdal.message()));
  const GDALDatasetH full = datasets.front().get();
  if (const char* other = GDALGetMetadataItem(full, "OVERVIEW_FILE", "OVERVIEWS"))
    fail(fmt::format(
        "the GeoTIFF names another file as its overviews, '{}'; `gdal_translate` makes one that does not",
        other));
  if (GDALGetRasterCount(full) < 1) fail("the GeoTIFF has no raster band");
  const int width = GDALGetRasterXSize(full);
  const int height = GDALGetRasterYSize(full);
  levels.push_back({width, height, 1, 1});
  const int overviews = GDALGetOverviewCount(GDALGetRasterBand(full, 1));
  for (int i = 0; i < overviews; ++i) {
    const std::string setting = fmt::format("OVERVIEW_LEVEL={}", i);
    const char* settings[] = {setting.c_str(), nullptr};
    Dataset overview = open(settings);
    if (!overview) continue;
    const int w = GDALGetRasterXSize(overview.get());
    const int h = GDALGetRasterYSize(overview.get());
    if (w < 1 || h < 1 || w >= levels.back().width || h >= levels.back().height)
      continue;  // fine to coarse only
    levels.push_back({w, h, static_cast<double>(width) / w, static_cast<double>(height) / h});
    datasets.push_back(std::move(overview));
  }
  bands = bands_of(full);
}

void GeoMap::Impl::open_georeference(const GdalScope& gdal) {
  const GDALDatasetH full = datasets.front().get();
  const OGRSpatialReferenceH stored = GDALGetSpatialRef(full);
  if (const std::string problem = why_no_place(full); !problem.empty()) fail(problem);
  GDALGetGeoTransform(full, map_from_pixel.data());
  if (!GDALInvGeoTransform(map_from_pixel.data(), pixel_from_map.data()))
    fail("the geotransform of the GeoTIFF cannot be inverted");
  crs = crs_name(stored);
  in_degrees = counts_in_degrees(full);

  const SpatialReference map(OSRClone(stored));
  const SpatialReference wgs84(OSRNewSpatialReference(nullptr));
  OSRImportFromEPSG(wgs84.get(), 4326);
  // x is the longitude or easting, whatever order the authority prescribes.
  OSRSetAxisMappingStrategy(map.get(), OAMS_TRADITIONAL_GIS_ORDER);
  OSRSetAxisMappingStrategy(wgs84.get(), OAMS_TRADITIONAL_GIS_ORDER);
  wgs84_from_map.reset(OCTNewCoordinateTransformation(map.get(), wgs84.get()));
  map_from_wgs84.reset(OCTNewCoordinateTransformation(wgs84.get(), map.get()));
  if (!wgs84_from_map || !map_from_wgs84)
    fail(fmt::format("no way from its coordinate system {} to WGS-84: {}", crs, gdal.message()));
}

/// For more than 8 bits: black and white at the outer percentiles of a coarse sample, unless they are given.
void GeoMap::Impl::choose_scale(const GeoMapOptions& options) {
  if (!bands.scaled ||
      GDALGetRasterDataType(GDALGetRasterBand(datasets[0].get(), bands.colour[0])) == GDT_Byte)
    return;
  constexpr int kSample = 512;
  const int w = std::min(levels[0].width, kSample);
  const int h = std::min(levels[0].height, kSample);
  std::vector<float> valid;
  for (const int index : bands.colour) {
    const GDALRasterBandH band = GDALGetRasterBand(datasets[0].get(), index);
    std::vector<float> values(static_cast<std::size_t>(w) * h);
    std::vector<std::uint8_t> mask(values.size());
    if (GDALRasterIO(band, GF_Read, 0, 0, levels[0].width, levels[0].height, values.data(), w, h, GDT_Float32,
                     0, 0) != CE_None ||
        GDALRasterIO(GDALGetMaskBand(band), GF_Read, 0, 0, levels[0].width, levels[0].height, mask.data(), w,
                     h, GDT_Byte, 0, 0) != CE_None)
      fail(std::string("cannot read the raster: ") + CPLGetLastErrorMsg());
    for (std::size_t i = 0; i < values.size(); ++i)
      if (mask[i] && std::isfinite(values[i])) valid.push_back(values[i]);
  }
  std::sort(valid.begin(), valid.end());
  const auto percentile = [&](double p) {
    return valid.empty() ? 0.0 : valid[static_cast<std::size_t>(p * static_cast<double>(valid.size() - 1))];
  };
  bands.low = options.value_low.value_or(percentile(0.01));
  bands.high = options.value_high.value_or(percentile(0.99));
  if (options.value_low && options.value_high && !(bands.low < bands.high))
    throw Error(fmt::format("value_high: {} is not allowed; expected more than value_low ({})", bands.high,
                            bands.low));
  if (!(bands.low < bands.high)) bands.high = bands.low + 1;  // one single value: black
}

void GeoMap::Impl::raster_io(GDALRasterBandH band, int x, int y, int w, int h, void* out,
                             GDALDataType type) const {
  if (!band || GDALRasterIO(band, GF_Read, x, y, w, h, out, w, h, type, 0, 0) != CE_None)
    fail(fmt::format("cannot read the window of {} x {} pixels at ({}, {}): {}", w, h, x, y,
                     CPLGetLastErrorMsg()));
}

/// 255 where there is data: by the file's mask; else by an alpha band, also beside a nodata value, as
/// rasterio has it; else a pixel counts while any of its colours has data.
std::vector<std::uint8_t> GeoMap::Impl::read_mask(int level, int x, int y, int w, int h) const {
  std::vector<std::uint8_t> mask(static_cast<std::size_t>(w) * h, 255);
  const GDALDatasetH dataset = datasets[level].get();
  const int flags = GDALGetMaskFlags(GDALGetRasterBand(dataset, bands.colour.front()));
  if (flags & GMF_ALL_VALID) return mask;
  if (bands.alpha > 0 && !(flags & GMF_PER_DATASET)) {
    std::vector<std::uint16_t> alpha(mask.size());
    const GDALRasterBandH band = GDALGetRasterBand(dataset, bands.alpha);
    raster_io(band, x, y, w, h, alpha.data(), GDT_UInt16);
    const unsigned half = GDALGetRasterDataType(band) == GDT_UInt16 ? 32768 : 128;
    for (std::size_t k = 0; k < mask.size(); ++k) mask[k] = alpha[k] >= half ? 255 : 0;
    return mask;
  }
  const std::size_t bands_to_read = flags & GMF_PER_DATASET ? 1 : bands.colour.size();
  std::fill(mask.begin(), mask.end(), std::uint8_t{0});
  std::vector<std::uint8_t> one(mask.size());
  for (std::size_t i = 0; i < bands_to_read; ++i) {
    raster_io(GDALGetMaskBand(GDALGetRasterBand(dataset, bands.colour[i])), x, y, w, h, one.data(), GDT_Byte);
    for (std::size_t k = 0; k < mask.size(); ++k)
      if (one[k] >= 128) mask[k] = 255;
  }
  return mask;
}

Point2 GeoMap::Impl::transformed(const Transform& transform, Point2 p, const char* what) const {
  const std::lock_guard lock(mutex);
  const GdalScope gdal;
  Point2 q = p;
  int success = 0;
  const auto handle = static_cast<OGRCoordinateTransformationH>(transform.get());
  if (!OCTTransformEx(handle, 1, &q.x, &q.y, nullptr, &success) || !success || !std::isfinite(q.x) ||
      !std::isfinite(q.y))
    throw Failure(code::kNoResult,
                  fmt::format("{}: ({}, {}) is outside {} of {}", path, p.x, p.y, what, crs));
  return q;
}

GeoMap::GeoMap(const std::string& path, const GeoMapOptions& options) : impl_(std::make_unique<Impl>()) {
  impl_->path = path;
  require_file(path);
  {
    const GdalScope gdal;
    impl_->open_levels(gdal, options.side_files);
    impl_->open_georeference(gdal);
    impl_->choose_scale(options);
  }
  const Point2 middle{width() / 2.0, height() / 2.0};
  impl_->frame = LocalFrame(latlon_from_pixel(middle));
  const Point2 right = ground_from_pixel({middle.x + 1, middle.y});
  const Point2 down = ground_from_pixel({middle.x, middle.y + 1});
  impl_->gsd_m = std::sqrt(std::abs(right.x * down.y - right.y * down.x));
}

GeoMap::~GeoMap() = default;

const std::string& GeoMap::path() const {
  return impl_->path;
}
const std::string& GeoMap::crs() const {
  return impl_->crs;
}
const std::vector<GeoMap::Level>& GeoMap::levels() const {
  return impl_->levels;
}
const LocalFrame& GeoMap::frame() const {
  return impl_->frame;
}
double GeoMap::gsd_m() const {
  return impl_->gsd_m;
}

LatLon GeoMap::latlon_from_pixel(Point2 pixel) const {
  Point2 map;
  GDALApplyGeoTransform(impl_->map_from_pixel.data(), pixel.x, pixel.y, &map.x, &map.y);
  const Point2 degrees = impl_->transformed(impl_->wgs84_from_map, map, "the coordinate system");
  return {degrees.y, std::remainder(degrees.x, 360)};
}

Point2 GeoMap::pixel_from_latlon(LatLon position) const {
  require_position(position);
  Point2 map = impl_->transformed(impl_->map_from_wgs84, {position.longitude_deg, position.latitude_deg},
                                  "the coverage");
  if (impl_->in_degrees) {  // of the longitudes 360 apart the one that is nearest to the map
    Point2 middle;
    GDALApplyGeoTransform(impl_->map_from_pixel.data(), width() / 2.0, height() / 2.0, &middle.x, &middle.y);
    map.x = middle.x + std::remainder(map.x - middle.x, 360);
  }
  Point2 pixel;
  GDALApplyGeoTransform(impl_->pixel_from_map.data(), map.x, map.y, &pixel.x, &pixel.y);
  return pixel;
}

MapPixels GeoMap::read(int level, int x, int y, int w, int h) const {
  if (level < 0 || level >= static_cast<int>(levels().size()))
    throw Error(
        fmt::format("level: {} is not allowed; {} has levels 0 to {}", level, path(), levels().size() - 1));
  const Level& size = levels()[level];
  if (w < 1 || h < 1 || x < 0 || y < 0 || w > size.width - x || h > size.height - y)
    throw Failure(
        code::kNoResult,
        fmt::format(
            "{}: the window of {} x {} pixels at ({}, {}) is not inside the {} x {} pixels of level {}",
            path(), w, h, x, y, size.width, size.height, level));
  const std::lock_guard lock(impl_->mutex);
  const GdalScope gdal;
  const Bands& bands = impl_->bands;
  const std::size_t count = static_cast<std::size_t>(w) * h;
  MapPixels pixels{w, h, std::vector<std::uint8_t>(count * 4)};
  const std::vector<std::uint8_t> mask = impl_->read_mask(level, x, y, w, h);
  for (std::size_t i = 0; i < count; ++i) pixels.rgba[4 * i + 3] = mask[i];

  std::vector<std::uint8_t> bytes;
  std::vector<float> floats;
  for (std::size_t channel = 0; channel < bands.colour.size(); ++channel) {
    const GDALRasterBandH band = GDALGetRasterBand(impl_->datasets[level].get(), bands.colour[channel]);
    std::uint8_t* out = pixels.rgba.data() + channel;
    if (!bands.scaled && bands.palette.empty()) {
      bytes.resize(count);
      impl_->raster_io(band, x, y, w, h, bytes.data(), GDT_Byte);
      for (std::size_t i = 0; i < count; ++i) out[4 * i] = bytes[i];
      continue;
    }
    floats.resize(count);
    impl_->raster_io(band, x, y, w, h, floats.data(), GDT_Float32);
    if (!bands.palette.empty()) {
      for (std::size_t i = 0; i < count; ++i) {
        const bool known = floats[i] >= 0 && floats[i] < static_cast<float>(bands.palette.size());
        const std::array<std::uint8_t, 4> colour =
            known ? bands.palette[static_cast<std::size_t>(floats[i])] : std::array<std::uint8_t, 4>{};
        std::copy_n(colour.begin(), 3, pixels.rgba.begin() + static_cast<std::ptrdiff_t>(4 * i));
        if (colour[3] < 128) pixels.rgba[4 * i + 3] = 0;
      }
      continue;
    }
    const auto low = static_cast<float>(bands.low);
    const auto gain = static_cast<float>(255 / (bands.high - bands.low));
    for (std::size_t i = 0; i < count; ++i) {
      const float value = (floats[i] - low) * gain;
      if (std::isnan(value))  // also what an infinite range makes of a number
        pixels.rgba[4 * i + 3] = 0;
      else
        out[4 * i] = static_cast<std::uint8_t>(std::clamp(value, 0.0f, 255.0f) + 0.5f);
    }
  }
  if (bands.colour.size() == 1 && bands.palette.empty())
    for (std::size_t i = 0; i < count; ++i)
      pixels.rgba[4 * i + 1] = pixels.rgba[4 * i + 2] = pixels.rgba[4 * i];
  return pixels;
}

}  // namespace imatch
