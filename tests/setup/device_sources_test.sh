#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What -DIMATCH_GPU_CHECK=ON compiles includes nothing but LibTorch, fmt and the standard library. That it links with nothing
# else, the program gpu_check of this build shows.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
build=${IMATCH_BUILD:-build}
[[ -f $build/build.ninja ]] || { echo "skipped: $build is not a build of Ninja's, which knows the headers"; exit 77; }
listed=$(sed -n '/^set(IMATCH_DEVICE_SOURCES/,/)/p' cmake/ImatchDeviceSources.cmake | grep -oE '[a-z0-9_]+/[a-z0-9_]+\.cpp')
[[ -n $listed ]] || { echo "no sources in cmake/ImatchDeviceSources.cmake"; exit 1; }
status=0
for source in $listed; do
  object=core/CMakeFiles/imatch_${source%%/*}.dir/$source.o
  headers=$(ninja -C "$build" -t deps "$object" | grep -v '^ninja:' | tail -n +2)
  [[ -n $headers ]] || { echo "$source: its headers are not known; is $object built?"; status=1; continue; }
  foreign=$(grep -E 'opencv|gdal|/ogr|/cpl_|faiss|nlohmann|openssl|lua|/zip\.h|hiredis|simdjson|sqlite|hdf5' <<<"$headers")
  [[ -z $foreign ]] || { echo "$source includes what a machine with a GPU need not have:"; echo "$foreign"; status=1; }
done
((status == 0)) && echo "device sources: $(wc -w <<<"$listed") files include LibTorch and fmt alone"
exit $status
