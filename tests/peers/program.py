# SPDX-License-Identifier: Apache-2.0
"""The program under test: where it is and how it is run."""

import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("IMATCH_LUA", str(ROOT / "build/imatch-lua"))
WEIGHTS = ROOT / ".deps/weights"

# The head of a script that asks for environment variables without making them inputs of its sweeps.
UNNOTED = """
local im = require "imatch"
local ffi = require "ffi"
ffi.cdef "const char *getenv(const char *);"
local function unnoted(name) -- what is asked for in this way is no input
  local value = ffi.C.getenv(name)
  return value ~= nil and ffi.string(value) or nil
end
"""


def environment(changes):
    """This process's environment with `changes`; None removes a variable."""
    return {name: value for name, value in {**os.environ, **changes}.items() if value is not None}


def run(*arguments, status=0, env=None, **options):
    """Runs the program to its end, which must be `status` (None: whatever it is)."""
    options = {"stdin": subprocess.DEVNULL, "timeout": 600} | options
    if "input" in options:
        del options["stdin"]
    done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, check=False,
                          env=environment(env or {}), **options)
    assert status is None or done.returncode == status, f"exit status {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done


def lua(code, *arguments, **options):
    """What Lua code prints; `im` is there, and the arguments are in `arg` and `...`."""
    return run("--no-cache", "-", *arguments, input="local im = require 'imatch'\n" + code, **options).stdout


def start(*arguments, env=None, **options):
    """The program at work in a process of its own, with pipes for what it writes."""
    return subprocess.Popen([PROGRAM, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env=environment(env or {}), **options)


def finish(process, status=0):
    """Standard output and error of what `start` began, once it has ended with `status`."""
    out, err = process.communicate(timeout=500)
    assert process.returncode == status, err
    return out, err


def run_with_usage(*arguments, **options):
    """Standard output, processor seconds (what others do on the machine adds nothing), and the peak size in MB."""
    process = subprocess.Popen([PROGRAM, *map(str, arguments)], stdout=subprocess.PIPE, text=True, **options)
    with process.stdout as stream:
        out = stream.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return out, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
