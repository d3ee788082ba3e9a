// SPDX-License-Identifier: Apache-2.0
//
// Group normalisation of channels-last tensors [images, pixels, channels], with SiLU behind it where `silu`
// is 1, forward and backward; and the scaled sum of two tensors. Parameters and sums are float32.
//
// A thread has a pack of channels and goes through pixels; a warp (blockDim.x is 32) has 32 packs beside one
// another, or several pixels at once where there are fewer. So that sums need neither shared memory nor
// atomics, and come out the same each time, each thread leaves its own: `partial` [images, entries, channels,
// 2], entry = chunk * (pixels at once) + which of them. A second kernel adds them up.

/// Which part of the tensor a thread has.
struct NormPart {
  int channels, at_once, first_channel;
  long long image, entry;
  int first_pixel, end_pixel;
  bool none;

  /// `per_warp`: pixels of a chunk; `chunks` of them cover an image.
  template <int N>
  static IMATCH_MEMBER NormPart of(long long images, int pixels, int channels, int per_warp, int chunks) {
    const int packs = channels / N, lane = static_cast<int>(threadIdx.x);
    const int beside = packs < 32 ? 1 : (packs + 31) / 32;
    NormPart part{};
    part.channels = channels;
    part.at_once = packs < 32 ? 32 / packs : 1;
    const long long warp = row_of_thread();
    const int column = static_cast<int>(warp % beside);
    const long long chunk_of_all = warp / beside;
    const int chunk = static_cast<int>(chunk_of_all % chunks);
    part.image = chunk_of_all / chunks;
    const int pack = packs < 32 ? lane % packs : column * 32 + lane, which = packs < 32 ? lane / packs : 0;
    part.none = part.image >= images || pack >= packs || which >= part.at_once;
    part.first_channel = pack * N;
    part.entry = (part.image * chunks + chunk) * part.at_once + which;
    part.first_pixel = chunk * per_warp + which;
    part.end_pixel = (chunk + 1) * per_warp < pixels ? (chunk + 1) * per_warp : pixels;
    return part;
  }

  /// Calls `each` with the place of this thread's channels in each of its pixels.
  template <class Each>
  IMATCH_MEMBER void for_pixels(int pixels, const Each& each) const {
    IMATCH_UNROLL_4
    for (int pixel = first_pixel; pixel < end_pixel; pixel += at_once)
      each((image * pixels + pixel) * channels + first_channel);
  }

  template <int N>
  IMATCH_MEMBER void leave(float* partial, const float (&first)[N], const float (&second)[N]) const {
    float* to = partial + (entry * channels + first_channel) * 2;
    IMATCH_UNROLL
    for (int j = 0; j < N; ++j) to[2 * j] = first[j], to[2 * j + 1] = second[j];
  }
};

/// 1 / (1 + exp(-z)).
IMATCH_DEVICE float sigmoid(float z) {
#if IMATCH_NUMBER == 0
  return 1.0f / (1.0f + expf(-z));
#else
  return fast_reciprocal(1.0f + fast_exp2(-1.44269504f * z));
#endif
}

/// What x is before the activation: normalised, z = (x - mean) / std * weight + bias.
template <int N>
struct Normalisation {
  float means[N], scales[N], weights[N], biases[N];

  /// `statistics` [images, groups, 2]: mean and 1 / std.
  IMATCH_MEMBER Normalisation(const NormPart& part, const float* statistics, const float* weight,
                              const float* bias, int groups) {
    const int of_group = part.channels / groups;
    IMATCH_UNROLL
    for (int j = 0; j < N; ++j) {
      const int channel = part.first_channel + j;
      const float* pair = statistics + (part.image * groups + channel / of_group) * 2;
      means[j] = pair[0], scales[j] = pair[1];
      weights[j] = weight[channel], biases[j] = bias[channel];
    }
  }
  IMATCH_MEMBER float normalised(float x, int j) const { return (x - means[j]) * scales[j]; }
  /// Of the loss by z, from that by the result.
  IMATCH_MEMBER float before_activation(float gradient, float normalised_x, int j, int silu) const {
    if (!silu) return gradient;
    const float z = normalised_x * weights[j] + biases[j], s = sigmoid(z);
    return gradient * s * (1.0f + z * (1.0f - s));
  }
};

/// Sums of what x differs from the first value of its group, which is near the mean for the purpose, and of
/// the squares of that.
template <int N>
IMATCH_DEVICE void group_norm_sums_of(const Number* x, float* partial, long long images, int pixels,
                                      int channels, int groups, int per_warp, int chunks) {
  const NormPart part = NormPart::of<N>(images, pixels, channels, per_warp, chunks);
  if (part.none) return;
  float first[N], sums[N] = {}, squares[N] = {};
  const int of_group = channels / groups;
  IMATCH_UNROLL
  for (int j = 0; j < N; ++j)
    first[j] = to_float(x[part.image * pixels * channels + (part.first_channel + j) / of_group * of_group]);
  part.for_pixels(pixels, [&](long long at) {
    float values[N];
    load<N>(x + at, values);
    for (int j = 0; j < N; ++j) {
      const float off = values[j] - first[j];
      sums[j] += off;
      squares[j] += off * off;
    }
  });
  part.leave(partial, sums, squares);
}

