#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# split_tree.sh TREE LIBRARIES: moves what changes with the dependencies alone out of TREE, at the same paths, and puts the words
# that users know (docker/words) beside the program.
set -euo pipefail
tree=$1 libraries=$2 prefix=opt/imatch-lua
for part in lib/imatch-lua share/imatch-lua/weights share/imatch-lua/js share/imatch-lua/proj share/doc/imatch-lua/licences; do
  mkdir -p "$libraries/$prefix/$(dirname "$part")"
  mv "$tree/$prefix/$part" "$libraries/$prefix/$part"
done
strip --strip-unneeded "$tree/$prefix/bin/imatch-lua" "$tree/$prefix"/lib/*.so.*
words=$tree/$prefix/words
install -D -t "$words" "$(dirname "$0")/words/entrypoint" "$(dirname "$0")/words/word"
for word in $("$words/word" --list); do ln -s word "$words/$word"; done
