// SPDX-License-Identifier: Apache-2.0
#include "backbone/torchscript_network.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>

#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/sha256.h"

namespace imatch {
namespace {

struct NamedOutput {
  std::string name;  ///< "": it has a number only.
  at::Tensor tensor;
};

/// Its first line: the rest are places in sources.
std::string torchscript_message(const c10::Error& error) {
  const std::string text = error.what_without_backtrace();
  return text.substr(0, text.find('\n'));
}

std::vector<NamedOutput> outputs_of(const c10::IValue& value) {
  std::vector<NamedOutput> outputs;
  const auto add = [&](std::string name, const c10::IValue& item) {
    if (item.isTensor()) outputs.push_back({std::move(name), item.toTensor()});
  };
  if (value.isGenericDict()) {
    for (const auto& entry : value.toGenericDict())
      if (entry.key().isString()) add(entry.key().toStringRef(), entry.value());
  } else if (value.isTuple()) {
    const auto tuple = value.toTuple();
    const auto schema = tuple->type()->schema();  // of a NamedTuple
    for (std::size_t i = 0; i < tuple->elements().size(); ++i)
      add(schema ? schema->arguments()[i].name() : "", tuple->elements()[i]);
  } else if (value.isTensorList()) {
    for (const at::Tensor& tensor : value.toTensorVector()) add("", tensor);
  } else {
    add("", value);
  }
  return outputs;
}

class TorchScriptNetwork final : public UserNetwork {
 public:
  TorchScriptNetwork(const UserNetworkOptions& options, NetworkPlace place)
      : UserNetwork("torchscript " + options.weights, options) {
    try {
      module_ = torch::jit::load(options.weights, place.device);
      module_.eval();
    } catch (const c10::Error& error) {
      throw Failure(code::kBadFormat, fmt::format("{}: LibTorch: {}", title(), torchscript_message(error)));
    }
  }

 protected:
  Outputs run(const at::Tensor& images) const override {
    const std::vector<NamedOutput> all = outputs_of(forward_of(images));
    Outputs outputs{output_named(all, "tokens", options().tokens), {}};
    if (!options().global.empty()) outputs.global = output_named(all, "global", options().global);
    return outputs;
  }

 private:
  c10::IValue forward_of(const at::Tensor& images) const {
    try {
      return module_.get_method("forward")({images});
    } catch (const Error&) {
      throw;
    } catch (const std::exception& error) {  // c10::Error, or what the script raises
      throw Error(fmt::format("{}: it fails for {} images of {} x {} px: {}", title(), images.size(0),
                              images.size(3), images.size(2), error.what()));
    }
  }

  at::Tensor output_named(const std::vector<NamedOutput>& all, const char* option,
                          const std::string& name) const {
    std::string list;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (all[i].name == name || std::to_string(i) == name) return all[i].tensor;
      list +=
          fmt::format("{}{}{} [{}]", i ? ", " : "", i, all[i].name.empty() ? "" : " '" + all[i].name + "'",
                      fmt::join(all[i].tensor.sizes(), ","));
    }
    refuse(fmt::format("{}: there is no output '{}'; the tensors among its outputs are {}", option, name,
                       list.empty() ? "none" : list));
  }

  torch::jit::Module module_;
};

}  // namespace

OpenedNetwork open_torchscript_network(const UserNetworkOptions& options, NetworkPlace place) {
  require_file(options.weights);
  return {.network = std::make_unique<TorchScriptNetwork>(options, place),
          .weights_sha256 = sha256_file(options.weights),
          .normalization = normalization_of(options)};
}

}  // namespace imatch
