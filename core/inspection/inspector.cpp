// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <chrono>
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

/// RGB pixels [1, rows, cols, 3] uint8 of any size to the network's input [1, 3, height, width].
std::shared_ptr<ov::Model> resizing(std::int64_t height, std::int64_t width) {
  const auto pixels = std::make_shared<op::v0::Parameter>(ov::element::u8, ov::PartialShape{1, -1, -1, 3});
  const auto floats = std::make_shared<op::v0::Convert>(pixels, ov::element::f32);
  const auto planes = std::make_shared<op::v1::Transpose>(floats, integers({0, 3, 1, 2}));
  const auto unit =
      std::make_shared<op::v1::Multiply>(planes, op::v0::Constant::create(ov::element::f32, {}, {1.F / 255}));
  op::v11::Interpolate::InterpolateAttrs attributes;
  attributes.mode = op::v11::Interpolate::InterpolateMode::BILINEAR_PILLOW;
  attributes.shape_calculation_mode = op::v11::Interpolate::ShapeCalcMode::SIZES;
  const auto resized =
      std::make_shared<op::v11::Interpolate>(unit, integers({height, width}), integers({2, 3}), attributes);
  const auto images = std::make_shared<op::v1::Divide>(
      std::make_shared<op::v1::Subtract>(resized, row(kImageNetMean)), row(kImageNetStd));
  return std::make_shared<ov::Model>(ov::OutputVector{images}, ov::ParameterVector{pixels}, "resizing");
}

/// What a level of each channel is to the network.
using LevelTable = std::array<std::array<float, 256>, 3>;
LevelTable level_table(bool normalised) {
  LevelTable table{};
  for (std::size_t c = 0; c < 3; ++c)
    for (std::size_t level = 0; level < 256; ++level) {
      const float unit = static_cast<float>(level) * (1.F / 255);
      table[c][level] = normalised ? (unit - kImageNetMean[c]) / kImageNetStd[c] : unit;
    }
  return table;
}

/// A picture in its caller's memory.
struct PixelView {
  const std::uint8_t* pixels;
  int width, height;
  std::size_t stride;
  bool bgr;

  /// Channel c, in the order R, G, B, of pixel x of a row.
  std::uint8_t at(const std::uint8_t* of_row, int x, int c) const {
    return of_row[3 * x + (bgr ? 2 - c : c)];
  }
};

void to_planes(const PixelView& view, const LevelTable& table, float* to) {
  const std::size_t plane = static_cast<std::size_t>(view.width) * static_cast<std::size_t>(view.height);
  const auto& [red, green, blue] = table;
  const int first = view.bgr ? 2 : 0;
  for (int y = 0; y < view.height; ++y) {
    const std::uint8_t* from = view.pixels + static_cast<std::size_t>(y) * view.stride;
    for (int x = 0; x < view.width; ++x, from += 3, ++to) {
      to[0] = red[from[first]];
      to[plane] = green[from[1]];
      to[2 * plane] = blue[from[2 - first]];
    }
  }
}

void to_rgb(const PixelView& view, std::uint8_t* to) {
  for (int y = 0; y < view.height; ++y) {
    const std::uint8_t* const from = view.pixels + static_cast<std::size_t>(y) * view.stride;
    for (int x = 0; x < view.width; ++x)
      for (int c = 0; c < 3; ++c) *to++ = view.at(from, x, c);
  }
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
  static ov::Core& core = *new ov::Core;  // never destroyed, as what it compiled may live to the end
  return core;
}

}  // namespace

struct Inspector::Impl {
  std::mutex mutex;
  ov::InferRequest network, resize;
  LevelTable levels{};
  int width = 0, height = 0;  ///< 0: the graph itself resizes.
  std::size_t map_output = 0, score_output = 1;

  /// Hands the network its input: resized where it does not have its size.
  void prepare(const PixelView& view) {
    const auto rows = static_cast<std::size_t>(view.height), columns = static_cast<std::size_t>(view.width);
    if (width == 0) network.set_input_tensor(ov::Tensor(ov::element::f32, {1, 3, rows, columns}));
    if (width == 0 || (view.width == width && view.height == height))
      return to_planes(view, levels, network.get_input_tensor().data<float>());
    ov::Tensor pixels(ov::element::u8, {1, rows, columns, 3});
    to_rgb(view, pixels.data<std::uint8_t>());
    resize.set_input_tensor(pixels);
    resize.infer();
    resize.get_output_tensor().copy_to(network.get_input_tensor());
  }

  Inspection run(const PixelView& view) {
    if (view.width < 1 || view.height < 1) throw std::runtime_error("inspector: the picture is empty");
    const std::lock_guard lock(mutex);
    prepare(view);
    const auto start = std::chrono::steady_clock::now();
    network.infer();
    const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - start;
    const ov::Tensor map = network.get_output_tensor(map_output),
                     score = network.get_output_tensor(score_output);
    Inspection result;
    result.inference_ms = elapsed.count();
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
  ov::AnyMap settings = settings_of(options);
  try {
    const std::shared_ptr<ov::Model> model = shared_core().read_model(xml_path);
    if (model->inputs().size() != 1 || model->outputs().size() != 2)
      throw std::runtime_error("expected one input and the outputs anomaly_map and pred_score");
    const std::size_t map = model->output(0).get_partial_shape().rank() == 4 ? 0 : 1;
    impl_->map_output = map;
    impl_->score_output = 1 - map;
    const ov::PartialShape shape = model->input().get_partial_shape();
    impl_->levels = level_table(shape[2].is_static());
    impl_->network = shared_core().compile_model(model, options.device, settings).create_infer_request();
    if (shape[2].is_static()) {
      impl_->height = static_cast<int>(shape[2].get_length());
      impl_->width = static_cast<int>(shape[3].get_length());
      settings.insert_or_assign(ov::hint::inference_precision.name(), ov::element::f32);
      impl_->resize = shared_core()
                          .compile_model(resizing(impl_->height, impl_->width), options.device, settings)
                          .create_infer_request();
    }
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
  return impl_->run({pixels, width, height, stride, true});
}
Inspection Inspector::inspect_rgb(const std::uint8_t* pixels, int width, int height,
                                  std::size_t stride) const {
  return impl_->run({pixels, width, height, stride, false});
}

}  // namespace imatch
