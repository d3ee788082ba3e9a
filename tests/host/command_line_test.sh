#!/usr/bin/env bash
# The command line: what runs, what is printed where, and with which exit status.
set -u
program=${IMATCH_LUA:?path of imatch-lua}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed=0

# expect STATUS PATTERN ARGUMENT...: the exit status, and a pattern that both outputs together must contain.
expect() {
  local status=$1 pattern=$2 output got
  shift 2
  output=$("$program" "$@" 2>&1 </dev/null)
  got=$?
  if [[ $got != "$status" || $output != *"$pattern"* ]]; then
    printf 'FAILED %s\n  expected status %s and "%s", got status %s and:\n%s\n' "$*" "$status" "$pattern" "$got" "$output"
    failed=1
  else
    echo "passed $*"
  fi
}

cat >"$folder/arguments.lua" <<'E2'
print(arg[0]:match "[^/]*$", #arg, arg[1], select("#", ...), (select(2, ...)))
E2
cat >"$folder/fails.lua" <<'E2'
local function inner()
  error "on purpose"
end
inner()
E2
echo 'return {' >"$folder/syntax.lua"
echo 'return { answer = 42 }' >"$folder/answer_module.lua"
echo 'os.exit(7)' >"$folder/leaves.lua"

expect 0 '3' -e 'print(1 + 2)'
expect 0 'arguments.lua	2	a	2	b' "$folder/arguments.lua" a b
expect 0 'imatch-lua ' --version
expect 0 'LibTorch' --version
expect 0 'usage: imatch-lua' --help
expect 1 'fails.lua:2: on purpose' "$folder/fails.lua"
expect 1 'stack traceback' "$folder/fails.lua"
expect 1 "syntax.lua:2: unexpected symbol" "$folder/syntax.lua"
expect 7 '' "$folder/leaves.lua"
expect 1 'no such file' "$folder/missing.lua"
expect 1 'is a folder, not a file' "$folder"
expect 2 "unknown option '--devise'; did you mean '--device'?" --devise cpu
expect 2 "--threads: expected an integer in [1, 4096], got 'many'" --threads many
expect 2 '--seed: a value is missing' --seed
expect 2 "device: expected 'cpu', 'cuda', 'cuda:N' or 'auto', got 'gpu'" --device gpu
expect 2 "'dok' is neither a file nor a command; did you mean 'doc'?" dok
expect 0 'tensor.from_table' doc tensor.from_table
expect 1 "no documentation for 'nonsense_name'" doc nonsense_name
expect 2 'imatch-lua doc' doc --wrong
# What commands say and end with: 1 and one line for an expected failure, 2 with the usage for wrong arguments.
mkdir "$folder/empty"
expect 1 "imatch-lua stats: $folder/empty: no pictures" stats "$folder/empty"
expect 1 "imatch-lua stats: $folder/nowhere: no such" stats "$folder/nowhere"
expect 2 '--size: 0 is not allowed; expected an integer in [1, 65536]' stats "$folder/empty" --size 0
expect 2 'Usage: imatch-lua stats' stats --size 5
expect 2 "unknown option '--sise'" stats --sise 5 "$folder/empty"
expect 0 '(default: $DATASET_HOST, else .)' embed --help
expect 1 'imatch-lua embed: no_such.json: no such file' embed --manifest m.json --data-key no_such.json
expect 2 "'--crop-ratio'" reference --data-key k.json --dataset d --crop-ratio
expect 2 '--crop-ratio: 2 is not allowed; expected a number in (0, 1]' reference --data-key k.json --dataset d --crop-ratio 2
expect 2 'where the embeddings of the references lie is not given: --reference-root' search
expect 2 '--direction' search --direction sideways
expect 0 'tensor.from_table' doc --threads 1 --seed 3 tensor.from_table
expect 2 "--threads: 0 is not allowed; expected an integer in [1, 4096]" doc --threads 0
expect 2 "expected 'cpu', 'cuda', 'cuda:N' or 'auto', got 'gpu'" doc --device gpu
lines=$("$program" stats "$folder/empty" 2>&1 | wc -l)
[[ $lines == 1 ]] || { echo "FAILED an expected failure is one line, got $lines"; failed=1; }
expect 0 '1	5	true' --threads=1 --seed 5 --quiet -e 'local s = require("imatch").settings() print(s.threads, s.seed, s.quiet)'
expect 0 'cpu' --device cpu -e 'print(require("imatch").settings().device)'
expect 0 '' </dev/null

# Commands in groups, also by `help`; every one of them stands there with a line.
for words in --help help; do
  expect 0 'Pairs of pictures' $words
  expect 0 '  match      two pictures' $words
  for command in "$(dirname "${BASH_SOURCE[0]}")"/../../lua/imatch/command/*.lua; do
    name=$(basename "$command" .lua)
    "$program" $words | grep -qE "^  $name +[A-Za-z]" || { echo "FAILED $words has no line for $name"; failed=1; }
  done
done
expect 0 'Usage: imatch-lua stats' help stats
expect 2 "no command is called 'stast'" help stast
# The program's options behind the command, of every command.
for command in "$(dirname "${BASH_SOURCE[0]}")"/../../lua/imatch/command/*.lua; do
  expect 0 '--threads' "$(basename "$command" .lua)" --help
done

# A misspelt global is told once a line, with file and line; modules of others and names that begin with _ are left alone.
mkdir -p "$folder/script/lua_modules/share/lua/5.1"
echo 'return { value = UNSET or _UNSET or 1 }' >"$folder/script/own.lua"
echo 'return { value = THEIRS or 2 }' >"$folder/script/lua_modules/share/lua/5.1/theirs.lua"
cat >"$folder/script/main.lua" <<'E2'
local own, theirs = require "own", require "theirs"
for i = 1, 3 do
  local x = prnt
end
print(own.value, theirs.value, require("imatch") ~= nil)
E2
expect 0 '1	2	true' "$folder/script/main.lua"
expect 0 "warning: $folder/script/main.lua:3: undefined variable 'prnt'; did you mean 'print'?" "$folder/script/main.lua"
expect 0 "own.lua:1: undefined variable 'UNSET'" "$folder/script/main.lua"
told=$("$program" "$folder/script/main.lua" 2>&1 >/dev/null | wc -l)
[[ $told == 2 ]] || { echo "FAILED two lines have misspelt globals, $told were told"; failed=1; }

# Modules beside the script come before those of LUA_PATH, which may leave out everything else.
mkdir "$folder/path"
echo 'return { value = "wrong" }' >"$folder/path/own.lua"
echo 'return "from LUA_PATH"' >"$folder/path/elsewhere.lua"
echo 'print(require("own").value, require "elsewhere", require("imatch").arguments ~= nil)' >"$folder/script/paths.lua"
export LUA_PATH="$folder/path/?.lua"
expect 0 '1	from LUA_PATH	true' "$folder/script/paths.lua"
(cd "$folder/script" && expect 0 '1	from LUA_PATH	true' paths.lua; exit $failed) || failed=1
unset LUA_PATH
mkdir -p "$folder/home/.luarocks/share/lua/5.1"
echo 'return "a rock"' >"$folder/home/.luarocks/share/lua/5.1/rock.lua"
HOME=$folder/home expect 0 'a rock' -e 'print(require "rock")'
echo 'local im = require "imatch" im.sweep { name = "s", out = "'"$folder"'/runs", axes = { x = { 1 } }, report = false, measure = function() return { y = require("own").value } end }' >"$folder/script/swept.lua"
expect 0 '1 cells, 1 measured' sweep run "$folder/script/swept.lua"

# What a script gets wrong is told with its own line, also where the call was the last thing that a function did.
cat >"$folder/wrong.lua" <<'E2'
local im = require "imatch"
local function f()
  return im.match.mutual_nearest(nil)
end
print(pcall(f))
print(f())
E2
expect 1 'wrong.lua:5: match.mutual_nearest: argument 1 must be Features, got nil' "$folder/wrong.lua"
expect 1 'wrong.lua:6: match.mutual_nearest: argument 1 must be Features, got nil' "$folder/wrong.lua"
expect 1 "im has no 'imge'; did you mean 'image'?" -e 'require("imatch").imge.open "a.jpg"'
expect 1 "(error object is a table value)" -e 'error {}'
(cd "$folder" && expect 0 '42' -l answer_module -e 'print(answer_module.answer)'; exit $failed) || failed=1

from_pipe=$(echo 'print("from a pipe", ...)' | "$program")
[[ $from_pipe == 'from a pipe' ]] || { echo "FAILED script from a pipe: $from_pipe"; failed=1; }
from_dash=$(echo 'print("dash", ...)' | "$program" - argument)
[[ $from_dash == 'dash	argument' ]] || { echo "FAILED script from -: $from_dash"; failed=1; }
cached=$("$program" --cache "$folder/cache" -e 'local im = require "imatch" im.backbone.features(im.image.new(64, 64), "dense_sift", { image_size = 64 })' 2>&1)
[[ -d $folder/cache ]] || { echo "FAILED --cache: no folder; $cached"; failed=1; }
"$program" --cache "$folder/none" --no-cache -e 'local im = require "imatch" im.backbone.features(im.image.new(64, 64), "dense_sift", { image_size = 64 })'
[[ ! -d $folder/none ]] || { echo 'FAILED --no-cache: a folder was made'; failed=1; }
full=$("$program" -e 'print(1)' 2>&1 >/dev/full)
status=$?
[[ $status == 1 && $full == *'standard output: cannot write'* ]] || { echo "FAILED full disk: $status $full"; failed=1; }
exit $failed
