#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The packages: the archive, unpacked in another folder, runs the main job on a root file system that has glibc, libstdc++ and
# nothing else; the .deb names the packages it needs; the wheel installs. What Debian itself makes of them, packaging/test_packages.sh
# tries, which takes longer.
set -euo pipefail
: "${IMATCH_BUILD:?the build folder}"
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
version=$(sed -nE 's/^project\(imatch-lua VERSION ([0-9.]+).*/\1/p' CMakeLists.txt)
if ! unshare --map-root-user --mount true 2>/dev/null; then
  echo "skipped: mount namespaces are not allowed here"
  exit 77
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
fail() { echo "failed: $1" >&2; exit 1; }

packages=${IMATCH_PACKAGES:-$scratch/packages}  # IMATCH_PACKAGES: made already
if [[ ! -d $packages ]]; then
  packaging/make_packages.sh "$packages" >"$scratch/log" 2>&1 || { tail -n 30 "$scratch/log"; fail "packaging/make_packages.sh"; }
fi
cd "$packages"
sha256sum --check --quiet SHA256SUMS || fail "SHA256SUMS"
for name in imatch-lua-$version-linux-x86_64.tar.gz imatch-lua_${version}_amd64.deb imatch_lua-$version-py3-none-manylinux_2_36_x86_64.whl; do
  [[ -s $name ]] || fail "there is no $name: $(ls)"
done
grep -q "\"version\": \"$version\"" sbom.cdx.json || fail "sbom.cdx.json does not name version $version"
[[ -s notes.md ]] || fail "CHANGELOG.md has nothing on $version"

# The .deb: what it needs stands in it, and none of it is ours.
needs=$(dpkg-deb --field imatch-lua_*.deb Depends)
for package in libc6 libgdal libopencv-core libluajit-5.1-2 libopenblas; do
  [[ $needs == *"$package"* ]] || fail "the .deb does not depend on $package: $needs"
done
dpkg-deb --contents imatch-lua_*.deb >"$scratch/contents"
grep -q ' ./usr/bin/imatch-lua$' "$scratch/contents" || fail "the .deb has no /usr/bin/imatch-lua"
grep -q 'lib/imatch-lua/system' "$scratch/contents" && fail "the .deb brings Debian's libraries along"

# A root with what the archive may expect of a system, and the archive.
root=$scratch/root libraries=$scratch/root/lib/x86_64-linux-gnu
mkdir -p "$root"/{anywhere,lib64,tmp,proc,dev,home/pilot} "$libraries"
cp -L /lib64/ld-linux-x86-64.so.2 "$root/lib64/"
for library in libc.so.6 libm.so.6 libdl.so.2 librt.so.1 libpthread.so.0 libutil.so.1 libresolv.so.2 libstdc++.so.6 libgcc_s.so.1; do
  cp -L "$(/sbin/ldconfig -p | awk -v name=$library '$1 == name && /x86-64/ { print $NF; exit }')" "$libraries/"
done
tar -xzf imatch-lua-*.tar.gz -C "$root/anywhere"
mv "$root/anywhere"/imatch-lua-* "$root/anywhere/a folder"
in_root() {  # in_root ARGUMENT...: the program of the archive, which sees that root alone
  unshare --map-root-user --mount --pid --fork bash -c 'root=$1; shift
    for folder in proc dev; do mount --rbind /$folder "$root/$folder"; done
    exec env -i HOME=/home/pilot XDG_CACHE_HOME=/home/pilot/cache LANG=C.UTF-8 OMP_WAIT_POLICY=PASSIVE /usr/sbin/chroot "$root" "/anywhere/a folder/bin/imatch-lua" "$@"' \
    _ "$root" "$@" >"$scratch/log" 2>&1 || { tail -n 30 "$scratch/log"; fail "the archive away from Debian's libraries: $*"; }
}
in_root doctor --health
in_root "/anywhere/a folder/share/imatch-lua/experiments/sweep_thresholds.lua" --places 1 --out /home/pilot/runs
report=$(ls "$root"/home/pilot/runs/*/*/report.html) || fail "the main job left no report"
[[ $(wc -c <"$report") -gt 100000 ]] || fail "the report is almost empty"

# The wheel: pip takes it, and its program is found beside torch's wheel only.
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet --disable-pip-version-check --no-index --no-deps imatch_lua-*.whl || fail "pip"
said=$("$scratch/venv/bin/imatch-lua" --version 2>&1) && fail "the wheel runs without torch"
[[ $said == *"the wheel torch is not installed beside this one"* ]] || fail "the wheel without torch says: $said"
"$scratch/venv/bin/python" -c 'import imatch' || fail "the wheel does not bring the module imatch"
echo "packages: $(du -h --apparent-size "$packages"/imatch* | awk '{ print $1 }' | tr '\n' ' ')"
