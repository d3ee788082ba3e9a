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
printf '#!/bin/sh\ncase $* in *libgdal-dev | *catch2) exit 1 ;; *) printf installed ;; esac\n' >"$scratch/bin/dpkg-query"
printf '#!/bin/sh\necho apt-get must not be called >&2; exit 9\n' >"$scratch/bin/apt-get"
chmod +x "$scratch"/bin/*
status=0
output=$(PATH=$scratch/bin:$PATH "$scratch/checkout/setup" 2>&1 </dev/null) || status=$?
[[ $status == 1 ]] || fail "exit status $status without root, expected 1: $output"
[[ $output == *"apt-get install --no-install-recommends libgdal-dev catch2"* ]] || fail "the missing packages are not named: $output"
[[ ! -e $scratch/checkout/.deps/pip ]] || fail "it went on after the missing packages"

status=0
output=$(./setup --fast 2>&1) || status=$?
[[ $status == 1 && $output == *"unknown option '--fast'"* ]] || fail "an unknown option gave status $status: $output"
[[ $(./setup --help) == *"--peers"* ]] || fail "--help does not tell of --peers"

# A step that is interrupted is done again, a finished one is not, and a changed pin or a removed folder is noticed.
SETUP_ONLY_FUNCTIONS=1 source "$root/setup"
cd "$scratch"
calls=0
fill() { calls=$((calls + 1)); echo "$1" >"$2/file"; }
killed='SETUP_ONLY_FUNCTIONS=1 source "$0"; cd "$1"; half() { echo half >"$1/file"; return 130; }; folder target pin-1 half'
bash -c "$killed" "$root/setup" "$scratch" >/dev/null && fail "a failing step did not stop setup"
[[ $(<target/file) == half ]] || fail "the failing step was not begun"
[[ ! -e target/.complete ]] || fail "a failed step is marked as done"
folder target pin-1 fill one >/dev/null
[[ $(<target/file) == one ]] || fail "an interrupted step was not done again"
folder target pin-1 fill two >/dev/null
[[ $(<target/file) == one && $calls == 1 ]] || fail "a finished step was done again"
touch target/left_over
folder target pin-2 fill three >/dev/null
[[ $(<target/file) == three && ! -e target/left_over ]] || fail "a changed pin did not make the folder afresh"
rm -rf target
folder target pin-2 fill four >/dev/null
[[ $(<target/file) == four ]] || fail "a removed folder was not made again"
echo "setup: as promised"
