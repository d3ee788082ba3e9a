// SPDX-License-Identifier: Apache-2.0
//
// What stands between the two products of a feed-forward part.

/// 1 + erf(x), twice the normal distribution's function of sqrt(2) x. For 16-bit numbers within 3e-7, by two
/// instructions of the special function unit where erff takes thirty of the others, for which the memory
/// would have to wait: Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26.
IMATCH_DEVICE float one_plus_erf(float x) {
#if IMATCH_NUMBER == 0
  return 1.0f + erff(x);
#else
  const float size = fabsf(x), t = fast_reciprocal(1.0f + 0.3275911f * size);
  const float powers =
      t * (0.254829592f + t * (-0.284496736f + t * (1.421413741f + t * (-1.453152027f + t * 1.061405429f))));
  const float tail = powers * fast_exp2(-1.44269504f * size * size);  // 1 - erf(size), without cancellation
  return x < 0 ? tail : 2.0f - tail;
#endif
}

/// Rows that a thread of bias_gelu takes, with the same biases.
constexpr int kGeluRows = 4;

/// y = gelu(y + bias), the exact GELU; a null bias is none.
template <int N>
IMATCH_DEVICE void bias_gelu_of(Number* y, const Number* bias, long long rows, int width) {
  const long long first_row = row_of_thread() * kGeluRows;
  for_packs_of_row<N>(width, [&](int first) {
    Pack<N> packs[kGeluRows] = {};
    IMATCH_UNROLL
    for (int i = 0; i < kGeluRows; ++i)
      if (first_row + i < rows) packs[i] = load_pack<N>(y + (first_row + i) * width + first);
    float biases[N] = {};
    if (bias) load<N>(bias + first, biases);
    IMATCH_UNROLL
    for (int i = 0; i < kGeluRows; ++i) {
      if (first_row + i >= rows) continue;
      float values[N];
      unpack(packs[i], values);
      for (int j = 0; j < N; ++j) {
        const float x = values[j] + biases[j];
        values[j] = 0.5f * x * one_plus_erf(x * 0.70710678f);
      }
      store<N>(y + (first_row + i) * width + first, values);
    }
  });
}

/// out = silu(gate) * value; rows of both begin `stride` elements apart, those of `out` `width`.
template <int N>
IMATCH_DEVICE void swiglu_of(const Number* gate, const Number* value, Number* out, long long rows, int width,
                             long long stride) {
  const long long row = row_of_thread();
  if (row >= rows) return;
  for_packs_of_row<N>(width, [&](int first) {
    float gates[N], values[N];
    load<N>(gate + row * stride + first, gates);
    load<N>(value + row * stride + first, values);
    for (int j = 0; j < N; ++j) values[j] *= gates[j] / (1.0f + expf(-gates[j]));
    store<N>(out + row * width + first, values);
  });
}

IMATCH_KERNEL void bias_gelu(Number* y, const Number* bias, long long rows, int width) {
  bias_gelu_of<1>(y, bias, rows, width);
}
IMATCH_KERNEL void bias_gelu_wide(Number* y, const Number* bias, long long rows, int width) {
  bias_gelu_of<kWide>(y, bias, rows, width);
}
IMATCH_KERNEL void swiglu(const Number* gate, const Number* value, Number* out, long long rows, int width,
                          long long stride) {
  swiglu_of<1>(gate, value, out, rows, width, stride);
}
IMATCH_KERNEL void swiglu_wide(const Number* gate, const Number* value, Number* out, long long rows,
                               int width, long long stride) {
  swiglu_of<kWide>(gate, value, out, rows, width, stride);
}
