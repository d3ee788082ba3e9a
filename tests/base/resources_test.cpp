// SPDX-License-Identifier: Apache-2.0
#include "base/resources.h"

#include <filesystem>
#include "catch.h"

#include "base/error.h"
#include "base/sha256.h"
#include "base/version.h"

namespace imatch {
namespace {

namespace fs = std::filesystem;

TEST_CASE("in a build tree the program's folders are those of the sources") {
  CHECK(fs::is_directory(resource_folder("lua") + "/imatch"));
  CHECK(resource_folder("experiments") ==
        fs::canonical(fs::path(resource_folder("lua")).parent_path() / "experiments"));
  CHECK(fs::is_regular_file(resource_folder("js") + "/vega.min.js"));
  CHECK_THROWS_WITH(resource_folder("fonts"),
                    "resource 'fonts': expected 'experiments', 'js', 'lua', 'python' or 'weights'");
}

TEST_CASE("the default weights are the ones that setup has checked") {
  CHECK(sha256_file(resource_folder("weights") + "/efficientnet-lite0-57934424.pth") ==
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db");
}

TEST_CASE("versions are told of all that is linked") {
  CHECK_THAT(program_version(), Catch::Matches("[0-9]+\\.[0-9]+\\.[0-9]+"));
  CHECK_THAT(program_commit(), Catch::Matches("[0-9a-f]{40}(-dirty)?|unknown"));
  CHECK(processor_name() != "");
  const auto version_of = [](const std::string& name) {
    for (const NamedVersion& library : library_versions())
      if (library.name == name) return library.version;
    return std::string("missing");
  };
  for (const char* name : {"LibTorch", "OpenCV", "GDAL", "PROJ", "OpenSSL", "OpenVINO", "fmt"})
    CHECK_THAT(version_of(name), Catch::Matches("[0-9]+\\.[0-9]+.*"));
  CHECK_THAT(version_of("LuaJIT"), Catch::StartsWith("2.1"));
}

}  // namespace
}  // namespace imatch
