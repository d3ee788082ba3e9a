// SPDX-License-Identifier: Apache-2.0
#include "geo/gdal_scope.h"

#include <cpl_error.h>
#include <gdal.h>
#include <gdal_frmts.h>

#include <mutex>

namespace imatch {

GdalScope::GdalScope() {
  static std::once_flag once;
  std::call_once(once, GDALRegister_GTiff);
  CPLPushErrorHandler(CPLQuietErrorHandler);
  CPLErrorReset();
}

GdalScope::~GdalScope() {
  CPLPopErrorHandler();
}

std::string GdalScope::message() const {
  std::string text = CPLGetLastErrorMsg();
  while (!text.empty() && (text.back() == '.' || text.back() == '\n')) text.pop_back();
  return text.empty() ? "no reason given" : text;
}

}  // namespace imatch
