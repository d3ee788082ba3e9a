#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The house rules that no compiler checks (ARCHITECTURE.md).
set -u
shopt -s lastpipe  # `none` at the end of a pipe counts in this shell
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
rooms=(base io geometry image cuda nn train mesh raster feature backbone match index geo render retrieval localize evaluation pointmap inspection anomaly redis export sweep report)
failures=0

# none RULE: prints what came on standard input as breaches of the rule.
none() {
  local found
  found=$(cat)
  [[ -z $found ]] && return
  printf 'broken: %s\n%s\n\n' "$1" "$found"
  failures=$((failures + 1))
}

uncommented() { grep -vE '^[^:]*:[0-9]+: *(//|\*)'; }

for folder in core/*/; do
  [[ " ${rooms[*]} " == *" $(basename "$folder") "* ]] || echo "$folder"
done | none "every folder of core is a room with a place in the order (${rooms[*]})"

for ((i = 0; i < ${#rooms[@]}; i++)); do
  for ((j = i + 1; j < ${#rooms[@]}; j++)); do
    grep -rnE "^ *# *include *\"${rooms[j]}/" "core/${rooms[i]}" 2>/dev/null
  done
done | none "a room of core includes only itself and rooms before it"

grep -rnE '# *include *[<"](lua|luajit|lauxlib|lualib)(\.h|\.hpp|/)' core | none "only host/ includes Lua"
grep -rnE '# *include *["<](host/|binding\.h|stack\.h|handle\.h)' core | none "core knows nothing of host"
grep -rnE 'catch *\( *\.\.\. *\)' host | uncommented | none "no catch (...) in host: it would swallow Lua's errors"
grep -rnE '\b(std::)?(abort|exit|_exit|quick_exit) *\(' core | uncommented | none "core never ends the process"
for header in $(grep -rlE '# *include *<(opencv2|gdal|ogr|cpl|faiss|openvino|torch/csrc/jit)' core --include='*.h'); do
  [[ $header == core/backbone/openvino_writer.h ]] && continue  # anomaly/ goes on with the graph that a network writes
  room=$(dirname "$header")
  grep -rnF "\"${header#core/}\"" core host tests | grep -vE "^$room/[^:/]*\.cpp:"
done | none "a header with OpenCV, GDAL, FAISS, OpenVINO or TorchScript in it serves the .cpp files of its own room only"
for header in core/*/*.h host/*.h host/bind/*.h; do
  grep -hoE '^(struct|class|enum class) [A-Z][A-Za-z0-9]+[^;]*\{' "$header" | awk '{ print $1 == "enum" ? $3 : $2 }'
done | sort | uniq -d | none "a type's name stands in one header only: two would share what the compiler makes of std::vector of them"
grep -rn 'InferenceMode' core host | uncommented | none "no inference tensors: what they leave can never be trained on; at::NoGradGuard"
grep -rnE '# *include *<(torch/torch\.h|ATen/ATen\.h)>' core host tests | none "single ATen headers only"
find core host lua experiments tests bench \( -iname '*util*' -o -iname '*helper*' -o -iname '*misc*' -o -iname '*common*' -o -iname '*manager*' \) |
  none "nothing is called utils, helpers, misc, common or manager"
find core host tests bench \( -name '*.cpp' -o -name '*.h' \) -exec sh -c 'head -n 1 "$1" | grep -q "^// SPDX-License-Identifier: Apache-2.0$" || echo "$1"' _ {} \; |
  none "every C++ file begins with its licence"

# Still to be divided; nothing may join them.
long=(core/report/report.cpp core/sweep/run_folder.cpp host/bind/image.cpp host/bind/retrieval.cpp host/bind/sweep.cpp
  lua/imatch/command/export.lua lua/imatch/command/search.lua lua/imatch/command/sweep.lua lua/imatch/command/vis.lua)
# longer_than LINES: the files on standard input, one a line, that have more.
longer_than() {
  while read -r file; do
    [[ " ${long[*]} " == *" $file "* ]] || (($(wc -l <"$file") <= $1)) || echo "$file: $(wc -l <"$file") lines"
  done
}
find core host \( -name '*.cpp' -o -name '*.h' \) | longer_than 400 | none "no file of core and host is longer than 400 lines"
find lua/imatch/command -name '*.lua' | longer_than 100 | none "no command is longer than 100 lines: its work stands in a module"

((failures == 0)) && echo "architecture: no rule broken"
exit $((failures > 0))
