// SPDX-License-Identifier: Apache-2.0
//
// Layer normalisation alone, and behind a residual connection. A warp takes a row (blockDim.x is 32). The
// first 32 * kKept packs of it stay in registers between the three passes (sum, squared deviations, result),
// which are exact where one pass over squares would cancel; the rest of a longer row is read again. Registers
// decide how many warps a multiprocessor runs, and so how many bytes are on their way: kKept is no larger
// than the width asks for (fused.cpp), the last digit of the kernel's name.

/// Calls `each(pack, first element)` for the packs of this thread.
template <int N, int kKept, class Each>
IMATCH_DEVICE void for_packs(int width, const Each& each) {
  IMATCH_UNROLL
  for (int k = 0; k < kKept; ++k) {
    const int first = (k * 32 + static_cast<int>(threadIdx.x)) * N;
    if (first < width) each(k, first);
  }
}
template <int N, int kKept, class Each>
IMATCH_DEVICE void for_rest(int width, const Each& each) {
  for (int first = (kKept * 32 + static_cast<int>(threadIdx.x)) * N; first < width; first += 32 * N)
    each(first);
}

/// The sum of the row's values, or with `power` 2 of the squares of what they differ from `mean`; `kept` has
/// the first packs of the row, and `row` all of it. Packs are kept as they are read, since bfloat16 takes
/// half the registers of float.
template <int power, int N, int kKept>
IMATCH_DEVICE float sum_of_row(const Number* row, const Pack<N> (&kept)[kKept], int width, float mean) {
  float sum = 0;
  const auto add = [&](const Pack<N>& pack) {
    float values[N];
    unpack(pack, values);
    for (int j = 0; j < N; ++j) sum += power == 1 ? values[j] : (values[j] - mean) * (values[j] - mean);
  };
  for_packs<N, kKept>(width, [&](int k, int) { add(kept[k]); });
  for_rest<N, kKept>(width, [&](int first) { add(load_pack<N>(row + first)); });
  return sum_of_warp(sum);
}

/// out = (row - mean) / sqrt(variance + eps) * weight + bias.
template <int N, int kKept>
IMATCH_DEVICE void normalise(const Number* row, const Pack<N> (&kept)[kKept], const Number* weight,
                             const Number* bias, Number* out, int width, float eps) {
  const float mean = sum_of_row<1>(row, kept, width, 0) / static_cast<float>(width);
  const float squares = sum_of_row<2>(row, kept, width, mean);
  const float scale = 1.0f / sqrtf(squares / static_cast<float>(width) + eps);
  const auto write = [&](int first, const Pack<N>& pack) {
    float values[N], weights[N], biases[N];
    unpack(pack, values);
    load<N>(weight + first, weights);
    load<N>(bias + first, biases);
    for (int j = 0; j < N; ++j) values[j] = (values[j] - mean) * scale * weights[j] + biases[j];
    store<N>(out + first, values);
  };
  for_packs<N, kKept>(width, [&](int k, int first) { write(first, kept[k]); });
  for_rest<N, kKept>(width, [&](int first) { write(first, load_pack<N>(row + first)); });
}

template <int N, int kKept>
IMATCH_DEVICE void layer_norm_of(const Number* x, const Number* weight, const Number* bias, Number* out,
                                 long long rows, int width, float eps) {
  const long long r = row_of_thread();
  if (r >= rows) return;
  const Number* row = x + r * width;
  Pack<N> kept[kKept];
  for_packs<N, kKept>(width, [&](int k, int first) { kept[k] = load_pack<N>(row + first); });
  normalise(row, kept, weight, bias, out + r * width, width, eps);
}

/// x += update * scale, and out = the layer norm of that.
template <int N, int kKept>
IMATCH_DEVICE void residual_norm_of(Number* x, const Number* update, const Number* scale,
                                    const Number* weight, const Number* bias, Number* out, long long rows,
                                    int width, float eps) {
  const long long r = row_of_thread();
  if (r >= rows) return;
  Number* row = x + r * width;
  const Number* update_row = update + r * width;
  const auto add = [&](int first, const Pack<N>& pack, const Pack<N>& more) {
    float values[N], updates[N], scales[N];
    unpack(pack, values);
    unpack(more, updates);
    load<N>(scale + first, scales);
    for (int j = 0; j < N; ++j) values[j] += updates[j] * scales[j];
    const Pack<N> sum = packed(values);
    store_pack(row + first, sum);
    return sum;
  };
  // All that a thread keeps is asked for before any of it is used.
  Pack<N> kept[kKept] = {}, updates[kKept] = {};
  for_packs<N, kKept>(width, [&](int k, int first) {
    kept[k] = load_pack<N>(row + first);
    updates[k] = load_pack<N>(update_row + first);
  });
  for_packs<N, kKept>(width, [&](int k, int first) { kept[k] = add(first, kept[k], updates[k]); });
  for_rest<N, kKept>(
      width, [&](int first) { add(first, load_pack<N>(row + first), load_pack<N>(update_row + first)); });
  // A thread reads again only what it has written itself.
  normalise(row, kept, weight, bias, out + r * width, width, eps);
}

#define IMATCH_NORM_KERNELS(suffix, N, kept)                                                       \
  IMATCH_KERNEL void layer_norm##suffix(const Number* x, const Number* weight, const Number* bias, \
                                        Number* out, long long rows, int width, float eps) {       \
    layer_norm_of<N, kept>(x, weight, bias, out, rows, width, eps);                                \
  }                                                                                                \
  IMATCH_KERNEL void residual_norm##suffix(Number* x, const Number* update, const Number* scale,   \
                                           const Number* weight, const Number* bias, Number* out,  \
                                           long long rows, int width, float eps) {                 \
    residual_norm_of<N, kept>(x, update, scale, weight, bias, out, rows, width, eps);              \
  }
IMATCH_NORM_KERNELS(, 1, 8)
IMATCH_NORM_KERNELS(_wide_2, kWide, 2)
IMATCH_NORM_KERNELS(_wide_4, kWide, 4)
#undef IMATCH_NORM_KERNELS
