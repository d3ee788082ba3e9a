#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes an installed tree independent of Debian's packages: bundle_libraries.py TREE

Copies the shared libraries that the program needs, and PROJ's database, into TREE. What stays the system's is glibc, libstdc++ and
libgcc. Only libraries of KEPT are copied. The others are those that Debian's GDAL and OpenCV link for formats that the program
never opens: databases, PDF, HDF4, video, 130 MB of them and some under the GPL. For these one small library stands in, made here,
which has the names that are asked for and nothing behind them; a call says the name and
ends the program.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

KEPT = re.compile(r"lib(opencv_\w+|OpenEXR-3_1|Iex-3_1|IlmThread-3_1|Imath-3_1|openjp2|gdal|geotiff|tiff|jpeg|png16|webp|sharpyuv|"
                  r"proj|sqlite3|z|lzma|zstd|deflate|Lerc|json-c|expat|pcre2-8|"
                  r"luajit-5\.1|edit|tinfo|bsd|md|zip|bz2|crypto|ssl|hdf5_serial|sz|aec|sixel|openblas|blas|lapack|gfortran|quadmath|"
                  r"hiredis|hiredis_ssl|simdjson|fmt|webpdemux|X11|xcb|Xau|Xdmcp|assimp|minizip|pugixml|draco)(?:[.-][\w.]*)?\.so[.\d]*")
OF_THE_SYSTEM = re.compile(r"lib(c|m|dl|rt|pthread|util|resolv|stdc\+\+|gcc_s)\.so[.\d]*|ld-linux.*")


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def needed(file):
    return re.findall(r"\(NEEDED\).*\[([^\]]+)\]", run("readelf", "-dW", str(file)))


def symbols(file):
    """(name, version or None, kind, size, whether it is defined) of every dynamic symbol."""
    for line in run("readelf", "--dyn-syms", "-W", str(file)).splitlines():
        fields = line.split()
        if len(fields) >= 8 and fields[0].rstrip(":").isdigit() and fields[4] in ("GLOBAL", "WEAK", "UNIQUE"):
            name, _, version = fields[7].partition("@")
            yield name, version.lstrip("@") or None, fields[3], int(fields[2], 0), fields[6] != "UND", fields[4]


def library_paths():
    found = {}
    for line in run("/sbin/ldconfig", "-p").splitlines():
        match = re.match(r"\s+(\S+) \(libc6,x86-64.*\) => (\S+)", line)
        if match:
            found.setdefault(match[1], pathlib.Path(match[2]).resolve())
    return found


def sorted_out(tree):
    """What of the system the tree needs: {soname: path} to copy, {soname: path} to leave out."""
    own = {file.name for folder in ("torch/lib", "openvino") for file in (tree / "lib/imatch-lua" / folder).glob("*.so*")}
    paths, kept, absent = library_paths(), {}, {}
    ours = [tree / "bin/imatch-lua", *tree.glob("lib/*.so*")]
    waiting = list(ours)
    while waiting:
        file = waiting.pop()
        for soname in needed(file):
            if soname in own or soname in kept or soname in absent or OF_THE_SYSTEM.fullmatch(soname):
                continue
            if soname not in paths:
                if soname.startswith(("libtorch", "libc10", "libgomp", "libopenvino", "libtbb")):
                    continue  # of the wheels that a Python wheel of ours depends on
                sys.exit(f"bundle_libraries: {soname} is not installed")
            if file in ours or KEPT.fullmatch(soname):  # what the program itself names is needed, whatever it is called
                kept[soname] = paths[soname]
                waiting.append(paths[soname])
            else:
                absent[soname] = paths[soname]
    return kept, absent


