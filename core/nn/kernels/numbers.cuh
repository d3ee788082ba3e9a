// SPDX-License-Identifier: Apache-2.0
//
// What all kernels share. They are compiled at run time (cuda/kernels.h), once for each number type, which
// IMATCH_NUMBER names: 0 float, 1 bfloat16, 2 float16. Nothing is included, since NVRTC comes without CUDA's
// headers. The same sources are compiled for the CPU by tests/nn/host_kernels.h, which says what a block's
// threads do there; what only the GPU's compiler knows stands under __CUDACC_RTC__.
//
// Tensors are row-major; a kernel NAME reads and writes element by element, NAME_wide in packs of 16 bytes:
// then every row must begin at a multiple of 16 bytes and have a multiple of kWide elements.

#ifdef __CUDACC_RTC__
#define IMATCH_KERNEL extern "C" __global__
#define IMATCH_DEVICE __device__ __forceinline__
#define IMATCH_MEMBER __device__ __forceinline__
#define IMATCH_UNROLL _Pragma("unroll")
#define IMATCH_UNROLL_4 _Pragma("unroll 4")
#endif

#if IMATCH_NUMBER == 0
using Number = float;
IMATCH_DEVICE float to_float(Number x) {
  return x;
}
IMATCH_DEVICE Number to_number(float x) {
  return x;
}
#elif IMATCH_NUMBER == 1
struct Number {
  unsigned short bits;
};
IMATCH_DEVICE float to_float(Number x) {
  return __uint_as_float(static_cast<unsigned>(x.bits) << 16);
}
/// The nearest, ties to even; NaN stays NaN.
IMATCH_DEVICE Number to_number(float x) {
  const unsigned bits = __float_as_uint(x);
  if ((bits & 0x7FFFFFFF) > 0x7F800000) return {0x7FFF};
  return {static_cast<unsigned short>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16)};
}
#else
struct Number {
  unsigned short bits;
};
#ifdef __CUDACC_RTC__
IMATCH_DEVICE float to_float(Number x) {
  float value;
  asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(x.bits));
  return value;
}
IMATCH_DEVICE Number to_number(float x) {
  Number value;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(value.bits) : "f"(x));
  return value;
}
#else
IMATCH_DEVICE float to_float(Number x) {
  return half_to_float(x.bits);
}
IMATCH_DEVICE Number to_number(float x) {
  return {float_to_half(x)};
}
#endif
#endif

#ifdef __CUDACC_RTC__
/// Within two units in the last place.
IMATCH_DEVICE float fast_exp2(float x) {
  float value;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(value) : "f"(x));
  return value;
}
IMATCH_DEVICE float fast_reciprocal(float x) {
  float value;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(value) : "f"(x));
  return value;
}
#endif

/// Elements of 16 bytes.
constexpr int kWide = 16 / sizeof(Number);

/// `N` elements that lie behind one another, read and written at once.
template <int N>
struct alignas(N * sizeof(Number)) Pack {
  Number of[N];
};

template <int N>
IMATCH_DEVICE Pack<N> load_pack(const Number* from) {
  return *reinterpret_cast<const Pack<N>*>(from);
}
template <int N>
IMATCH_DEVICE void store_pack(Number* to, const Pack<N>& pack) {
  *reinterpret_cast<Pack<N>*>(to) = pack;
}

template <int N>
IMATCH_DEVICE void unpack(const Pack<N>& pack, float (&values)[N]) {
  IMATCH_UNROLL
  for (int j = 0; j < N; ++j) values[j] = to_float(pack.of[j]);
}
template <int N>
IMATCH_DEVICE Pack<N> packed(const float (&values)[N]) {
  Pack<N> pack;
#if defined(__CUDACC_RTC__) && IMATCH_NUMBER != 0 && __CUDA_ARCH__ >= 800
  // Two at once, in one instruction, which also keeps NaN.
  if constexpr (N % 2 == 0) {
    IMATCH_UNROLL
    for (int j = 0; j < N; j += 2) {
      unsigned both;
#if IMATCH_NUMBER == 1
      asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(both) : "f"(values[j + 1]), "f"(values[j]));
#else
      asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(both) : "f"(values[j + 1]), "f"(values[j]));
#endif
      pack.of[j].bits = static_cast<unsigned short>(both);
      pack.of[j + 1].bits = static_cast<unsigned short>(both >> 16);
    }
    return pack;
  }
#endif
  IMATCH_UNROLL
  for (int j = 0; j < N; ++j) pack.of[j] = to_number(values[j]);
  return pack;
}

template <int N>
IMATCH_DEVICE void load(const Number* from, float (&values)[N]) {
  unpack(load_pack<N>(from), values);
}
template <int N>
IMATCH_DEVICE void store(Number* to, const float (&values)[N]) {
  store_pack(to, packed(values));
}

/// The sum over the 32 threads of a warp, the same in each of them.
IMATCH_DEVICE float sum_of_warp(float value) {
  IMATCH_UNROLL
  for (int offset = 16; offset > 0; offset /= 2) value += __shfl_xor_sync(0xFFFFFFFF, value, offset);
  return value;
}

/// Kernels over rows: threadIdx.x is the place along a row, and this the row, of which the last block may
/// have too many.
IMATCH_DEVICE long long row_of_thread() {
  return static_cast<long long>(blockIdx.x) * blockDim.y + threadIdx.y;
}

/// Calls `each` with the first element of every pack of a row that is this thread's.
template <int N, class Each>
IMATCH_DEVICE void for_packs_of_row(int width, const Each& each) {
  for (int first = static_cast<int>(threadIdx.x) * N; first < width;
       first += static_cast<int>(blockDim.x) * N)
    each(first);
}
