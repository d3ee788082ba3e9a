#!/usr/bin/env bash
# The feature cache across processes: --cache, --no-cache, and one that cannot be used, which warns and goes on.
set -u
program=${IMATCH_LUA:?path of imatch-lua}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed=0
code='local im = require "imatch"
local f = im.backbone.features(im.image.new(64, 48), "dense_sift", { image_size = 64 })
local s = im.cache.statistics()
print(f:tokens():shape()[2], s.disk_hits, s.misses, s.corrupt)'

# expect NAME OUTPUT WARNING ARGUMENT...: what is printed, and a pattern on stderr ("" : nothing there).
expect() {
  local name=$1 output=$2 warning=$3 got
  shift 3
  got=$("$program" "$@" -e "$code" 2>"$folder/stderr")
  if [[ $? != 0 || $got != "$output" || (-z $warning && -s $folder/stderr) || $(<"$folder/stderr") != *"$warning"* ]]; then
    printf 'FAILED %s: got "%s" and on stderr "%s"\n' "$name" "$got" "$(<"$folder/stderr")"
    failed=1
  else
    echo "passed $name"
  fi
}

expect "the first run computes" $'128\t0\t1\t0' "" --cache "$folder/cache"
expect "the second reads" $'128\t1\t0\t0' "" --cache "$folder/cache"
expect "--no-cache computes" $'128\t0\t0\t0' "" --no-cache
entry=$(find "$folder/cache" -name '*.features')
printf 'x' | dd of="$entry" bs=1 seek=200 conv=notrunc status=none
expect "a damaged entry is made again" $'128\t0\t1\t1' "warning: feature cache: $entry: the checksum is wrong" --cache "$folder/cache"
expect "which the next run reads" $'128\t1\t0\t0' "" --cache "$folder/cache"
expect "a folder that cannot be made" $'128\t0\t1\t0' "warning: feature cache: /dev/null/cache" --cache /dev/null/cache
expect "without a word" $'128\t0\t1\t0' "" --quiet --cache /dev/null/cache
exit $failed
