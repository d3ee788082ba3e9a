#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the Python wheel of an installed tree with bundled libraries: build_wheel.py TREE OUTPUT_FOLDER

TREE is what `cmake --install build --prefix TREE` and packaging/bundle_libraries.py leave. The wheel puts the program on the PATH and
brings the module `imatch` (python/imatch, docs/python.md). LibTorch and OpenVINO come from their own wheels, of the very versions the
program was built with; whether the torch wheel has CUDA does not matter.
"""

import base64
import hashlib
import pathlib
import re
import stat
import sys
import zipfile

import sbom

ROOT = pathlib.Path(__file__).resolve().parents[1]
TAG = "py3-none-manylinux_2_36_x86_64"
LAUNCHER = '''# SPDX-License-Identifier: Apache-2.0
"""The program imatch-lua in this wheel."""

import importlib.util
import os
import pathlib
import sys

PROGRAM = pathlib.Path(__file__).parent / "bin" / "imatch-lua"


def main():
    for wheel in ("torch", "openvino"):
        spec = importlib.util.find_spec(wheel)
        if spec is None or pathlib.Path(spec.origin).parents[1] != PROGRAM.parents[2]:
            sys.exit(f"imatch-lua: the wheel {wheel} is not installed beside this one, in {PROGRAM.parents[2]}; pip install them together")
    os.execv(PROGRAM, [str(PROGRAM), *sys.argv[1:]])
'''
METADATA = """Metadata-Version: 2.1
Name: imatch-lua
Version: {version}
Summary: Matching of aerial photographs: experiments in Lua, everything heavy in C++
License: Apache-2.0
Requires-Python: >=3.9
Requires-Dist: torch=={torch}
Requires-Dist: openvino=={openvino}
Requires-Dist: numpy
Description-Content-Type: text/markdown

{readme}"""


def files_of(tree):
    """(name in the wheel, bytes, whether it may be executed) of everything."""
    for path in sorted(tree.rglob("*")):
        name = path.relative_to(tree).as_posix()
        if path.is_dir() or re.match(r"lib/imatch-lua/(torch|openvino|nvidia)/|lib/(lib|cmake|pkgconfig)|include/", name):
            continue
        yield f"imatch_lua/{name}", path.read_bytes(), bool(path.stat().st_mode & stat.S_IXUSR) and name.startswith("bin/")
    yield "imatch_lua/__init__.py", LAUNCHER.encode(), False
    module = ROOT / "python/imatch"
    for path in sorted(module.rglob("*.py")) if module.exists() else []:
        yield f"imatch/{path.relative_to(module).as_posix()}", path.read_bytes(), False


def main(tree, folder):
    version, pinned = sbom.version(), sbom.pins()
    information = f"imatch_lua-{version}.dist-info"
    readme = (ROOT / "README.md").read_text()
    texts = {
        "METADATA": METADATA.format(version=version, readme=readme, **pinned),
        "WHEEL": f"Wheel-Version: 1.0\nGenerator: build_wheel.py\nRoot-Is-Purelib: false\nTag: {TAG}\n",
        "entry_points.txt": "[console_scripts]\nimatch-lua = imatch_lua:main\n",
        "top_level.txt": "imatch\nimatch_lua\n",
    }
    folder.mkdir(parents=True, exist_ok=True)
    wheel, record = folder / f"imatch_lua-{version}-{TAG}.whl", []

    def add(archive, name, content, is_executable):
        entry = zipfile.ZipInfo(name)
        entry.external_attr = (0o100755 if is_executable else 0o100644) << 16
        archive.writestr(entry, content, zipfile.ZIP_DEFLATED, 6)
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        record.append(f"{name},sha256={digest},{len(content)}")

    with zipfile.ZipFile(wheel, "w") as archive:
        for name, content, is_executable in files_of(tree):
            add(archive, name, content, is_executable)
        for name, text in texts.items():
            add(archive, f"{information}/{name}", text.encode(), False)
        record.append(f"{information}/RECORD,,")
        archive.writestr(f"{information}/RECORD", "\n".join(record) + "\n", zipfile.ZIP_DEFLATED)
    print(f"{wheel} {wheel.stat().st_size / 1e6:.0f} MB")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__.splitlines()[0])
    main(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve())
