#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# setup's own promises: it names what is missing and stops, and it can be interrupted and run again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
root=$PWD
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
fail() { echo "failed: $1" >&2; exit 1; }

# A user who is not root, on a machine without two of the packages.
mkdir -p "$scratch/bin" "$scratch/checkout"
cp setup "$scratch/checkout/"
printf '#!/bin/sh\necho 1000\n' >"$scratch/bin/id"
printf '#!/bin/sh\ncase $* in *libgdal-dev | *catch2 | *tmux) exit 1 ;; *) printf installed ;; esac\n' >"$scratch/bin/dpkg-query"
printf '#!/bin/sh\necho apt-get must not be called >&2; exit 9\n' >"$scratch/bin/apt-get"
chmod +x "$scratch"/bin/*
# names OPTION PACKAGE...: what setup says is missing, with that option.
names() {
  local status=0 output option=$1
  shift
  output=$(PATH=$scratch/bin:$PATH "$scratch/checkout/setup" $option 2>&1 </dev/null) || status=$?
  [[ $status == 1 ]] || fail "setup $option: exit status $status without root, expected 1: $output"
  [[ "$(tail -n 1 <<<"$output") " == *"apt-get install --no-install-recommends $* "* ]] ||
    fail "setup $option: not just $* named as missing: $output"
  [[ ! -e $scratch/checkout/.deps/pip ]] || fail "it went on after the missing packages"
}
names "" libgdal-dev
names --tests libgdal-dev catch2
names --peers libgdal-dev catch2 tmux

status=0
output=$(./setup --fast 2>&1) || status=$?
[[ $status == 1 && $output == *"unknown option '--fast'"* ]] || fail "an unknown option gave status $status: $output"
for option in --tests --peers --dependencies --cuda --torch -DNAME; do
  [[ $(./setup --help) == *"  $option"* ]] || fail "--help does not tell of $option"
done

# A step that is interrupted is done again, a finished one is not, and a changed pin or a removed folder is noticed.
SETUP_ONLY_FUNCTIONS=1 source "$root/setup"
cd "$scratch"
calls=0
fill() { calls=$((calls + 1)); echo "$1" >"$2/file"; }
killed='SETUP_ONLY_FUNCTIONS=1 source "$0"; cd "$1"; half() { echo half >"$1/file"; return 130; }; folder target pin-1 1 half'
bash -c "$killed" "$root/setup" "$scratch" >/dev/null && fail "a failing step did not stop setup"
[[ $(<target/file) == half ]] || fail "the failing step was not begun"
[[ ! -e target/.complete ]] || fail "a failed step is marked as done"
folder target pin-1 1 fill one >/dev/null
[[ $(<target/file) == one ]] || fail "an interrupted step was not done again"
folder target pin-1 1 fill two >/dev/null
[[ $(<target/file) == one && $calls == 1 ]] || fail "a finished step was done again"
touch target/left_over
folder target pin-2 1 fill three >/dev/null
[[ $(<target/file) == three && ! -e target/left_over ]] || fail "a changed pin did not make the folder afresh"
rm -rf target
folder target pin-2 1 fill four >/dev/null
[[ $(<target/file) == four ]] || fail "a removed folder was not made again"

# What runs beside ends with the script, and its failure is the script's.
beside_of='SETUP_ONLY_FUNCTIONS=1 source "$0"; cd "$1"; slow() { echo $BASHPID >pid; sleep 60; echo >late; }; beside slow
  until [[ -s pid ]]; do sleep 0.01; done; false'
bash -c "$beside_of" "$root/setup" "$scratch" && fail "a failing step did not stop setup while another ran beside"
for _ in {1..500}; do kill -0 "$(<pid)" 2>/dev/null || break; sleep 0.01; done
kill -0 "$(<pid)" 2>/dev/null && fail "what ran beside goes on after setup has stopped"
output=$(bash -c 'SETUP_ONLY_FUNCTIONS=1 source "$0"; beside false; wait_beside "it failed"; echo went on' "$root/setup" 2>&1) &&
  fail "a failure beside did not stop setup"
[[ $output == "setup: it failed" ]] || fail "a failure beside: $output"
[[ $(bash -c 'SETUP_ONLY_FUNCTIONS=1 source "$0"; beside true; wait_beside no; echo went on' "$root/setup") == "went on" ]] ||
  fail "setup did not go on after what ran beside"
[[ $(about 99) == "about 99 s" && $(about 170) == "about 3 min" ]] || fail "expected durations read '$(about 99)', '$(about 170)'"

# Every way through setup comes to its end, with what each step does left out: it only tells its name and arguments.
# way OPTION...: what setup does with those options.
way() {
  bash -c 'SETUP_ONLY_FUNCTIONS=1 source "$0"; cd "$1"; shift
    system_packages() { echo "packages $*"; }; folder() { echo "folder $1 for $2"; }; configure() { echo "configure $*"; }; build() { echo built; }
    main "$@"' "$root/setup" "$scratch" "$@" 2>&1 || echo "exit status $?"
}
output=$(way --dependencies --torch cpu)
[[ $output == *"folder .deps/python/torch"*"ready to build after"* && $output != *configure* && $output != *built* ]] ||
  fail "setup --dependencies: $output"
[[ $(way --dependencies --cuda) == *"folder .deps/python/torch for $torch_version cuda"* ]] || fail "setup --cuda: $(way --cuda)"
for wheels in 'wheel() { return 1; }' 'wheel() { mkdir -p "$2/torch/lib"; }'; do  # a registry without torch, and one without CUDA's
  output=$(bash -c 'SETUP_ONLY_FUNCTIONS=1 source "$0"; eval "$1"; torch_wheel cuda "$2"; echo went on' "$root/setup" "$wheels" \
    "$scratch/torch" 2>&1) && fail "setup --cuda does not stop without a wheel: $output"
  [[ $output == "setup: pip "*"PIP_INDEX_URL"*"leave --cuda away" ]] || fail "setup --cuda without a wheel: $output"
done
output=$(way --torch gpu)
[[ $output == *"--torch gpu: expected cpu or cuda"*"exit status 1"* ]] || fail "setup --torch gpu: $output"
alone=$(way) tests=$(way --tests) peers=$(way --peers -DIMATCH_WERROR=ON)
for output in "$alone" "$tests" "$peers"; do
  [[ $output == *built*"ready after"* && $output != *"exit status"* ]] || fail "setup does not come to its end: $output"
done
[[ $alone == *"configure -DBUILD_TESTING=false"* && $alone != *catch2* && $alone != *.deps/peers* ]] || fail "setup alone: $alone"
[[ $tests == *"configure -DBUILD_TESTING=true"* && $tests == *catch2* && $tests != *.deps/peers* ]] || fail "setup --tests: $tests"
[[ $peers == *"configure -DBUILD_TESTING=true -DIMATCH_WERROR=ON"* && $peers == *tmux* && $peers == *.deps/peers* ]] ||
  fail "setup --peers: $peers"

# A build of the program alone tells what ctest needs.
cat >"$scratch/CMakeLists.txt" <<END
cmake_minimum_required(VERSION 3.25)
project(program_alone LANGUAGES NONE)
set(BUILD_TESTING OFF)
include($root/cmake/ImatchTesting.cmake)
END
cmake -S "$scratch" -B "$scratch/build" >/dev/null
output=$(ctest --test-dir "$scratch/build" --output-on-failure 2>&1) && fail "ctest passes without a test"
[[ $output == *"./setup --tests"* ]] || fail "ctest does not say how to get tests: $output"
echo "setup: as promised"
