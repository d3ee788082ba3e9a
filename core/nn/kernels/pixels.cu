// SPDX-License-Identifier: Apache-2.0
//
// Pictures on their way into a network.

/// Three values by name: kernels take no arrays.
struct Channels {
  float red, green, blue;
};

/// `bytes` [rows, width, 3], where a picture has `height` rows -> `out` [pictures, 3, height, width]: (sample
/// / 255 - mean) / std.
IMATCH_KERNEL void normalized_pixels(const unsigned char* bytes, Number* out, long long rows, int height,
                                     int width, Channels mean, Channels std) {
  const long long row = row_of_thread();
  if (row >= rows) return;
  const long long pixels = static_cast<long long>(height) * width;
  for_packs_of_row<1>(width, [&](int x) {
    const unsigned char* rgb = bytes + 3 * (row * width + x);
    Number* to = out + row / height * 3 * pixels + row % height * width + x;
    to[0] = to_number((static_cast<float>(rgb[0]) / 255.0f - mean.red) / std.red);
    to[pixels] = to_number((static_cast<float>(rgb[1]) / 255.0f - mean.green) / std.green);
    to[2 * pixels] = to_number((static_cast<float>(rgb[2]) / 255.0f - mean.blue) / std.blue);
  });
}

/// `images` [pictures, 3, rows * side, cols * side] -> `out` [patches, padded], patches = pictures * rows *
/// cols: a row has the 3 * side * side values of a patch, and zeros up to `padded`.
IMATCH_KERNEL void patch_rows(const Number* images, Number* out, long long patches, int rows, int cols,
                              int side, int padded) {
  const long long patch = row_of_thread();
  if (patch >= patches) return;
  const int col = static_cast<int>(patch % cols), row = static_cast<int>(patch / cols % rows);
  const long long height = static_cast<long long>(rows) * side, width = static_cast<long long>(cols) * side;
  const Number* corner = images + (patch / cols / rows * 3 * height + row * side) * width + col * side;
  for_packs_of_row<1>(padded, [&](int element) {
    Number value = to_number(0.0f);
    if (element < 3 * side * side)
      value = corner[(element / (side * side) * height + element / side % side) * width + element % side];
    out[patch * padded + element] = value;
  });
}
