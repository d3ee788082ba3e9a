#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The reference in docs/ and the types for editors are what the program would write now, and the types are Lua.
set -euo pipefail
program=${IMATCH_LUA:-build/imatch-lua}

"$program" doc --check --markdown docs/reference --meta lua/imatch/_meta || {
  echo "to bring them up to date: imatch-lua doc --markdown docs/reference --meta lua/imatch/_meta"
  exit 1
}
"$program" -e 'assert(loadfile "lua/imatch/_meta/imatch.lua")'

# A file that is out of date is noticed.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$program" doc --markdown "$folder" >/dev/null
"$program" doc --check --markdown "$folder"
echo "more" >>"$folder/match.md"
if "$program" doc --check --markdown "$folder" >"$folder/told"; then
  echo "a changed file was not noticed"
  exit 1
fi
grep -q "match.md: not up to date" "$folder/told"

# Every function stands in the types, with its options.
grep -q '^function im.match.mutual_nearest(a, b, options) end$' lua/imatch/_meta/imatch.lua
grep -q '^---@field match_th? number' lua/imatch/_meta/imatch.lua
grep -q '^---@return Image$' lua/imatch/_meta/imatch.lua
