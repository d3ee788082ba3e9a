#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# On a machine with a GPU, CMake, a compiler and the torch wheel with CUDA (and transformers, for the peers): builds gpu_check,
# compares the GPU with the CPU, measures, and measures the peers, within ten minutes. Everything is also written to OUT/gpu.log.
#
#   tests/gpu/run_on_gpu.sh [OUT]      OUT: build-gpu by default; PYTHON names the Python that has torch, JOBS the compilers
#
# Exit status 1 when something differs or does not build. Where one part fails, the others run all the same.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
out=${1:-build-gpu}
python=${PYTHON:-python3}
limit_s=570
failed=()
mkdir -p "$out"
exec > >(tee "$out/gpu.log") 2>&1

left() { echo $((limit_s - SECONDS > 10 ? limit_s - SECONDS : 10)); }
# part NAME SECONDS COMMAND...: runs it no longer than that, nor than there is time left.
part() {
  local name=$1 seconds=$2 from=$SECONDS
  shift 2
  echo "== $name"
  timeout "$((seconds < $(left) ? seconds : $(left)))" "$@" || failed+=("$name")
  echo "== $name: $((SECONDS - from)) s"
}

command -v nvidia-smi >/dev/null && nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv
torch=$("$python" -c 'import os, torch; print(os.path.dirname(torch.__file__))') || { echo "no torch in $python"; exit 1; }
"$python" -c 'import torch; print("PyTorch", torch.__version__, "CUDA", torch.version.cuda)'
generator=()
command -v ninja >/dev/null && generator=(-G Ninja)
# CUDA graphs need the headers crt/, NCCL those of cccl/ too, which the torch wheel does not ask for. Without a registry both are left out.
cuda=$("$python" -c 'import importlib.metadata as m; print(m.version("nvidia-cuda-nvrtc").rpartition(".")[0])' 2>/dev/null) &&
  timeout 60 "$python" -m pip install --quiet --no-deps --target "$out/headers" "nvidia-cuda-crt==$cuda.*" "nvidia-cuda-cccl==$cuda.*" ||
  echo "no headers for CUDA graphs and NCCL"
part configure 60 cmake -B "$out" "${generator[@]}" -DCMAKE_BUILD_TYPE=Release -DIMATCH_GPU_CHECK=ON -DIMATCH_TORCH="$torch"
part build 240 cmake --build "$out" -j "${JOBS:-$(nproc)}"
check=$out/tests/gpu/gpu_check
[[ -x $check ]] || { echo "run_on_gpu: gpu_check was not built"; exit 1; }

part kernels 120 "$check" --only kernels --no-throughput
part networks 90 "$check" --only networks --no-throughput
part matching 60 "$check" --only matching --no-throughput
part index 60 "$check" --only index --no-throughput
part "point maps" 90 "$check" --only point-maps
part "point maps in PyTorch" 60 "$python" bench/point_map_training.py --only bf16 --steps 10
part parts 30 "$check" --only parts
if "$python" -c 'import transformers' 2>/dev/null; then
  part "throughput and peers" 400 "$python" bench/gpu_peers.py --check "$check" --limit-s "$(($(left) / 2))"
else
  echo "transformers is not installed: no peers"
  part throughput 240 "$check" --throughput
fi
if ((${#failed[@]})); then
  echo "run_on_gpu: failed: ${failed[*]}, after $SECONDS s"
  exit 1
fi
echo "run_on_gpu: all parts passed in $SECONDS s"
