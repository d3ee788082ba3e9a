// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "backbone/network_options.h"
#include "image/normalize.h"
#include "nn/token_network.h"

namespace imatch {

/// What a user says of a network that comes as a file with its graph in it.
struct UserNetworkOptions : NetworkOptions {
  std::string tokens = "0";
  std::string global;
  std::string layout = "tokens";
  int prefix_tokens = 0;
  int stride = 16;
  std::vector<int> input_size;
  std::string normalization = "imagenet";
  std::vector<double> mean;
  std::vector<double> std;

  static constexpr std::string_view kLayouts[] = {"tokens", "nchw", "nhwc"};
};

constexpr auto user_network_fields() {
  using Self = UserNetworkOptions;
  return std::tuple{
      field("tokens", &Self::tokens, anything(),
            "Output with the tokens: its name, or its number, counted from 0."),
      field("global", &Self::global, anything(),
            "Output with the vector of the image, [N, D], by name or number; empty: the first of the "
            "prefix tokens, and where there is none the mean of the tokens."),
      field("layout", &Self::layout, one_of(Self::kLayouts),
            "Shape of the tokens: 'tokens' [N, prefix_tokens + rows * cols, D], 'nchw' [N, D, rows, cols] or "
            "'nhwc' [N, rows, cols, D]."),
      field("prefix_tokens", &Self::prefix_tokens, in_range(0, 4096),
            "Tokens in front of those of the grid, such as class and register tokens; of layout 'tokens'."),
      field("stride", &Self::stride, in_range(1, 4096),
            "Side of a token in pixels of the resized image, a vision transformer's patch size."),
      field("input_size", &Self::input_size, anything(),
            "{height, width} in pixels, where the network takes one size only: every image is resized to it, "
            "whatever its aspect. Empty: any size of whole strides, or the one that the file says."),
      field("normalization", &Self::normalization, one_of(kNormalizations),
            "How samples become the network's input: 'imagenet', 'sat493m', 'half' (values in [-1, 1]) or "
            "'none' (values in [0, 1])."),
      field("mean", &Self::mean, anything(),
            "Instead of `normalization`, three numbers for red, green and blue: the input is (sample / 255 - "
            "mean) / std."),
      field("std", &Self::std, anything(), "See `mean`; greater than 0.")};
}

/// A network of the user's as the options describe it. Throws Error naming an option that makes no sense.
class UserNetwork : public TokenNetwork {
 public:
  /// `title` begins the messages: "onnx file.onnx".
  UserNetwork(std::string title, const UserNetworkOptions& options);

  InputSizeRule input_size() const final { return input_size_; }
  std::vector<int> strides_px() const final { return {options_.stride}; }
  /// Throws Error when the outputs have not the shapes that the options promise.
  std::vector<LayerOutput> forward(const at::Tensor& images) const final;
  std::vector<std::size_t> write(GraphWriter& to, std::size_t images) const final;

 protected:
  struct Outputs {
    at::Tensor tokens;
    at::Tensor global;  ///< Undefined: none is named.
  };
  /// What the network makes of images [N, 3, H, W], contiguous.
  virtual Outputs run(const at::Tensor& images) const = 0;
  /// The tokens as the file gives them, for TokenNetwork::write. Throws Error where that is not possible.
  virtual std::size_t write_tokens(GraphWriter& to, std::size_t images) const;

  const std::string& title() const { return title_; }
  const UserNetworkOptions& options() const { return options_; }
  void set_fixed_size(int height_px, int width_px);
  [[noreturn]] void refuse(const std::string& what) const;

 private:
  std::string title_;
  UserNetworkOptions options_;
  InputSizeRule input_size_;
};

/// By name, or by mean and std where they are given. Throws Error for lists that are not three numbers.
Normalization normalization_of(const UserNetworkOptions& options);

}  // namespace imatch
