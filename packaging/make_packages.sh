#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# packaging/make_packages.sh FOLDER: of a built tree (build/) the .tar.gz, the .deb and the wheel, with checksums, the bill of materials
# and this version's part of CHANGELOG.md.
set -euo pipefail
[[ $# -eq 1 ]] || { sed -n '3p' "${BASH_SOURCE[0]}" | sed 's/^# */usage: /' >&2; exit 2; }
cd "$(dirname "${BASH_SOURCE[0]}")/.."
mkdir -p "$1"
folder=$(cd "$1" && pwd)
build=${IMATCH_BUILD:-build}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

cpack --config "$build/CPackConfig.cmake" -B "$scratch/cpack" >"$scratch/log" || { cat "$scratch/log" >&2; exit 1; }
mv "$scratch"/cpack/imatch-lua* "$folder/"
cmake --install "$build" --prefix "$scratch/tree" --strip >"$scratch/log" || { cat "$scratch/log" >&2; exit 1; }
packaging/bundle_libraries.py "$scratch/tree"
packaging/sbom.py "$scratch/tree" "$folder/sbom.cdx.json"
packaging/build_wheel.py "$scratch/tree" "$folder"
version=$(sed -nE 's/^project\(imatch-lua VERSION ([0-9.]+).*/\1/p' CMakeLists.txt)
awk -v heading="## $version" '/^## / { inside = index($0, heading) == 1; next } inside' CHANGELOG.md >"$folder/notes.md"
(cd "$folder" && sha256sum imatch* sbom.cdx.json >SHA256SUMS)
ls -l "$folder"
