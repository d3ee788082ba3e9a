#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs each fuzz target over the inputs that libFuzzer has found to reach something new, found.tar.xz: a folder a target.
set -euo pipefail
replays=${IMATCH_BUILD:?the build folder}/tests/fuzz
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
tar -xJf "$(dirname "${BASH_SOURCE[0]}")/found.tar.xz" -C "$scratch"
for folder in "$scratch"/*/; do
  target=$(basename "$folder")
  "$replays/replay_$target" "$folder" >"$scratch/log" 2>&1 || { tail -n 30 "$scratch/log"; echo "failed: $target" >&2; exit 1; }
  echo "$target: $(grep -c "^$folder" "$scratch/log") inputs"
done
