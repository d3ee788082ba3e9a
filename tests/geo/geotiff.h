// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gdal.h>
#include <gdal_frmts.h>
#include <ogr_srs_api.h>

#include <array>
#include <functional>
#include <string>
#include <vector>

namespace imatch::testing {

/// What to write, by GDAL itself, into a GeoTIFF of one value for each (band, x, y).
struct Geotiff {
  int width = 0;
  int height = 0;
  int bands = 3;
  GDALDataType type = GDT_Byte;
  std::array<double, 6> geotransform{};
  int epsg = 0;                                         ///< 0: none.
  std::function<double(int band, int x, int y)> value;  ///< band from 0
  std::vector<std::string> creation{};
  std::function<void(GDALDatasetH)> finish{};  ///< Before it is closed: masks, nodata, palettes, overviews.

  void write(const std::string& path) const {
    GDALRegister_GTiff();
    std::vector<char*> settings;
    std::vector<std::string> texts = creation;
    for (std::string& text : texts) settings.push_back(text.data());
    settings.push_back(nullptr);
    const GDALDatasetH dataset =
        GDALCreate(GDALGetDriverByName("GTiff"), path.c_str(), width, height, bands, type, settings.data());
    if (geotransform != std::array<double, 6>{}) {
      std::array<double, 6> transform = geotransform;
      GDALSetGeoTransform(dataset, transform.data());
    }
    if (epsg) {
      const OGRSpatialReferenceH reference = OSRNewSpatialReference(nullptr);
      OSRImportFromEPSG(reference, epsg);
      GDALSetSpatialRef(dataset, reference);
      OSRRelease(reference);
    }
    std::vector<double> row(static_cast<std::size_t>(width));
    for (int band = 0; band < bands; ++band)
      for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) row[static_cast<std::size_t>(x)] = value(band, x, y);
        (void)!GDALRasterIO(GDALGetRasterBand(dataset, band + 1), GF_Write, 0, y, width, 1, row.data(), width,
                            1, GDT_Float64, 0, 0);
      }
    if (finish) finish(dataset);
    GDALClose(dataset);
  }
};

}  // namespace imatch::testing
