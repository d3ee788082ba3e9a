// SPDX-License-Identifier: Apache-2.0
#include "backbone/openvino_network.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/from_blob.h>
#include <fmt/format.h>

#include <filesystem>
#include <mutex>
#include <openvino/core/preprocess/pre_post_process.hpp>
#include <openvino/runtime/core.hpp>
#include <openvino/runtime/properties.hpp>
#include <utility>

#include "backbone/onnx_files.h"
#include "backbone/openvino_writer.h"
#include "base/error.h"
#include "base/file.h"
#include "base/sha256.h"
#include "base/threads.h"

namespace imatch {
namespace {

/// Without the places in OpenVINO's sources, which stand in lines of their own.
std::string openvino_message(const std::exception& error) {
  std::string message;
  std::string_view rest = error.what();
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (line.empty() || line.starts_with("Exception from ")) continue;
    message += (message.empty() ? "" : " ") + std::string(line);
  }
  return message;
}

/// Calls `f`, with OpenVINO's exceptions as failures that begin with `title`.
template <class F>
auto with_openvino(const std::string& title, F f) {
  try {
    return f();
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {  // ov::Exception, or what its readers of files let through
    throw Failure(code::kBadFormat, fmt::format("{}: OpenVINO: {}", title, openvino_message(error)));
  }
}

ov::Core& openvino_core() {
  static ov::Core& core = *new ov::Core;  // never destroyed, as what it compiled may live to the end
  return core;
}

template <class Port>
std::string described(std::size_t number, const Port& port) {
  const auto& names = port.get_names();
  return fmt::format("{}{} {}", number, names.empty() ? "" : " '" + *names.begin() + "'",
                     port.get_partial_shape().to_string());
}

template <class Ports>
std::string listed(const Ports& ports) {
  std::string list;
  for (std::size_t i = 0; i < ports.size(); ++i) list += (i ? ", " : "") + described(i, ports[i]);
  return list;
}

/// The value that `name` names: an output by name or number, or any value inside of the graph by its name.
ov::Output<ov::Node> value_named(const ov::Model& model, const std::string& name) {
  const auto outputs = model.outputs();
  for (std::size_t i = 0; i < outputs.size(); ++i)
    if (outputs[i].get_names().contains(name) || std::to_string(i) == name)
      return outputs[i].get_node()->input_value(0);
  for (const auto& operation : model.get_ordered_ops())
    for (const auto& value : operation->outputs())
      if (value.get_names().contains(name)) return value;
  return {};
}

class OpenVinoNetwork final : public UserNetwork {
 public:
  explicit OpenVinoNetwork(const UserNetworkOptions& options)
      : UserNetwork("onnx " + options.weights, options) {
    with_openvino(title(), [&] { compile(openvino_core().read_model(options.weights)); });
  }

 protected:
  Outputs run(const at::Tensor& images) const override {
    if (!one_by_one_ || images.size(0) == 1) return run_batch(images);
    std::vector<at::Tensor> tokens, globals;
    for (std::int64_t n = 0; n < images.size(0); ++n) {
      Outputs one = run_batch(images.slice(0, n, n + 1));
      tokens.push_back(std::move(one.tokens));
      if (one.global.defined()) globals.push_back(std::move(one.global));
    }
    return {at::cat(tokens), globals.empty() ? at::Tensor() : at::cat(globals)};
  }

  std::size_t write_tokens(GraphWriter& to, std::size_t images) const override {
    auto* const writer = dynamic_cast<OpenVinoWriter*>(&to);
    if (!writer) return UserNetwork::write_tokens(to, images);
    return with_openvino(title(), [&] {
      const auto whole = openvino_core().read_model(options().weights);
      const auto model =
          std::make_shared<ov::Model>(ov::OutputVector{wanted(*whole)[0]}, whole->get_parameters());
      const GraphNode& input = writer->node(images);
      if (model->input().get_element_type() != input.get_element_type())
        refuse(fmt::format("its input is {}; only float32 is written as a graph",
                           model->input().get_element_type().to_string()));
      model->reshape(input.get_partial_shape());
      const GraphNode tokens = model->output(0).get_node()->input_value(0);
      model->get_parameters()[0]->output(0).replace(input);
      return writer->input(tokens);
    });
  }

 private:
  void compile(const std::shared_ptr<ov::Model>& whole) {
    const auto model = std::make_shared<ov::Model>(wanted(*whole), whole->get_parameters());
    take_input(*model);
    ov::preprocess::PrePostProcessor types(model);
    types.input().tensor().set_element_type(ov::element::f32);
    for (std::size_t i = 0; i < model->outputs().size(); ++i)
      types.output(i).tensor().set_element_type(ov::element::f32);
    // By default its CPU plugin rounds to bfloat16 where the processor multiplies that.
    compiled_ =
        openvino_core().compile_model(types.build(), "CPU", ov::hint::inference_precision(ov::element::f32),
                                      ov::hint::execution_mode(ov::hint::ExecutionMode::ACCURACY),
                                      ov::hint::performance_mode(ov::hint::PerformanceMode::LATENCY),
                                      ov::inference_num_threads(num_threads()));
  }

  ov::OutputVector wanted(const ov::Model& model) const {
    ov::OutputVector values;
    for (const auto& [option, name] :
         {std::pair{"tokens", options().tokens}, std::pair{"global", options().global}}) {
      if (name.empty() && !values.empty()) continue;
      values.push_back(value_named(model, name));
      if (!values.back().get_node())
        refuse(fmt::format("{}: there is no output '{}'; the outputs are {}", option, name,
                           listed(model.outputs())));
    }
    const ov::Rank rank = values[0].get_partial_shape().rank(),
                   expected = options().layout == "tokens" ? 3 : 4;
    if (!rank.compatible(expected))
      refuse(fmt::format("tokens: the output '{}' is {}; layout = '{}' expects {} dimensions",
                         options().tokens, values[0].get_partial_shape().to_string(), options().layout,
                         expected.to_string()));
    return values;
  }

  /// Which images it takes.
  void take_input(ov::Model& model) {
    if (model.inputs().size() != 1)
      refuse(fmt::format("it has {} inputs: {}; expected images alone", model.inputs().size(),
                         listed(model.inputs())));
    ov::PartialShape shape = model.input().get_partial_shape();
    if (!shape.compatible({-1, 3, -1, -1}))
      refuse(fmt::format("its input is {}; expected [N, 3, H, W]", shape.to_string()));
    if (shape.rank().is_dynamic()) shape = {-1, 3, -1, -1};
    if (const std::vector<int>& size = options().input_size; !size.empty()) {
      const ov::PartialShape asked{shape[0], 3, size[0], size[1]};
      if (!shape.compatible(asked))
        refuse(fmt::format("input_size: {{{}, {}}} is not allowed; its input is {}", size[0], size[1],
                           shape.to_string()));
      shape = asked;
    }
    if (shape[2].is_static() != shape[3].is_static())
      refuse(fmt::format("input_size: expected {{height, width}}: its input is {}", shape.to_string()));
    if (shape[2].is_static())
      set_fixed_size(static_cast<int>(shape[2].get_length()), static_cast<int>(shape[3].get_length()));
    one_by_one_ = shape[0].is_static();
    if (one_by_one_ && shape[0].get_length() != 1)
      refuse(fmt::format("its input is {}: it takes batches of {} images only; expected 1 or any number",
                         shape.to_string(), shape[0].get_length()));
    model.reshape(shape);
  }

  Outputs run_batch(const at::Tensor& images) const {
    return with_openvino(title(), [&]() -> Outputs {
      ov::InferRequest request = lend();
      const auto sizes = images.sizes();
      request.set_input_tensor(
          ov::Tensor(ov::element::f32, ov::Shape(sizes.begin(), sizes.end()), images.mutable_data_ptr()));
      request.infer();
      Outputs outputs{copy_of(request.get_output_tensor(0)), {}};
      if (compiled_.outputs().size() > 1) outputs.global = copy_of(request.get_output_tensor(1));
      const std::lock_guard lock(mutex_);
      idle_.push_back(std::move(request));
      return outputs;
    });
  }

  /// A request serves one thread at a time and keeps its memory for the next.
  ov::InferRequest lend() const {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) return const_cast<ov::CompiledModel&>(compiled_).create_infer_request();
    ov::InferRequest request = std::move(idle_.back());
    idle_.pop_back();
    return request;
  }

  static at::Tensor copy_of(ov::Tensor tensor) {
    const ov::Shape& shape = tensor.get_shape();
    return at::from_blob(tensor.data(), std::vector<std::int64_t>(shape.begin(), shape.end()), at::kFloat)
        .clone();
  }

  ov::CompiledModel compiled_;
  bool one_by_one_ = false;
  mutable std::mutex mutex_;
  mutable std::vector<ov::InferRequest> idle_;
};

/// The model's files, the one that names the others first.
std::vector<std::string> files_of_model(const std::filesystem::path& path) {
  std::vector<std::string> names{path.filename()};
  const std::string kind = path.extension();
  if (kind == ".onnx") {
    for (std::string& name : external_files_of_onnx(path)) names.push_back(std::move(name));
  } else if (kind == ".xml") {
    const std::filesystem::path weights = std::filesystem::path(path).replace_extension(".bin");
    if (std::filesystem::exists(weights)) names.push_back(weights.filename());
  } else {
    throw Error(
        fmt::format("onnx options: file: '{}' is not allowed; expected an .onnx file or an OpenVINO .xml",
                    path.string()));
  }
  return names;
}

}  // namespace

OpenedNetwork open_openvino_network(const UserNetworkOptions& options) {
  const std::filesystem::path path(options.weights);
  require_file(path);
  const std::string folder = path.has_parent_path() ? path.parent_path().string() : ".";
  std::string sha256 = sha256_files(folder, files_of_model(path));
  return {.network = std::make_unique<OpenVinoNetwork>(options),
          .weights_sha256 = std::move(sha256),
          .normalization = normalization_of(options)};
}

}  // namespace imatch
