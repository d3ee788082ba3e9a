#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs each package into an empty Debian of its own and runs the main job there, as a user who is not root:
#   packaging/test_packages.sh FOLDER [tar] [deb] [wheel]       as root; FOLDER holds the packages
# An empty Debian is what `debootstrap --variant=minbase bookworm` gives, made once in $WORK (default /var/tmp/imatch-packages).
# MOUNTS: more folders that the Debian sees at the same paths, read-only (for a local pip index), PIP_CONFIG_FILE: pip's settings there.
# Prints how long installing took, the time from the package to the first report, and how long processors worked in it.
set -euo pipefail
[[ $# -ge 1 && -d $1 ]] || { sed -n '4p' "${BASH_SOURCE[0]}" | sed 's/^# */usage: /' >&2; exit 2; }
packages=$(cd "$1" && pwd)
shift
kinds=("${@:-tar}")
[[ $# -gt 0 ]] || kinds=(tar deb wheel)
work=${WORK:-/var/tmp/imatch-packages}
fail() { echo "failed: $1" >&2; exit 1; }
# Seconds since $1, and the processor seconds of all commands that have ended so far.
seconds() { awk -v from="$1" -v to="${EPOCHREALTIME/,/.}" 'BEGIN { printf "%.1f", to - from }'; }
processor_seconds() { awk -v ticks="$(getconf CLK_TCK)" '{ print ($16 + $17) / ticks }' "/proc/$$/stat"; }

mkdir -p "$work"
if [[ ! -d $work/base/etc ]]; then
  mirror=$(apt-cache policy bash | grep -oE 'https?://[^ ]+' | head -n 1)
  debootstrap --variant=minbase bookworm "$work/base" "$mirror" >"$work/debootstrap.log" || fail "debootstrap; see $work/debootstrap.log"
fi

# inside COMMAND: runs bash -c COMMAND in $root, with its own /proc, /tmp and mounts, which end with it.
inside() {
  unshare --mount --pid --fork --kill-child bash -c '
    set -e
    root=$1
    for folder in ${MOUNTS:-}; do
      if [[ -d $folder ]]; then mkdir -p "$root$folder"; else mkdir -p "$(dirname "$root$folder")"; touch "$root$folder"; fi
      mount --bind "$folder" "$root$folder"
      mount -o remount,bind,ro "$root$folder"
    done
    mount -t proc proc "$root/proc"
    mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
    mount --rbind /dev "$root/dev"
    exec chroot "$root" /bin/bash -c "$2"' _ "$root" "$1"
}
as_user='setpriv --reuid 1000 --regid 1000 --clear-groups env HOME=/tmp XDG_CACHE_HOME=/tmp/cache'

for kind in "${kinds[@]}"; do
  root=$work/$kind
  rm -rf "$root"
  cp -a "$work/base" "$root"
  cp -f /etc/resolv.conf "$root/etc/resolv.conf"
  rm -f "$root/etc/apt/sources.list.d"/*
  if [[ -n ${APT_SETTINGS:-} ]]; then cp -r "$APT_SETTINGS"/. "$root/etc/apt/"; fi
  mkdir "$root/package"
  case $kind in
    tar)
      cp "$packages"/imatch-lua-*-linux-x86_64.tar.gz "$root/package/"
      needs=true install='mkdir /anywhere && tar -xzf /package/*.tar.gz -C /anywhere' program='/anywhere/imatch-lua-*/bin/imatch-lua'
      experiments='/anywhere/imatch-lua-*/share/imatch-lua/experiments' ;;
    deb)
      cp "$packages"/imatch-lua_*_amd64.deb "$root/package/"
      needs='apt-get -qq update'
      install='DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends /package/*.deb >/package/log 2>&1 || { tail /package/log; exit 1; }'
      program=/usr/bin/imatch-lua experiments=/usr/share/imatch-lua/experiments ;;
    wheel)
      cp "$packages"/imatch_lua-*.whl "$root/package/"
      needs='apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends python3-venv >/package/log 2>&1 && python3 -m venv /venv'
      install='/venv/bin/pip install --quiet --disable-pip-version-check /package/*.whl'
      program=/venv/bin/imatch-lua experiments='/venv/lib/python3*/site-packages/imatch_lua/share/imatch-lua/experiments' ;;
    *) fail "unknown package '$kind'; known: tar deb wheel" ;;
  esac
  inside "$needs" || fail "$kind: what comes before it cannot be installed"
  start=${EPOCHREALTIME/,/.} worked=$(processor_seconds)
  inside "$install" || fail "$kind: cannot be installed"
  installed=$(seconds "$start")
  first=${EPOCHREALTIME/,/.}
  inside "cd /tmp && $as_user $program doctor --health && $as_user $program $experiments/sweep_thresholds.lua >/package/main.log 2>&1 \
    && ls -l runs/*/*/report.html" ||
    fail "$kind: no report"
  echo "$kind: installed in $installed s, doctor and the main job in $(seconds "$first") s, from package to first report $(seconds "$start") s," \
    "of processors $(awk -v from="$worked" -v to="$(processor_seconds)" 'BEGIN { printf "%.1f", to - from }') s"
done
