// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstring>
#include <mutex>
#include <openvino/op/ops.hpp>
#include <openvino/openvino.hpp>
#include <stdexcept>

#include "inspection/anomaly.h"

namespace imatch {
namespace {

namespace op = ov::op;

constexpr std::array<float, 3> kImageNetMean{0.485F, 0.456F, 0.406F}, kImageNetStd{0.229F, 0.224F, 0.225F};

std::shared_ptr<op::v0::Constant> row(const std::array<float, 3>& values) {
  return op::v0::Constant::create(ov::element::f32, {1, 3, 1, 1},
                                  std::vector<float>(values.begin(), values.end()));
}

std::shared_ptr<op::v0::Constant> integers(const std::vector<std::int64_t>& values) {
  return op::v0::Constant::create(ov::element::i64, {values.size()}, values);
}

/// RGB pixels [1, rows, cols, 3] uint8 in place of the graph's own input.
std::shared_ptr<ov::Model> on_pixels(const std::shared_ptr<ov::Model>& model) {
  const ov::Output<ov::Node> own = model->input();
  const ov::PartialShape shape = own.get_partial_shape();
  const auto pixels = std::make_shared<op::v0::Parameter>(ov::element::u8, ov::PartialShape{1, -1, -1, 3});
  const auto floats = std::make_shared<op::v0::Convert>(pixels, ov::element::f32);
  const auto planes = std::make_shared<op::v1::Transpose>(floats, integers({0, 3, 1, 2}));
  ov::Output<ov::Node> images =
      std::make_shared<op::v1::Multiply>(planes, op::v0::Constant::create(ov::element::f32, {}, {1.F / 255}));
  if (shape[2].is_static()) {  // else the graph resizes and normalises by itself
    op::v11::Interpolate::InterpolateAttrs attributes;
    attributes.mode = op::v11::Interpolate::InterpolateMode::BILINEAR_PILLOW;
    attributes.shape_calculation_mode = op::v11::Interpolate::ShapeCalcMode::SIZES;
    images = std::make_shared<op::v11::Interpolate>(
        images, integers({shape[2].get_length(), shape[3].get_length()}), integers({2, 3}), attributes);
    images = std::make_shared<op::v1::Divide>(std::make_shared<op::v1::Subtract>(images, row(kImageNetMean)),
                                              row(kImageNetStd));
  }
  for (ov::Input<ov::Node> consumer : own.get_target_inputs()) consumer.replace_source_output(images);
  return std::make_shared<ov::Model>(model->get_results(), ov::ParameterVector{pixels},
                                     model->get_friendly_name());
}

ov::AnyMap settings_of(const InspectorOptions& options) {
  ov::AnyMap settings{ov::hint::performance_mode(ov::hint::PerformanceMode::LATENCY)};
  if (options.device.rfind("CPU", 0) == 0) {
    settings.insert(ov::hint::enable_cpu_pinning(options.pin_threads));
    settings.insert(ov::num_streams(1));
    if (options.threads > 0) settings.insert(ov::inference_num_threads(options.threads));
  }
  if (options.precision == "f32")
    settings.insert(ov::hint::inference_precision(ov::element::f32));
  else if (options.precision == "f16")
    settings.insert(ov::hint::inference_precision(ov::element::f16));
  else if (options.precision == "bf16")
    settings.insert(ov::hint::inference_precision(ov::element::bf16));
  else if (options.precision != "default")
    throw std::runtime_error("inspector: precision '" + options.precision +
                             "' is not allowed; expected 'f32', 'f16', 'bf16' or 'default'");
  return settings;
}

ov::Core& shared_core() {
  static ov::Core core;
  return core;
}

}  // namespace

struct Inspector::Impl {
  std::mutex mutex;
  ov::CompiledModel compiled;
  ov::InferRequest request;
  int width = 0, height = 0;
  std::size_t map_output = 0, score_output = 1;

  Inspection run(const std::uint8_t* pixels, int picture_width, int picture_height, std::size_t stride,
                 bool bgr) {
    if (picture_width < 1 || picture_height < 1) throw std::runtime_error("inspector: the picture is empty");
    const std::lock_guard lock(mutex);
    ov::Tensor input(ov::element::u8, {1, static_cast<std::size_t>(picture_height),
                                       static_cast<std::size_t>(picture_width), 3});
    auto* to = input.data<std::uint8_t>();
    for (int y = 0; y < picture_height; ++y, pixels += stride)
      for (int x = 0; x < picture_width; ++x, to += 3) {
        to[0] = pixels[3 * x + (bgr ? 2 : 0)];
        to[1] = pixels[3 * x + 1];
        to[2] = pixels[3 * x + (bgr ? 0 : 2)];
      }
    request.set_input_tensor(input);
    request.infer();
    const ov::Tensor map = request.get_output_tensor(map_output),
                     score = request.get_output_tensor(score_output);
    Inspection result;
    result.score = score.data<float>()[0];
    const ov::Shape shape = map.get_shape();
    result.map.height = static_cast<int>(shape[2]);
    result.map.width = static_cast<int>(shape[3]);
    result.map.values.assign(map.data<float>(), map.data<float>() + map.get_size());
    return result;
  }
};

Inspector::Inspector(const std::string& xml_path, const InspectorOptions& options)
    : impl_(std::make_unique<Impl>()) {
  const ov::AnyMap settings = settings_of(options);
  try {
    const std::shared_ptr<ov::Model> model = shared_core().read_model(xml_path);
    if (model->inputs().size() != 1 || model->outputs().size() != 2)
      throw std::runtime_error("expected one input and the outputs anomaly_map and pred_score");
    const std::size_t map = model->output(0).get_partial_shape().rank() == 4 ? 0 : 1;
    impl_->map_output = map;
    impl_->score_output = 1 - map;
    impl_->compiled = shared_core().compile_model(on_pixels(model), options.device, settings);
    const ov::PartialShape shape = model->output(map).get_partial_shape();
    impl_->height = shape[2].is_static() ? static_cast<int>(shape[2].get_length()) : 0;
    impl_->width = shape[3].is_static() ? static_cast<int>(shape[3].get_length()) : 0;
    impl_->request = impl_->compiled.create_infer_request();
  } catch (const std::exception& e) {
    throw std::runtime_error(xml_path + ": " + e.what());
  }
}

Inspector::~Inspector() = default;
Inspector::Inspector(Inspector&&) noexcept = default;
Inspector& Inspector::operator=(Inspector&&) noexcept = default;

int Inspector::input_width() const {
  return impl_->width;
}
int Inspector::input_height() const {
  return impl_->height;
}

Inspection Inspector::inspect_bgr(const std::uint8_t* pixels, int width, int height,
                                  std::size_t stride) const {
  return impl_->run(pixels, width, height, stride, true);
}
Inspection Inspector::inspect_rgb(const std::uint8_t* pixels, int width, int height,
                                  std::size_t stride) const {
  return impl_->run(pixels, width, height, stride, false);
}

}  // namespace imatch
