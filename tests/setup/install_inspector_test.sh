#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# examples/inspect builds against an installed tree with nothing of the checkout in reach of its compiler, and says of a
# picture what the program says.
set -euo pipefail
: "${IMATCH_BUILD:?the build folder}" "${IMATCH_LUA:?the program}"
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
fail() { echo "failed: $1" >&2; exit 1; }

cmake --install "$IMATCH_BUILD" --prefix "$scratch/installed" >"$scratch/log" || { cat "$scratch/log"; fail "cmake --install"; }
mv "$scratch/installed" "$scratch/moved"
cp -r "$root/examples/inspect" "$scratch/example"
cmake -S "$scratch/example" -B "$scratch/build" -DCMAKE_PREFIX_PATH="$scratch/moved" >"$scratch/log" 2>&1 || { cat "$scratch/log"; fail "cmake"; }
cmake --build "$scratch/build" >"$scratch/log" 2>&1 || { cat "$scratch/log"; fail "the example does not build"; }
needed=$(readelf -d "$scratch/moved/lib/libimatch_anomaly.so" | grep NEEDED)
if grep -qE 'torch|lua|gdal' <<<"$needed"; then fail "the library needs more than OpenVINO and OpenCV: $needed"; fi

cat >"$scratch/pictures.lua" <<'LUA'
local im = require "imatch"
local folder = arg[1]
local ground = im.render.world { seed = 4 }
for i = 1, 6 do
  local view = ground:view { x_m = 40 * i, y_m = 0, altitude_m = 120, width = 240, height = 200 }
  view:image():save(("%s/%d.png"):format(folder, i))
end
LUA
mkdir "$scratch/data"
"$IMATCH_LUA" "$scratch/pictures.lua" "$scratch/data"
"$IMATCH_LUA" --quiet patchcore train --data-dir "$scratch/data" --output "$scratch/weights" --pattern-name ground \
  --coreset-ratio 0.05 >"$scratch/log" || { cat "$scratch/log"; fail "training"; }
cat >"$scratch/ppm.lua" <<'LUA'
local im = require "imatch"
local image = im.image.open(arg[1])
local bytes = { ("P6\n%d %d\n255\n"):format(image:width(), image:height()) }
for y = 0, image:height() - 1 do
  for x = 0, image:width() - 1 do
    bytes[#bytes + 1] = string.char(image:pixel(x, y))
  end
end
local file = io.open(arg[2], "wb")
file:write(table.concat(bytes))
file:close()
LUA
"$IMATCH_LUA" "$scratch/ppm.lua" "$scratch/data/3.png" "$scratch/3.ppm"
said=$("$scratch/build/inspect" "$scratch/weights/ground/ground.xml" "$scratch/3.ppm")
"$IMATCH_LUA" --quiet patchcore infer "$scratch/weights/ground" "$scratch/data/3.png" --out "$scratch/out" >/dev/null
ours=$(sed -nE 's/.*"score": ([0-9.e-]+).*/\1/p' "$scratch/out/3.png.json" | head -1)
theirs=$(awk '$1 == "score" { print $2 }' <<<"$said")
awk -v a="$ours" -v b="$theirs" 'BEGIN { d = a > b ? a - b : b - a; exit !(a > 0 && d <= 1e-5 * a) }' ||
  fail "the example says '$theirs', the program '$ours'"
label=$(head -1 <<<"$said")
[[ $(grep -c '"anomalous": true' "$scratch/out/3.png.json") == $([[ $label == anomalous ]] && echo 1 || echo 0) ]] ||
  fail "the example says '$label', the program $(grep '"anomalous"' "$scratch/out/3.png.json")"
if "$scratch/build/inspect" "$scratch/nowhere.xml" "$scratch/3.ppm" 2>"$scratch/log"; then fail "a missing model is no failure"; fi
grep -q nowhere.xml "$scratch/log" || fail "the message does not name the missing file"
echo "inspector: builds against the installed tree and says what the program says"