/// Adds up both sums of a group over its channels (each with its factor) and all entries; a warp has a group.
template <class FactorOf>
IMATCH_DEVICE void sums_of_group(const float* partial, long long image, int group, int entries, int channels,
                                 int of_group, const FactorOf& factor_of, float& first, float& second) {
  first = second = 0;
  for (int i = static_cast<int>(threadIdx.x); i < entries * of_group; i += 32) {
    const int channel = group * of_group + i % of_group;
    const float* pair = partial + ((image * entries + i / of_group) * channels + channel) * 2;
    const float factor = factor_of(channel);
    first += factor * pair[0], second += factor * pair[1];
  }
  first = sum_of_warp(first), second = sum_of_warp(second);
}

IMATCH_KERNEL void group_norm_statistics(const Number* x, const float* partial, float* statistics,
                                         long long images, int pixels, int channels, int groups, int entries,
                                         float eps) {
  const long long row = row_of_thread();
  if (row >= images * groups) return;
  const long long image = row / groups;
  const int group = static_cast<int>(row % groups), of_group = channels / groups;
  float sum, squares;
  sums_of_group(
      partial, image, group, entries, channels, of_group, [](int) { return 1.0f; }, sum, squares);
  const float count = static_cast<float>(pixels) * static_cast<float>(of_group), mean = sum / count;
  const float variance = squares / count - mean * mean;
  if (threadIdx.x != 0) return;
  statistics[2 * row] = to_float(x[image * pixels * channels + group * of_group]) + mean;
  statistics[2 * row + 1] = 1.0f / sqrtf((variance > 0 ? variance : 0) + eps);
}

template <int N>
IMATCH_DEVICE void group_norm_apply_of(const Number* x, const float* statistics, const float* weight,
                                       const float* bias, Number* out, long long images, int pixels,
                                       int channels, int groups, int per_warp, int chunks, int silu) {
  const NormPart part = NormPart::of<N>(images, pixels, channels, per_warp, chunks);
  if (part.none) return;
  const Normalisation<N> norm(part, statistics, weight, bias, groups);
  part.for_pixels(pixels, [&](long long at) {
    float values[N];
    load<N>(x + at, values);
    for (int j = 0; j < N; ++j) {
      const float z = norm.normalised(values[j], j) * norm.weights[j] + norm.biases[j];
      values[j] = silu ? z * sigmoid(z) : z;
    }
    store<N>(out + at, values);
  });
}

/// Sums of the gradient by z times the normalised x, and of the gradient by z: what the gradients of weight
/// and bias are made of, and that of x needs.
template <int N>
IMATCH_DEVICE void group_norm_gradient_sums_of(const Number* x, const Number* gradient,
                                               const float* statistics, const float* weight,
                                               const float* bias, float* partial, long long images,
                                               int pixels, int channels, int groups, int per_warp, int chunks,
                                               int silu) {
  const NormPart part = NormPart::of<N>(images, pixels, channels, per_warp, chunks);
  if (part.none) return;
  const Normalisation<N> norm(part, statistics, weight, bias, groups);
  float products[N] = {}, sums[N] = {};
  part.for_pixels(pixels, [&](long long at) {
    float values[N], gradients[N];
    load<N>(x + at, values);
    load<N>(gradient + at, gradients);
    for (int j = 0; j < N; ++j) {
      const float normalised = norm.normalised(values[j], j);
      const float by_z = norm.before_activation(gradients[j], normalised, j, silu);
      products[j] += by_z * normalised;
      sums[j] += by_z;
    }
  });
  part.leave(partial, products, sums);
}

/// `means` [images, groups, 2]: those sums, weighted, as means over the group.
IMATCH_KERNEL void group_norm_gradient_means(const float* partial, const float* weight, float* means,
                                             long long images, int pixels, int channels, int groups,
                                             int entries) {
  const long long row = row_of_thread();
  if (row >= images * groups) return;
  const int of_group = channels / groups;
  float products, sums;
  sums_of_group(
      partial, row / groups, static_cast<int>(row % groups), entries, channels, of_group,
      [&](int channel) { return weight[channel]; }, products, sums);
  const float count = static_cast<float>(pixels) * static_cast<float>(of_group);
  if (threadIdx.x == 0) means[2 * row] = products / count, means[2 * row + 1] = sums / count;
}

