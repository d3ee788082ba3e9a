// SPDX-License-Identifier: Apache-2.0
//
// The rotary embedding of queries and keys, straight out of their common product: element d of a head is
// rotated with element d + half by the angle of (token, d). A thread takes a pack of the lower half and the
// one of the upper half; blockIdx.y is 0 for queries and 1 for keys.

/// `query`, `key`: rows (image, token) that begin `stride` elements apart, in each `heads` heads of 2 * half
/// elements. `cosines`, `sines`: [tokens, half] float. `out`: [2, rows, heads, 2 * half].
template <int N>
IMATCH_DEVICE void rotated_heads_of(const Number* query, const Number* key, const float* cosines,
                                    const float* sines, Number* out, long long rows, int tokens, int heads,
                                    int half, long long stride) {
  const long long row = row_of_thread();
  if (row >= rows) return;
  const Number* from = (blockIdx.y == 0 ? query : key) + row * stride;
  Number* to = out + (blockIdx.y * rows + row) * heads * 2 * half;
  const long long angles = row % tokens * half;
  for_packs_of_row<N>(heads * half, [&](int pack) {
    const int d = pack % half, place = pack / half * 2 * half + d;
    float low[N], high[N];
    load<N>(from + place, low);
    load<N>(from + place + half, high);
    for (int j = 0; j < N; ++j) {
      const float a = low[j], b = high[j], cosine = cosines[angles + d + j], sine = sines[angles + d + j];
      low[j] = a * cosine - b * sine;
      high[j] = b * cosine + a * sine;
    }
    store<N>(to + place, low);
    store<N>(to + place + half, high);
  });
}

IMATCH_KERNEL void rotated_heads(const Number* query, const Number* key, const float* cosines,
                                 const float* sines, Number* out, long long rows, int tokens, int heads,
                                 int half, long long stride) {
  rotated_heads_of<1>(query, key, cosines, sines, out, rows, tokens, heads, half, stride);
}
IMATCH_KERNEL void rotated_heads_wide(const Number* query, const Number* key, const float* cosines,
                                      const float* sines, Number* out, long long rows, int tokens, int heads,
                                      int half, long long stride) {
  rotated_heads_of<kWide>(query, key, cosines, sines, out, rows, tokens, heads, half, stride);
}