def stand_in(kept, absent, target):
    """The library that stands in for `absent`: what the kept ones ask them for, as names alone."""
    offered, wanted = {}, {}
    for path in absent.values():
        for name, version, kind, size, is_defined, _ in symbols(path):
            if is_defined:
                offered.setdefault(name, (kind, size))
    for path in kept.values():
        for name, version, _, _, is_defined, binding in symbols(path):
            if not is_defined and name in offered and binding != "WEAK":
                wanted[name] = version
    # A call says its name on standard error and aborts.
    code, versions = ["  .text", "absent:", "  subq $8, %rsp", "  call perror@PLT", "  call abort@PLT"], {}
    for name, version in sorted(wanted.items()):
        kind, size = offered[name]
        if kind in ("FUNC", "IFUNC"):
            code += [f'  .globl "{name}"', f'  .type "{name}", @function', f'"{name}":', f"  leaq text{len(code)}(%rip), %rdi",
                     "  jmp absent", f'text{len(code)}: .asciz "not in this package: {name}"']
        else:
            code += ["  .bss", "  .balign 32", f'  .globl "{name}"', f'  .type "{name}", @object', f'  .size "{name}", {size}',
                     f'"{name}": .zero {max(size, 8)}', "  .text"]
        if version:
            versions.setdefault(version, []).append(name)
    # Versions that are asked for though no name of theirs is left must exist all the same.
    for path in kept.values():
        file = None
        for line in run("readelf", "-VW", str(path)).splitlines():
            if match := re.search(r"File: (\S+)", line):
                file = match[1]
            elif (match := re.search(r"Name: (\S+)\s+Flags", line)) and file in absent:
                versions.setdefault(match[1], [])
    script = "".join(f"{version} {{ {('global: ' + ' '.join(f'{n};' for n in names)) if names else ''} }};\n"
                     for version, names in sorted(versions.items()))
    with tempfile.TemporaryDirectory() as scratch:
        source, map_file = pathlib.Path(scratch, "absent.s"), pathlib.Path(scratch, "absent.map")
        source.write_text("\n".join([*code, '  .section .note.GNU-stack,"",@progbits', ""]))
        map_file.write_text(script)
        option = [f"-Wl,--version-script={map_file}"] if versions else []
        run("gcc", "-shared", "-nostartfiles", "-o", str(target / "libabsent.so"), str(source), *option)
    for soname in absent:
        (target / soname).unlink(missing_ok=True)
        (target / soname).symlink_to("libabsent.so")
    return len(wanted)


def package_of(path):
    for candidate in (path, pathlib.Path(str(path).removeprefix("/usr")), pathlib.Path("/usr", str(path).lstrip("/"))):
        done = subprocess.run(["dpkg-query", "-S", str(candidate)], capture_output=True, text=True)
        if done.returncode == 0:
            return done.stdout.split(":")[0].split(",")[0]
    sys.exit(f"bundle_libraries: {path} belongs to no package")


def main(tree):
    kept, absent = sorted_out(tree)
    target, licences = tree / "lib/imatch-lua/system", tree / "share/doc/imatch-lua/licences"
    for folder in (target, licences):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    packages = {}
    for soname, path in sorted(kept.items()):
        shutil.copyfile(path, target / soname)
        packages.setdefault(package_of(path), []).append(soname)
    num_names = stand_in(kept, absent, target)
    (tree / "share/imatch-lua/proj").mkdir(parents=True, exist_ok=True)
    shutil.copyfile("/usr/share/proj/proj.db", tree / "share/imatch-lua/proj/proj.db")
    packages.setdefault("proj-data", []).append("proj.db")
    lines = []
    for package, files in sorted(packages.items()):
        shutil.copyfile(pathlib.Path("/usr/share/doc", package, "copyright"), licences / package)
        version = run("dpkg-query", "-W", "-f", "${Version}", package)
        lines.append(f"{package} {version} {' '.join(files)}\n")
    (licences / "packages.txt").write_text("".join(lines))
    size_mb = sum(file.stat().st_size for file in target.iterdir() if not file.is_symlink()) / 1e6
    print(f"bundled: {len(kept)} libraries of {len(packages)} packages, {size_mb:.0f} MB; one of {num_names} names stands in for "
          f"{len(absent)} more")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__.splitlines()[0])
    main(pathlib.Path(sys.argv[1]).resolve())
