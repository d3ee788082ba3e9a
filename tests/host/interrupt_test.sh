#!/usr/bin/env bash
# Ctrl-C from outside ends every kind of loop with status 130, a second one kills, and native loops listen too.
set -u
program=${IMATCH_LUA:?path of imatch-lua}
failed=0

# check NAME CODE: starts CODE, which prints "ready" first, interrupts it, and expects the end within 3 s.
check() {
  local name=$1 code=$2 fifo status
  fifo=$(mktemp -u)
  mkfifo "$fifo"
  "$program" -e "io.stdout:setvbuf 'no' print 'ready' $code" >"$fifo" 2>/dev/null &
  local pid=$!
  exec 3<"$fifo"
  read -r _ <&3
  sleep 0.2
  kill -INT "$pid"
  local waited=0
  while kill -0 "$pid" 2>/dev/null && ((waited < 30)); do sleep 0.1; waited=$((waited + 1)); done
  if kill -0 "$pid" 2>/dev/null; then
    kill -KILL "$pid"
    status=hangs
  fi
  wait "$pid" 2>/dev/null
  status=${status:-$?}
  exec 3<&-
  rm -f "$fifo"
  if [[ $status != 130 ]]; then
    echo "FAILED $name: expected status 130, got $status"
    failed=1
  else
    echo "passed $name"
  fi
}

check 'plain loop' 'while true do end'
check 'loop of bound calls' 'local im = require "imatch" while true do im.now() end'
check 'loop of protected bound calls' 'local im = require "imatch" while true do pcall(im.now) end'
check 'loop of protected loops' 'while true do pcall(function() while true do end end) end'
check 'coroutine' 'local c = coroutine.wrap(function() while true do end end) while true do pcall(c) end'
check 'xpcall with a handler' 'while true do xpcall(function() while true do end end, function(m) return m end) end'
check 'native loop' 'require("imatch").sleep(60)'
check 'code loaded at run time' 'loadstring("while true do end")()'
exit $failed
