// SPDX-License-Identifier: Apache-2.0
//
// What stands between the two products of a feed-forward part.

/// y = gelu(y + bias), the exact GELU; a null bias is none.
template <int N>
IMATCH_DEVICE void bias_gelu_of(Number* y, const Number* bias, long long rows, int width) {
  const long long row = row_of_thread();
  if (row >= rows) return;
  for_packs_of_row<N>(width, [&](int first) {
    float values[N], biases[N] = {};
    load<N>(y + row * width + first, values);
    if (bias) load<N>(bias + first, biases);
    for (int j = 0; j < N; ++j) {
      const float x = values[j] + biases[j];
      values[j] = 0.5f * x * (1.0f + erff(x * 0.70710678f));
    }
    store<N>(y + row * width + first, values);
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
