// SPDX-License-Identifier: Apache-2.0
#include "backbone/user_network.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.h"
#include "nn/graph_writer.h"

namespace imatch {
namespace {

std::string shape_text(const at::Tensor& tensor) {
  return fmt::format("[{}]", fmt::join(tensor.sizes(), ", "));
}

std::array<float, 3> three(const std::vector<double>& values, const char* name) {
  if (values.size() != 3)
    throw Error(fmt::format("{}: {} numbers; expected three, for red, green and blue", name, values.size()));
  return {static_cast<float>(values[0]), static_cast<float>(values[1]), static_cast<float>(values[2])};
}

}  // namespace

UserNetwork::UserNetwork(std::string title, const UserNetworkOptions& options)
    : title_(std::move(title)), options_(options), input_size_{.multiple_px = options.stride} {
  const std::vector<int>& size = options.input_size;
  if (!size.empty() && (size.size() != 2 || std::ranges::min(size) < 1))
    refuse(fmt::format("input_size: {{{}}} is not allowed; expected {{height, width}} in pixels",
                       fmt::join(size, ", ")));
  if (size.size() == 2) set_fixed_size(size[0], size[1]);
  if (options.prefix_tokens > 0 && options.layout != "tokens")
    refuse(fmt::format("prefix_tokens: {} with layout = '{}'; only 'tokens' has them", options.prefix_tokens,
                       options.layout));
}

void UserNetwork::set_fixed_size(int height_px, int width_px) {
  input_size_ = {.multiple_px = 1, .fixed_height_px = height_px, .fixed_width_px = width_px};
}

void UserNetwork::refuse(const std::string& what) const {
  throw Error(title_ + ": " + what);
}

std::vector<LayerOutput> UserNetwork::forward(const at::Tensor& images) const {
  const std::int64_t height = images.size(2), width = images.size(3), prefix = options_.prefix_tokens;
  const std::int64_t rows = (height + options_.stride - 1) / options_.stride;
  const std::int64_t cols = (width + options_.stride - 1) / options_.stride;
  auto [tokens, global] = run(images.contiguous());

  const bool is_list = options_.layout == "tokens";
  const std::string wanted =
      is_list ? fmt::format("{} + {} x {}, D", prefix, rows, cols)
              : fmt::format(fmt::runtime(options_.layout == "nchw" ? "D, {}, {}" : "{}, {}, D"), rows, cols);
  const auto fits = [&, shape = tokens.sizes()] {
    if (shape.size() != (is_list ? 3U : 4U) || shape[0] != images.size(0)) return false;
    if (is_list) return shape[1] == prefix + rows * cols;
    const std::int64_t first = options_.layout == "nchw" ? 2 : 1;
    return shape[first] == rows && shape[first + 1] == cols;
  };
  if (!fits())
    refuse(fmt::format(
        "tokens: the output '{}' is {} for {} images of {} x {} px; with layout = '{}', stride = {} "
        "and prefix_tokens = {} expected [{}, {}]",
        options_.tokens, shape_text(tokens), images.size(0), width, height, options_.layout, options_.stride,
        prefix, images.size(0), wanted));
  LayerOutput layer;
  if (is_list)
    layer.map = tokens.slice(1, prefix).unflatten(1, {rows, cols}).permute({0, 3, 1, 2});
  else
    layer.map = options_.layout == "nchw" ? tokens : tokens.permute({0, 3, 1, 2});
  if (global.defined()) {
    if (global.dim() < 2 || global.size(0) != images.size(0))
      refuse(fmt::format("global: the output '{}' is {} for {} images; expected [{}, D]", options_.global,
                         shape_text(global), images.size(0), images.size(0)));
    layer.global = global.flatten(1);
  } else if (prefix > 0) {
    layer.global = tokens.select(1, 0);
  }
  return {layer};
}

std::size_t UserNetwork::write_tokens(GraphWriter&, std::size_t) const {
  refuse("it cannot be written as a graph; expected an .onnx file or an OpenVINO .xml");
}

std::vector<std::size_t> UserNetwork::write(GraphWriter& to, std::size_t images) const {
  const auto [height, width] = to.grid(images);
  const std::int64_t rows = (height + options_.stride - 1) / options_.stride;
  const std::int64_t cols = (width + options_.stride - 1) / options_.stride;
  const std::int64_t prefix = options_.prefix_tokens;
  std::size_t tokens = write_tokens(to, images);
  if (options_.layout == "nchw") return {tokens};
  if (prefix > 0) tokens = to.slice(tokens, 1, prefix, prefix + rows * cols);
  return {to.map_of_tokens(tokens, {rows, cols})};
}

Normalization normalization_of(const UserNetworkOptions& options) {
  if (options.mean.empty() && options.std.empty()) return normalization(options.normalization);
  const Normalization by{three(options.mean, "mean"), three(options.std, "std")};
  if (std::ranges::min(by.std) <= 0) throw Error("std: a number is not greater than 0");
  return by;
}

}  // namespace imatch
