// SPDX-License-Identifier: Apache-2.0
#include "geo/gdal_scope.h"

#include <cpl_error.h>
#include <cpl_string.h>
#include <cpl_vsi_virtual.h>
#include <gdal.h>
#include <gdal_frmts.h>
#include <ogr_srs_api.h>

#include <mutex>
#include <string_view>

namespace imatch {
namespace {

/// In the place of a file system of GDAL's: has no files.
class NoFiles final : public VSIFilesystemHandler {
 public:
  VSIVirtualHandle* Open(const char*, const char*, bool, CSLConstList) override { return nullptr; }
  int Stat(const char*, VSIStatBufL*, int) override { return -1; }
};

/// A file may name others, /vsicurl/http://... among them: no file system but the disk's and that in memory.
/// Nor does PROJ look for grids on the network.
void register_what_is_needed() {
  GDALRegister_GTiff();
  char** prefixes = VSIFileManager::GetPrefixes();
  for (char** prefix = prefixes; prefix && *prefix; ++prefix)
    if (const std::string_view name = *prefix; name.starts_with("/vsi") && name != "/vsimem/")
      VSIFileManager::InstallHandler(std::string(name), new NoFiles);  // stays until the end of the process
  CSLDestroy(prefixes);
  OSRSetPROJEnableNetwork(0);
}

}  // namespace

GdalScope::GdalScope() {
  static std::once_flag once;
  std::call_once(once, register_what_is_needed);
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
