#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Trains a PatchCore model in a container and leaves it on the host:
#   docker/docker_run_with_data.sh DATA WEIGHTS [PATTERN_NAME] [--copy] [--image NAME] [training options...]
# DATA: folder of normal pictures; WEIGHTS: where <pattern>/<pattern>.xml goes (made where it is missing). --copy copies the data
# into the container instead of mounting it read-only. The image is 'patchcore-trainer', else 'imatch-lua', unless --image or
# $PATCHCORE_IMAGE names one; DOCKER names another docker. The files belong to whoever calls this.
set -euo pipefail
usage() { sed -n '4p' "${BASH_SOURCE[0]}" | sed 's/^# */usage: /' >&2; exit 2; }
fail() { echo "docker_run_with_data.sh: $1" >&2; exit 1; }
docker=${DOCKER:-docker}

[[ $# -ge 2 && $1 != -* && $2 != -* ]] || usage
data=$1 weights=$2
shift 2
[[ -d $data ]] || fail "no such folder: $data"
data=$(cd "$data" && pwd)
mkdir -p "$weights" || fail "cannot make the folder $weights"
weights=$(cd "$weights" && pwd)
pattern=model
if [[ $# -gt 0 && $1 != -* ]]; then pattern=$1; shift; fi

copy=false image=${PATCHCORE_IMAGE:-} options=()
while (($#)); do
  case $1 in
    --copy) copy=true ;;
    --image) image=${2:?--image: expected a name}; shift ;;
    *) options+=("$1") ;;
  esac
  shift
done
command -v "$docker" >/dev/null || fail "there is no '$docker'; install Docker, or a package of imatch-lua (README)"
if [[ -z $image ]]; then
  for image in patchcore-trainer imatch-lua; do "$docker" image inspect "$image" >/dev/null 2>&1 && break; done
fi
train=(patchcore-trainer --data-dir /workspace/data --output /workspace/output --pattern-name "$pattern" "${options[@]}")
hardened=(--user "$(id -u):$(id -g)" --cap-drop ALL --security-opt no-new-privileges -v "$weights:/workspace/output")

echo "training '$pattern' on $data with image $image, results in $weights/$pattern"
if ! $copy; then
  "$docker" run --rm --read-only --tmpfs /tmp "${hardened[@]}" -v "$data:/workspace/data:ro" "$image" "${train[@]}"
else
  container=$("$docker" create "${hardened[@]}" "$image" "${train[@]}")
  trap '"$docker" rm -f "$container" >/dev/null' EXIT
  "$docker" cp "$data/." "$container:/workspace/data"
  "$docker" start -a "$container"
fi
echo "done: $weights/$pattern/$pattern.xml"
