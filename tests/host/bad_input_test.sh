#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Bad input through the whole program: each gives one line that names the file or the option, with its code, and no crash.
# (Sweeps that are killed, or run twice at once: tests/run and tests/peers/test_sweep_run.py.)
set -u
program=${IMATCH_LUA:?path of imatch-lua}
folder=$(mktemp -d)
trap 'umount "$folder/disk" 2>/dev/null; rm -rf "$folder"' EXIT
cd "$folder" || exit 1
failed=0

# run CODE: what the program prints and its exit status.
run() { "$program" --no-cache --quiet -e "local im = require 'imatch' $1" 2>&1 </dev/null; }

# expect NAME OUTPUT... -- CODE: CODE ends well, and all it says is one line that contains every OUTPUT.
expect() {
  local name=$1 output status wanted problem=""
  shift
  output=$(run "${!#}")
  status=$?
  [[ $status == 0 ]] || problem="exit status $status"
  [[ $output != *$'\n'* ]] || problem="more than one line"
  while [[ $1 != -- ]]; do
    [[ $output == *"$1"* ]] || problem="no '$1'"
    shift
  done
  if [[ -n $problem ]]; then
    printf 'FAILED %s: %s in:\n%s\n' "$name" "$problem" "$output"
    failed=1
  else
    echo "passed $name"
  fi
}

# fails NAME CODE PATH CALL: the call returns nil, a message that names the path, and the code.
fails() { expect "$1" "$2" "$3" -- "local value, message, code = $4 assert(value == nil) print(code, message)"; }

run "im.image.new(400, 300, { 30, 140, 60 }):save 'whole.jpg'" || exit 1
head -c 900 whole.jpg >truncated.jpg
: >empty.jpg
echo 'not a picture' >text.jpg
mkdir folder.jpg
# The signature and header of a PNG of 30000 x 30000 pixels of 24 bits.
printf '\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x75\x30\0\0\x75\x30\x08\x02\0\0\0\xa4\x3a\x53\x07' >huge.png
printf '\0\0\0\0IEND\xae\x42\x60\x82' >>huge.png

fails "a missing file" not_found missing.jpg "im.image.open 'missing.jpg'"
fails "a truncated file" bad_format truncated.jpg "im.image.open 'truncated.jpg'"
fails "an empty file" bad_format empty.jpg "im.image.open 'empty.jpg'"
fails "text in place of a picture" bad_format text.jpg "im.image.open 'text.jpg'"
fails "a folder in place of a picture" not_a_file folder.jpg "im.image.open 'folder.jpg'"
fails "900 megapixels" too_large huge.png "im.image.open 'huge.png'"
fails "text in place of a map" bad_format text.jpg "im.render.map 'text.jpg'"
expect "a picture of one pixel" "1 x 1" "no homography" -- "
  assert(im.image.new(1, 1):save 'dot.png')
  local dot = assert(im.image.open 'dot.png')
  local f = assert(im.backbone.features(dot, 'efficientnet_lite0', { image_size = 32, stage = 32 }))
  local matches = im.match.mutual_nearest(f, f, { line_th = 0 })
  print(('%d x %d'):format(dot:width(), dot:height()), im.match.geometry(matches))"

echo 'not weights' >text.pth
: >empty.pth
mkdir folder.pth
fails "weights that are missing" not_found missing.pth "im.backbone.open('efficientnet_lite0', { weights = 'missing.pth' })"
fails "weights that are text" bad_format text.pth "im.backbone.open('efficientnet_lite0', { weights = 'text.pth' })"
fails "an empty file of weights" bad_format empty.pth "im.backbone.open('efficientnet_lite0', { weights = 'empty.pth' })"
fails "a folder of weights" not_a_file folder.pth "im.backbone.open('efficientnet_lite0', { weights = 'folder.pth' })"

expect "a wrong option" "unknown option 'stagee'; did you mean 'stage'?" -- \
  "print((select(2, pcall(im.backbone.open, 'efficientnet_lite0', { stagee = 8 }))))"
expect "a wrong value" "stage: 9 is not allowed; expected 8, 16 or 32" -- \
  "print((select(2, pcall(im.backbone.open, 'efficientnet_lite0', { stage = 9 }))))"
fails "a picture where nothing can be written" unwritable /dev/null/a.png "im.image.new(2, 2):save '/dev/null/a.png'"
expect "a run folder that cannot be written" /dev/null/runs -- \
  "print((select(2, pcall(im.sweep, { name = 'x', out = '/dev/null/runs', axes = { a = { 1 } }, measure = function() return {} end }))))"

# What a command was given and a function of the library refuses: one line, without places in our sources. In a user's script the
# place is what helps.
refused=$("$program" --quiet export . --backbone "dense_sift stepp=3" --out exported 2>&1 </dev/null)
if [[ $refused == *"unknown option 'stepp'; did you mean 'step'?"* && $refused != *traceback* && $refused != *.lua:* ]]; then
  echo "passed a wrong option of a backbone, given to a command"
else
  printf 'FAILED a wrong option of a backbone, given to a command:\n%s\n' "$refused"
  failed=1
fi
echo 'require("imatch").backbone.open("dense_sift stepp=3")' >wrong.lua
refused=$("$program" wrong.lua 2>&1 </dev/null)
if [[ $refused == *"wrong.lua:1: "*"unknown option 'stepp'"*traceback* ]]; then
  echo "passed a wrong option of a backbone, in a script"
else
  printf 'FAILED a wrong option of a backbone, in a script:\n%s\n' "$refused"
  failed=1
fi

# A photograph that is damaged fails its own cells, which say why; the others are measured.
cat >photos.lua <<'E3'
local im = require "imatch"
im.sweep {
  name = "photos", out = "runs", report = false,
  axes = { photo = { "whole.jpg", "truncated.jpg", "folder.jpg", "huge.png" } },
  measure = function(p) return { width = assert(im.image.open(p.photo)):width() } end,
}
E3
"$program" --quiet photos.lua >/dev/null 2>&1
ok=$(grep -c ',400' runs/photos/*/results.csv)
named=$(grep -cE 'truncated\.jpg: truncated or damaged|folder\.jpg: is a folder|huge\.png: 30000 x 30000' runs/photos/*/failed.csv)
if [[ $ok == 1 && $named == 3 ]]; then
  echo "passed damaged photographs in a sweep"
else
  printf 'FAILED damaged photographs in a sweep: %s measured, %s named\n%s\n' "$ok" "$named" "$(cat runs/photos/*/*.csv)"
  failed=1
fi

mkdir disk
if mount -t tmpfs -o size=64k tmpfs disk 2>/dev/null; then
  fails "a picture on a full disk" no_space disk/a.bmp "im.image.new(400, 300):save 'disk/a.bmp'"
  fails "an array on a full disk" no_space disk/a.npy "im.io.write_npy('disk/a.npy', im.image.normalize(im.image.new(400, 300)))"
  [[ -z $(ls -A disk) ]] || { echo "FAILED: left on the full disk: $(ls -A disk)"; failed=1; }
else
  echo "skipped: a full disk needs the right to mount a tmpfs"
  ((failed)) || exit 77
fi
exit $failed
