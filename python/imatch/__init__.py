# SPDX-License-Identifier: Apache-2.0
"""imatch-lua from Python: runs the program and reads the files that it leaves. Nothing is linked; numpy is needed for features,
pandas for tables.

    import imatch
    imatch.match("a.jpg", "b.jpg")["matched"]
    run = imatch.run("sweep.lua", threshold=0.5)        # globals of the script
    run.results().groupby("backbone")["error_px"].median()
    imatch.features("a.jpg").tokens.shape

The files that it reads are published formats: results.csv and provenance.json of a run folder, pairs.csv and <a>_<b>.json of
`match` (docs/schema/match.schema.json), npz of features.
"""

import json
import math
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

__all__ = ["Error", "Features", "Run", "features", "lua", "match", "program", "results", "run"]


class Error(RuntimeError):
    """The program ended with another exit status than 0. `status` is it, `stderr` what it said."""

    def __init__(self, status, stderr):
        super().__init__(stderr.strip() or f"exit status {status}")
        self.status, self.stderr = status, stderr


def program():
    """Path of imatch-lua: $IMATCH_LUA, else that of the tree this module lies in, else that in PATH."""
    named = os.environ.get("IMATCH_LUA")
    if named:
        return named
    here = pathlib.Path(__file__).resolve()
    # share/imatch-lua/python/imatch/ in an installed tree, python/imatch/ in a checkout, imatch/ beside imatch_lua/ of the wheel
    for candidate in (here.parents[4] / "bin/imatch-lua" if len(here.parents) > 4 else None, here.parents[2] / "build/imatch-lua",
                      here.parents[1] / "imatch_lua/bin/imatch-lua"):
        if candidate and candidate.is_file():
            return str(candidate)
    found = shutil.which("imatch-lua")
    if not found:
        raise FileNotFoundError("imatch-lua is not in PATH; set IMATCH_LUA to its path")
    return found


def _call(arguments, check=True, cwd=None):
    done = subprocess.run([program(), *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                          cwd=cwd)
    if check and done.returncode != 0:
        raise Error(done.returncode, done.stderr or done.stdout)
    return done


def _literal(value):
    """A Python value as Lua writes it."""
    if value is None:
        return "nil"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        if isinstance(value, float) and not math.isfinite(value):
            return "0/0" if math.isnan(value) else "math.huge" if value > 0 else "-math.huge"
        return repr(value)
    if isinstance(value, (str, os.PathLike)):
        escaped = "".join(c if c.isprintable() and c not in '"\\' and ord(c) < 128 else
                          "".join(f"\\{byte:03d}" for byte in c.encode()) for c in os.fspath(value))
        return f'"{escaped}"'
    if isinstance(value, dict):
        return "{" + ", ".join(f"[{_literal(key)}] = {_literal(item)}" for key, item in value.items()) + "}"
    if hasattr(value, "tolist"):  # of numpy
        return _literal(value.tolist())
    if isinstance(value, (list, tuple)):
        if any(item is None for item in value):
            raise TypeError("a list for Lua must not have None inside")
        return "{" + ", ".join(map(_literal, value)) + "}"
    raise TypeError(f"cannot give a {type(value).__name__} to Lua; expected numbers, text, lists and dicts of these")


def _assignments(values):
    for name in values:
        if not re.fullmatch(r"[A-Za-z_]\w*", name):
            raise TypeError(f"'{name}' is no name of a Lua variable")
    return "\n".join(f"{name} = {_literal(value)}" for name, value in values.items())


class Run:
    """What a script left: `stdout`, `stderr`, and `folders`, the run folders of its sweeps."""

    def __init__(self, done, cwd):
        self.stdout, self.stderr = done.stdout, done.stderr
        self.folders = [pathlib.Path(cwd, path) for path in re.findall(r"^report: (.*)/report\.html$", done.stdout, re.M)]

    def results(self, number=-1):
        """The table of a sweep, the last one unless `number` says which, as a DataFrame."""
        if not self.folders:
            raise Error(0, "the script has left no run folder")
        return results(self.folders[number])


def run(script, *arguments, cwd=None, check=True, options=(), **variables):
    """Runs a script, which finds `variables` as globals and `arguments` in `arg` and `...`. `options` are the program's own, such
    as ["--threads", 2]. Raises Error when it fails, unless `check` is False."""
    code = ["-e", _assignments(variables)] if variables else []
    return Run(_call([*options, *code, script, *arguments], check, cwd), cwd or os.getcwd())


def results(folder):
    """results.csv of a run folder as a DataFrame: a row for each cell, axes and metrics as columns."""
    import pandas

    return pandas.read_csv(pathlib.Path(folder, "results.csv"))


def lua(code, **variables):
    """The value that Lua code returns: numbers, text, booleans, lists and dicts. `im` is the library, `variables` are globals."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "value.json")
        _call(["-e", f"im = require 'imatch'\n{_assignments(variables)}\nlocal function value()\n{code}\nend\n"
                     f"assert(im.io.write_json({_literal(path)}, {{ value = value() }}))"])
        with open(path, encoding="utf-8") as file:
            return json.load(file).get("value")


class Features:
    """Features of a picture: `tokens` [rows, cols, dim] and `vector` [dim], float32; `points` [rows, cols, 2], the centre of each
    token in pixels of the picture; `image_size` (width, height)."""

    def __init__(self, arrays):
        rows, cols, width, height = (int(number) for number in arrays["shape"])
        self.tokens = arrays["tokens"].reshape(rows, cols, -1)
        self.points = arrays["points"].reshape(rows, cols, 2)
        self.vector, self.image_size = arrays["vector"], (width, height)

    def __repr__(self):
        return f"Features({self.tokens.shape}, of {self.image_size[0]}x{self.image_size[1]} px)"


_FEATURES = """
local image = assert(im.image.open(path))
local f = assert(im.backbone.features(image, backbone, options))
local rows, cols = f:grid()
assert(im.io.write_npz(out, {
  tokens = f:tokens(), vector = f:global(), points = f:points(),
  shape = im.tensor.from_table { rows, cols, image:width(), image:height() },
}))
return true
"""


def features(path, backbone="efficientnet_lite0 stage=16 image_size=448", **options):
    """Features of a picture by a backbone ('imatch-lua backbone list'), through the program's feature cache."""
    import numpy

    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "features.npz")
        lua(_FEATURES, path=os.fspath(path), backbone=backbone, options=options, out=out)
        with numpy.load(out) as arrays:
            return Features(dict(arrays))


def match(a, b=None, out=None, **options):
    """Matches two pictures: a dict as docs/schema/match.schema.json describes it. Of two folders, a folder or a list of pairs: a
    DataFrame with a row for each pair. `options` are those of `imatch-lua match`: backbone="vits14", rotations="off"."""
    words = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", value)]
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(out or scratch)
        _call(["match", a, *([b] if b is not None else []), "--out", folder, "--no-open", "--quiet", *words])
        if b is not None and os.path.isfile(a) and os.path.isfile(b):
            name = f"{pathlib.Path(a).stem}_{pathlib.Path(b).stem}.json"
            return json.loads((folder / name).read_text(encoding="utf-8"))
        import pandas

        return pandas.read_csv(folder / "pairs.csv")
