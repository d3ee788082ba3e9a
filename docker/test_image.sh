#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs in the image what its users type, as a user who is not root, on a root file system that cannot be written, with no
# capabilities:
#   docker/test_image.sh ROOTFS [DATA]        as root
# ROOTFS: the image's files (docker export, or buildah mount); DATA: a folder with seneca/ and fox/Fox.glb, without it the photos
# are those of docs/ and there is no fox. Needs no Docker engine: it isolates by unshare and setpriv, at the paths of
# docker-compose.yml. Needs redis-server and python3 with pexpect on this machine for search and session. Prints a line a step.
# OMP_WAIT_POLICY=PASSIVE helps where others compute at the same time.
set -euo pipefail
[[ $# -ge 1 && $# -le 2 && -x $1/opt/imatch-lua/bin/imatch-lua && -d ${2:-.} ]] || { sed -n '5p' "${BASH_SOURCE[0]}" | sed 's/^# */usage: /' >&2; exit 2; }
rootfs=$1 data=${2:-}
docs=$(cd "$(dirname "${BASH_SOURCE[0]}")/../docs" && pwd)
uid=${TEST_UID:-12345}
work=$(mktemp -d)
python=${PYTHON:-python3}
server=
finish() {
  [[ -z $server ]] || kill "$server" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT
fail() { echo "failed: $1" >&2; exit 1; }

for folder in project dinov3 weights datasets references exports cache output train; do mkdir "$work/$folder"; done
chown -R "$uid:$uid" "$work"
chmod 755 "$work"

# inside COMMAND ARG...: what `docker run --user UID --read-only --cap-drop ALL --tmpfs /tmp` with the six mounts does.
cat >"$work/inside" <<'INSIDE'
#!/usr/bin/env bash
set -e
rootfs=$1 work=$2 uid=$3
shift 3
mount --bind "$rootfs" "$rootfs"
for pair in project:workspace/project dinov3:workspace/dinov3 references:opt/references exports:exports cache:cache \
  output:workspace/output; do
  mount --bind "$work/${pair%%:*}" "$rootfs/${pair#*:}"
done
for pair in weights:workspace/weights datasets:opt/datasets train:workspace/data; do
  mount --bind "$work/${pair%%:*}" "$rootfs/${pair#*:}"
  mount -o remount,bind,ro "$rootfs/${pair#*:}"
done
mount -t proc proc "$rootfs/proc"
mount --rbind /dev "$rootfs/dev"
mount -t tmpfs -o mode=1777 tmpfs "$rootfs/tmp"
mount -o remount,bind,ro "$rootfs"
environment=$(cat "$work/environment")
cd "$rootfs"
exec chroot "$rootfs" /usr/bin/setpriv --reuid "$uid" --regid "$uid" --clear-groups --inh-caps=-all --bounding-set=-all \
  --no-new-privs /usr/bin/env -i TERM=xterm-256color ${OMP_WAIT_POLICY:+OMP_WAIT_POLICY="$OMP_WAIT_POLICY"} $environment /bin/bash -c 'cd /workspace/project && exec "$@"' _ "$@"
INSIDE
chmod +x "$work/inside"
sed -n '/^ENV /,/[^\\]$/p' "$(dirname "${BASH_SOURCE[0]}")/../Dockerfile" | sed 's/^ENV//; s/\\$//' | tr -s ' \n' ' ' >"$work/environment"
inside() { unshare --mount --pid --fork --kill-child "$work/inside" "$rootfs" "$work" "$uid" "$@"; }
entry() { inside /opt/imatch-lua/words/entrypoint "$@"; }

step() {
  local name=$1 from=${EPOCHREALTIME/,/.}
  shift
  "$@" >"$work/log" 2>&1 || { tail -n 30 "$work/log" >&2; fail "$name"; }
  awk -v name="$name" -v from="$from" -v to="${EPOCHREALTIME/,/.}" 'BEGIN { printf "%-58s %6.1f s\n", name, to - from }'
}
step "id, read-only root" inside bash -c '[[ $(id -u) != 0 ]] && ! touch /opt/imatch-lua/x 2>/dev/null && ! touch /workspace/weights/x 2>/dev/null && ! command -v gcc cc make'
step "--version" entry --version
step "health check" inside imatch-lua doctor --health

# photo I FRAME PATH: the photo of a frame, or without DATA one of the two in docs/.
photo() { if [[ -n $data ]]; then cp "$data/seneca/IMG_$2.jpg" "$3"; elif (($1 % 2)); then cp "$docs/a.jpg" "$3"; else cp "$docs/b.jpg" "$3"; fi; }
mkdir -p "$work/datasets/S_300" "$work/datasets/S_400"
n=0
for i in 0446 0449 0452; do photo $((++n)) $i "$work/datasets/S_300/S_300_$i.jpg"; done
for i in 0455 0458 0461; do photo $((++n)) $i "$work/datasets/S_400/S_400_$i.jpg"; done
step "main job" entry /opt/imatch-lua/share/imatch-lua/experiments/sweep_thresholds.lua
ls "$work"/project/runs/*/*/report.html >/dev/null || fail "no report"
step "run --weights efficientnet_lite0 -a 400 -b 300" inside run --weights efficientnet_lite0 -a 400 -b 300
[[ $(find "$work/exports/pair_match" -name '*.json' | wc -l) == 9 ]] || fail "run wrote no 9 pair files"
step "vis -a" inside vis -a
[[ $(find "$work/exports/pair_viz" -name '*.jpg' | wc -l) -ge 9 ]] || fail "vis drew no 9 pictures"
step "doctor" inside doctor
cp "$work/log" "$work/doctor"

for i in 0464 0467 0470 0473; do photo $((++n)) $i "$work/train/$i.jpg"; done
step "image named patchcore-trainer: --data-dir ..." entry --data-dir /workspace/data --output /workspace/output --pattern-name my_model
step "patchcore-trainer --data-dir ..." entry patchcore-trainer --data-dir /workspace/data --output /workspace/output --pattern-name my_model2
for file in my_model.xml my_model.bin checkpoint.ckpt config.yaml; do [[ -s $work/output/my_model/$file ]] || fail "no $file"; done

mkdir "$work/project/json"
cat >"$work/project/json/data_key.json" <<'JSON'
{ "datasets": { "d": { "root": ".", "folder_template": "S_{capture_id}", "filename_template": "S_{capture_id}_{frame:04d}.jpg",
    "images": { "300": 300, "400": 400 } } },
  "weights": { "w": { "f": { "efficientnet_lite0": ["efficientnet_lite0", "none.pth", "LVD"] } } } }
JSON
cat >"$work/project/json/manifest.json" <<'JSON'
{ "dataset_key": "d", "weight_set": "w", "experiment": { "variant": { "raw": true, "sub": { "use": false, "stride": [] } } },
  "models": [ { "weights": ["efficientnet_lite0"], "target_res": 448, "embedding_cfg": null,
    "image_groups": [ { "folder": ["300", "400"], "indices": [446, 461] } ],
    "outputs": { "global": { "npy": true, "json": true }, "patch": { "npy": false, "json": false }, "grid": { "npy": false, "json": false } },
    "run": { "test_embedding": true, "generate_denseft": false } } ] }
JSON
step "python run_manifest.py --manifest json/manifest.json" inside bash -c 'python run_manifest.py --manifest json/manifest.json; test $(find /exports/dinov3_embeds -name "Global*.npy" | wc -l) = 6'
if command -v redis-server >/dev/null; then
  redis-server --port 16399 --save '' --dir "$work" >/dev/null &
  server=$!
  sleep 1
  step "match_faiss_gpu.py" inside env RAW_EMBED_ROOT=/exports/dinov3_embeds/d RAW_REFERENCE_ROOT=/exports/dinov3_embeds/d match_faiss_gpu.py
  step "search --redis" inside search --data-root /exports/dinov3_embeds/d --reference-root /exports/dinov3_embeds/d --redis redis://127.0.0.1:16399/0
  [[ $(redis-cli -p 16399 xlen coarse:stream) == 6 ]] || fail "Redis has not 6 rows"
else
  echo "skipped: there is no redis-server"
fi
if [[ -e $data/fox/Fox.glb ]]; then
  cp "$data/fox/Fox.glb" "$work/project/"
  step "dualpm raster on the fox" inside dualpm raster Fox.glb --count 2 --out /exports/fox
  [[ $(find "$work/exports/fox" -name '*.npz' -path '*pointmaps*' | wc -l) == 2 ]] || fail "raster left no 2 point maps"
else
  echo "skipped: no DATA with fox/Fox.glb for dualpm"
fi
if "$python" -c 'import pexpect' 2>/dev/null; then
  cat >"$work/session.py" <<'PY'
import pexpect, sys
session = pexpect.spawn(sys.argv[1], sys.argv[2:], encoding="utf-8", timeout=60, dimensions=(24, 100))
session.expect(">")
session.sendline("1 + 41")
session.expect("42")
session.sendline("im.version()['imatch-lua']")
session.expect(r"\d+\.\d+\.\d+")
session.expect("> ")
session.sendeof()
session.expect(pexpect.EOF)
PY
  step "interactive session through a pseudo-terminal" "$python" "$work/session.py" unshare --mount --pid --fork --kill-child "$work/inside" "$rootfs" "$work" "$uid" /opt/imatch-lua/words/entrypoint
else
  echo "skipped: no pexpect for the session"
fi
[[ -z $(find "$work/project" "$work/exports" "$work/output" "$work/cache" ! -user "$uid" ! -name data_key.json ! -name manifest.json ! -name json ! -name Fox.glb -print -quit) ]] ||
  fail "a file belongs to somebody else than the user"
echo "all files belong to user $uid; nothing was written elsewhere"
sed 's/^/doctor: /' "$work/doctor"
