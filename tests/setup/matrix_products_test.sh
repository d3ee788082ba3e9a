#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# In the program itself LibTorch comes before OpenBLAS, which has the same names for matrix products and is slower beside
# LibTorch's threads: the first library with a name gets the calls.
set -u
program=${IMATCH_LUA:-build/imatch-lua}
first=$(LC_ALL=C readelf -d "$program" | grep -oE '\(NEEDED\).*\[(libtorch_cpu|libopenblas|libblas|libmkl)[^]]*\]' | head -n 1)
[[ $first == *libtorch_cpu* ]] || { echo "$program gets its matrix products from: ${first:-no library}"; exit 1; }
bound=$(LD_DEBUG=bindings LD_BIND_NOW=1 "$program" -e '' 2>&1 | grep -E "symbol .sgemm_'" | grep -v 'to [^ ]*libtorch_cpu' | head -n 3)
[[ -z $bound ]] || { echo "sgemm_ is bound elsewhere:"; echo "$bound"; exit 1; }
echo "matrix products: LibTorch's"
