// SPDX-License-Identifier: Apache-2.0
#include "anomaly/method.h"

#include <fmt/format.h>

#include "base/error.h"

namespace imatch {

PatchCoreMethod patchcore_method(std::string_view preset) {
  // Checks the name as it would be checked anywhere else.
  PatchCoreMethod method =
      parse_options<PatchCoreMethod>(Json{{"preset", std::string(preset)}}, "PatchCore method");
  if (preset == "anomalib-2.3") method.start = "dropped";
  if (preset == "patchcore") {
    method.crop = "centre";
    method.pooling = "adaptive";
    method.coreset = "approximate";
    method.start = "dropped";
    method.distance = "squared";
    method.score = "mean";
    method.num_neighbors = 5;
    method.upsampling = "bilinear";
    method.blur_border = "symmetric";
  }
  return method;
}

PatchCoreMethod parse_patchcore_method(const Json& table, std::string_view what) {
  PatchCoreMethod method;
  const bool named = table.is_object() && table.contains("preset") && table["preset"].is_string();
  if (named) method = patchcore_method(table["preset"].get<std::string>());
  method = parse_options<PatchCoreMethod>(table, what, method);
  if (method.patch_size % 2 == 0)
    throw Error(
        fmt::format("{}: patch_size: {} is not allowed; expected an odd number", what, method.patch_size));
  return method;
}

}  // namespace imatch
