// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <tuple>

#include "backbone/frame_options.h"
#include "base/field.h"

namespace imatch {

/// What the options of all networks have in common. A network's own struct is derived from it and lists its
/// fields as std::tuple_cat(frame_fields(...), its own, weights_fields(...), running_fields()).
struct NetworkOptions : FrameOptions {
  std::string dtype = "fp32";
  std::string weights = "";
  std::string weights_root = "";
  std::string device = "auto";
  int batch_size = 0;

  static constexpr std::string_view kDtypes[] = {"fp32", "fp32_w16", "bf16", "fp16", "fastest"};
  static constexpr std::string_view kDtypesWithInt8[] = {"fp32", "fp32_w16", "bf16",
                                                         "fp16", "int8",     "fastest"};
};

/// What every network says of `dtype`; a literal, so that those with 'int8' can go on behind it.
#define IMATCH_DTYPE_DOC                                                                                    \
  "Number type of the network; features are float32 in any case. 'fp32_w16': float32 with weights rounded " \
  "to float16, as exported files hold them. 'fastest': the one of 'fp32', 'bf16' and 'fp16' in which the "  \
  "network was fastest when it was first asked for on this machine (Backbone:spec has it; never 'int8')."

constexpr auto dtype_field() {
  return std::tuple{
      field("dtype", &NetworkOptions::dtype, one_of(NetworkOptions::kDtypes), IMATCH_DTYPE_DOC)};
}

/// `doc`: IMATCH_DTYPE_DOC and what 'int8' does to this network.
constexpr auto dtype_field_with_int8(const char* doc) {
  return std::tuple{field("dtype", &NetworkOptions::dtype, one_of(NetworkOptions::kDtypesWithInt8), doc)};
}

/// `doc`: which files go in, and which is taken when it is empty.
constexpr auto weights_field(const char* doc) {
  return std::tuple{field("weights", &NetworkOptions::weights, anything(), doc)};
}

constexpr auto weights_root_field() {
  return std::tuple{
      field("weights_root", &NetworkOptions::weights_root, anything(),
            "Folder that is searched, with the folders below it; empty: the environment variable "
            "WEIGHTS_ROOT.")};
}

constexpr auto batch_size_field() {
  return std::tuple{field(
      "batch_size", &NetworkOptions::batch_size, in_range(0, 4096),
      "Images that go forward together; 0: 32 on a GPU, and on the CPU one for every four threads, since "
      "larger batches only leave the processor's cache.")};
}

constexpr auto running_fields() {
  return std::tuple_cat(std::tuple{field("device", &NetworkOptions::device, anything(),
                                         "'cpu', 'cuda', 'cuda:N', or 'auto': what --device says.")},
                        batch_size_field());
}

}  // namespace imatch
