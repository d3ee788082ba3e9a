// SPDX-License-Identifier: Apache-2.0
// What this machine can do at most, now, on all cores that this process may use: multiply-adds of registers
// in float32 and in 8 bits (0: the processor has no instruction for them), operations a second, a
// multiply-add being two; and bytes a second read from memory. bench/run compiles it for the machine it runs
// on, and prints three numbers on a line.
#include <immintrin.h>
#include <sched.h>
#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

namespace {

#if defined(__AVX512F__)
constexpr int kBytes = 64;
#else
constexpr int kBytes = 32;
#endif
using Floats = float __attribute__((vector_size(kBytes)));
using Words = std::int64_t __attribute__((vector_size(kBytes)));

constexpr int kChains = 12;  // more than latency times multipliers: none waits for another
constexpr long kSteps = 6'000'000;
constexpr int kPasses = 2;
constexpr std::size_t kWords = std::size_t{64} << 20 >> 3;  // of a thread; together more than any cache
volatile double sink;

void multiply_floats() {
  Floats sums[kChains] = {};
  const Floats a = Floats{} + 0.5f, b = Floats{} + 1.25f;
  for (long i = 0; i < kSteps; ++i)
#pragma GCC unroll 12
    for (int k = 0; k < kChains; ++k) {
      sums[k] = sums[k] * a + b;
      asm volatile("" : "+v"(sums[k]));
    }
#pragma GCC unroll 12
  for (int k = 1; k < kChains; ++k) sums[0] += sums[k];  // unrolled as well: else the sums stay in memory
  sink = sums[0][0];
}

#if defined(__AVX512VNNI__) || defined(__AVXVNNI__)
constexpr bool kHasInt8 = true;
#if defined(__AVX512VNNI__)
using Ints = __m512i;
Ints product(Ints sum, Ints a, Ints b) {
  return _mm512_dpbusd_epi32(sum, a, b);
}
#else
using Ints = __m256i;
Ints product(Ints sum, Ints a, Ints b) {
  return _mm256_dpbusd_avx_epi32(sum, a, b);
}
#endif
constexpr double kInt8Products = sizeof(Ints);
void multiply_bytes() {
  Ints sums[kChains] = {}, a{}, b{};
  asm volatile("" : "+v"(a), "+v"(b));
  for (long i = 0; i < kSteps; ++i)
#pragma GCC unroll 12
    for (int k = 0; k < kChains; ++k) {
      sums[k] = product(sums[k], a, b);
      asm volatile("" : "+v"(sums[k]));
    }
#pragma GCC unroll 12
  for (int k = 1; k < kChains; ++k) sums[0] += sums[k];
  sink = static_cast<double>(sums[0][0]);
}
#else
constexpr bool kHasInt8 = false;
constexpr double kInt8Products = 0;
void multiply_bytes() {}
#endif

/// In large pages, where the system gives them: small ones cost a third of the rate.
std::int64_t* large_memory() {
  constexpr std::size_t kPage = std::size_t{2} << 20;
  void* const memory = std::aligned_alloc(kPage, kWords * sizeof(std::int64_t));
  if (!memory) std::abort();
  madvise(memory, kWords * sizeof(std::int64_t), MADV_HUGEPAGE);
  std::fill_n(static_cast<std::int64_t*>(memory), kWords, std::int64_t{1});
  return static_cast<std::int64_t*>(memory);
}

void read_memory(const std::int64_t* words) {
  Words sums[8] = {};
  const auto* from = reinterpret_cast<const Words*>(words);
  for (int pass = 0; pass < kPasses; ++pass)
    for (std::size_t i = 0; i < kWords * sizeof(std::int64_t) / kBytes; i += 8)
#pragma GCC unroll 8
      for (std::size_t k = 0; k < 8; ++k) sums[k] += from[i + k];
#pragma GCC unroll 8
  for (std::size_t k = 1; k < 8; ++k) sums[0] += sums[k];
  sink = static_cast<double>(sums[0][0]);
}

/// Amount a second of the best of some turns of all threads, `amount` being that of one thread in one turn.
template <class Work>
double best_rate(unsigned threads, double amount, const Work& work) {
  double best = 0;
  for (int turn = 0; turn < 7; ++turn) {
    std::vector<std::thread> running;
    const auto start = std::chrono::steady_clock::now();
    for (unsigned t = 0; t < threads; ++t) running.emplace_back([&, t] { work(t); });
    for (std::thread& thread : running) thread.join();
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    best = std::max(best, threads * amount / elapsed.count());
  }
  return best;
}

}  // namespace

int main() {
  cpu_set_t cores;
  const bool known = sched_getaffinity(0, sizeof cores, &cores) == 0;
  const unsigned threads =
      known ? static_cast<unsigned>(CPU_COUNT(&cores)) : std::thread::hardware_concurrency();
  const double products = 2.0 * kChains * kSteps;
  const double fp32 =
      best_rate(threads, products * (kBytes / sizeof(float)), [](unsigned) { multiply_floats(); });
  const double int8 =
      kHasInt8 ? best_rate(threads, products * kInt8Products, [](unsigned) { multiply_bytes(); }) : 0;
  std::vector<const std::int64_t*> memory;
  for (unsigned t = 0; t < threads; ++t) memory.push_back(large_memory());
  const double bytes =
      best_rate(threads, 8.0 * kPasses * kWords, [&](unsigned t) { read_memory(memory[t]); });
  std::printf("%.6g %.6g %.6g\n", fp32, int8, bytes);
}
