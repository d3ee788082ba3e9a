// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace imatch {

/// Keeps GDAL from printing on stderr while it lives, and keeps its last error message for ours.
/// The first one registers the GeoTIFF driver, so that programs which open no map do not pay for it, and
/// takes away GDAL's virtual file systems (/vsicurl/, /vsizip/ ...) and PROJ's network: maps are not trusted.
class GdalScope {
 public:
  GdalScope();
  ~GdalScope();
  GdalScope(const GdalScope&) = delete;
  GdalScope& operator=(const GdalScope&) = delete;

  /// What GDAL or PROJ last complained about inside this scope, or "no reason given".
  std::string message() const;
};

}  // namespace imatch
