// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/state_dict.h"
#include "nn/linear_layer.h"

namespace imatch {

/// Hands out the tensors of a checkpoint one by one, by the names that the network has for them, each
/// checked; what is left at the end does not belong to the network.
///
/// For inference a tensor that already has the wanted device and type stays where it is, in the mapped file;
/// the pages of one that is converted are given back, so that loading never needs room for both. For training
/// the network computes with copies that want gradients; they are its parameters().
class WeightsCheckpoint {
 public:
  /// The name in the file of a tensor with that official name.
  using NameInFile = std::string (*)(std::string_view official);
  using Shape = std::vector<std::int64_t>;
  using Parameter = std::pair<std::string, at::Tensor>;  ///< By its official name.

  enum class Purpose { kInference, kTraining };

  /// `title` begins the messages: "vits14 weights /models/dinov2_vits14_pretrain.pth".
  WeightsCheckpoint(std::string title, const StateDict& tensors, NameInFile name_in_file, c10::Device device,
                    c10::ScalarType dtype, Purpose purpose = Purpose::kInference);
  /// Of a file that has the official names.
  WeightsCheckpoint(std::string title, const StateDict& tensors, c10::Device device, c10::ScalarType dtype,
                    Purpose purpose = Purpose::kInference);

  /// A parameter, on the network's device in its number type. Throws Failure (bad_weights), naming the
  /// tensor, when it is missing, of another shape, no floating-point tensor, or has an element that is not
  /// finite.
  at::Tensor take(std::string_view official, const Shape& shape) { return take(official, shape, dtype_); }
  /// The same in a type that does not depend on the network's.
  at::Tensor take(std::string_view official, const Shape& shape, c10::ScalarType dtype) {
    return parameter(official, read(official, shape, dtype));
  }
  /// The linear layer of `official`.weight [out, in] and `official`.bias [out]. For inference its weight is
  /// packed for the processor unless the checkpoint takes more than half of the memory: then it stays in the
  /// mapped file, where pages can be dropped.
  LinearLayer take_linear(const std::string& official, std::int64_t in, std::int64_t out, bool bias = true);
  /// The same with a bias [out] from elsewhere, or without (undefined).
  LinearLayer take_linear_weight(const std::string& official, std::int64_t in, std::int64_t out,
                                 at::Tensor bias);

  /// A tensor that is no parameter as it is; checked as by take(). What is made of it and is one goes through
  /// parameter().
  at::Tensor read(std::string_view official, const Shape& shape, c10::ScalarType dtype);
  at::Tensor parameter(std::string_view official, at::Tensor tensor);

  /// Whether there is such a tensor still.
  bool has(std::string_view official) const { return tensors_.contains(name_in_file_(official)); }
  /// Side n of a tensor [1, before + n * n, ...]; `otherwise` where it has another shape, which take() will
  /// then say, or is missing.
  std::int64_t square_side(std::string_view official, std::int64_t before, std::int64_t otherwise) const;
  /// Passes over a tensor that only training uses, if there is one.
  void skip(std::string_view official);
  /// Throws Failure (bad_weights) that names a tensor which nobody took.
  void require_empty() const;

  c10::ScalarType dtype() const { return dtype_; }
  /// What is done to weights from now on, before they take the network's type.
  enum class Rounding {
    kNone,
    kFloat16,  ///< Rounded to float16: what a file with float16 weights holds.
    kInt8,  ///< Those of linear layers are rounded to 8 bits, and so are their activations (int8_weight.h);
            ///< so are the blocks of networks that were made for it (int8_residual.h).
  };
  void round_weights(Rounding rounding);
  Rounding rounding() const { return rounding_; }
  /// In the network's type, rounded before if that was asked for.
  at::Tensor placed(const at::Tensor& weight) const;
  /// What was handed out for training, in that order; empty for inference.
  const std::vector<Parameter>& parameters() const { return parameters_; }

 private:
  LinearLayer packed(const at::Tensor& weight, at::Tensor bias) const;
  [[noreturn]] void fail(const std::string& what) const;
  /// "'blocks' (170 tensors), 'norm' (2), 'cls_token'": what is left, by the first part of the names.
  std::string contents() const;

  std::string title_;
  std::map<std::string, at::Tensor> tensors_;
  NameInFile name_in_file_;
  c10::Device device_;
  c10::ScalarType dtype_;
  Rounding rounding_ = Rounding::kNone;
  Purpose purpose_;
  LinearLayer::Storage linear_storage_;
  std::vector<Parameter> parameters_;
};

}  // namespace imatch