/// Of weight and bias, [channels] each; a warp has a channel.
IMATCH_KERNEL void group_norm_parameter_gradients(const float* partial, float* by_weight, float* by_bias,
                                                  long long rows, int channels) {
  const long long channel = row_of_thread();
  if (channel >= channels) return;
  float products = 0, sums = 0;
  for (long long row = threadIdx.x; row < rows; row += 32) {
    const float* pair = partial + (row * channels + channel) * 2;
    products += pair[0], sums += pair[1];
  }
  products = sum_of_warp(products), sums = sum_of_warp(sums);
  if (threadIdx.x == 0) by_weight[channel] = products, by_bias[channel] = sums;
}

template <int N>
IMATCH_DEVICE void group_norm_gradient_of(const Number* x, const Number* gradient, const float* statistics,
                                          const float* means, const float* weight, const float* bias,
                                          Number* out, long long images, int pixels, int channels, int groups,
                                          int per_warp, int chunks, int silu) {
  const NormPart part = NormPart::of<N>(images, pixels, channels, per_warp, chunks);
  if (part.none) return;
  const Normalisation<N> norm(part, statistics, weight, bias, groups);
  float of_products[N], of_sums[N];
  const int of_group = channels / groups;
  IMATCH_UNROLL
  for (int j = 0; j < N; ++j) {
    const float* pair = means + (part.image * groups + (part.first_channel + j) / of_group) * 2;
    of_products[j] = pair[0], of_sums[j] = pair[1];
  }
  part.for_pixels(pixels, [&](long long at) {
    float values[N], gradients[N];
    load<N>(x + at, values);
    load<N>(gradient + at, gradients);
    for (int j = 0; j < N; ++j) {
      const float normalised = norm.normalised(values[j], j);
      const float by_z = norm.before_activation(gradients[j], normalised, j, silu);
      values[j] = (by_z * norm.weights[j] - of_sums[j] - normalised * of_products[j]) * norm.scales[j];
    }
    store<N>(out + at, values);
  });
}

/// out = (a + b) * scale; rows of `width` elements.
template <int N>
IMATCH_DEVICE void scaled_sum_of(const Number* a, const Number* b, Number* out, long long rows, int width,
                                 float scale) {
  const long long row = row_of_thread();
  if (row >= rows) return;
  for_packs_of_row<N>(width, [&](int first) {
    float left[N], right[N];
    load<N>(a + row * width + first, left);
    load<N>(b + row * width + first, right);
    for (int j = 0; j < N; ++j) left[j] = (left[j] + right[j]) * scale;
    store<N>(out + row * width + first, left);
  });
}

#define IMATCH_GROUP_NORM_KERNELS(suffix, N)                                                                 \
  IMATCH_KERNEL void group_norm_sums##suffix(const Number* x, float* partial, long long images, int pixels,  \
                                             int channels, int groups, int per_warp, int chunks) {           \
    group_norm_sums_of<N>(x, partial, images, pixels, channels, groups, per_warp, chunks);                   \
  }                                                                                                          \
  IMATCH_KERNEL void group_norm_apply##suffix(                                                               \
      const Number* x, const float* statistics, const float* weight, const float* bias, Number* out,         \
      long long images, int pixels, int channels, int groups, int per_warp, int chunks, int silu) {          \
    group_norm_apply_of<N>(x, statistics, weight, bias, out, images, pixels, channels, groups, per_warp,     \
                           chunks, silu);                                                                    \
  }                                                                                                          \
  IMATCH_KERNEL void group_norm_gradient_sums##suffix(                                                       \
      const Number* x, const Number* gradient, const float* statistics, const float* weight,                 \
      const float* bias, float* partial, long long images, int pixels, int channels, int groups,             \
      int per_warp, int chunks, int silu) {                                                                  \
    group_norm_gradient_sums_of<N>(x, gradient, statistics, weight, bias, partial, images, pixels, channels, \
                                   groups, per_warp, chunks, silu);                                          \
  }                                                                                                          \
  IMATCH_KERNEL void group_norm_gradient##suffix(                                                            \
      const Number* x, const Number* gradient, const float* statistics, const float* means,                  \
      const float* weight, const float* bias, Number* out, long long images, int pixels, int channels,       \
      int groups, int per_warp, int chunks, int silu) {                                                      \
    group_norm_gradient_of<N>(x, gradient, statistics, means, weight, bias, out, images, pixels, channels,   \
                              groups, per_warp, chunks, silu);                                               \
  }                                                                                                          \
  IMATCH_KERNEL void scaled_sum##suffix(const Number* a, const Number* b, Number* out, long long rows,       \
                                        int width, float scale) {                                            \
    scaled_sum_of<N>(a, b, out, rows, width, scale);                                                         \
  }
IMATCH_GROUP_NORM_KERNELS(, 1)
IMATCH_GROUP_NORM_KERNELS(_wide, kWide)
#undef IMATCH_GROUP_NORM_KERNELS
