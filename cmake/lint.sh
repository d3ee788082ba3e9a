#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# lint.sh format|lint|tidy [BUILD_FOLDER]: see ImatchLint.cmake. Run in the root of the project.
set -euo pipefail

cpp_sources() { find core host tests bench \( -name '*.cpp' -o -name '*.h' -o -name '*.cu' -o -name '*.cuh' \) -print0 | sort -z; }
cpp_units() { find core host -name '*.cpp' -print0 | sort -z; }

lint() {
  local status=0
  cpp_sources | xargs -0 clang-format --dry-run --Werror || status=1
  luacheck --quiet lua experiments tests/specs || status=1
  ((status == 0)) && echo "lint: no complaint"
  return $status
}

case ${1:-} in
  format) cpp_sources | xargs -0 clang-format -i ;;
  lint) lint ;;
  tidy) cpp_units | xargs -0 -n 4 -P "$(nproc)" clang-tidy-16 --quiet -p "${2:-build}" ;;
  *) echo "usage: lint.sh format|lint|tidy [BUILD_FOLDER]" >&2; exit 2 ;;
esac
