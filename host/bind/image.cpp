// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "bind/homography.h"
#include "bind/image_list.h"
#include "bind/types.h"
#include "binding.h"
#include "image/decode.h"
#include "image/draw.h"
#include "image/draw_matches.h"
#include "image/encode.h"
#include "image/file_statistics.h"
#include "image/metadata.h"
#include "image/normalize.h"
#include "image/resize.h"
#include "image/statistics.h"
#include "image/transform.h"

namespace imatch::host {

template <>
inline constexpr const char* type_name<FileStatistics> = "FileStatistics";

int backbone_features(lua_State* L);  // bind_backbone.cpp

namespace image_bindings {

// Arguments that more than one function takes.

/// Colour and size of what is drawn.
struct Style {
  std::vector<int> colour{255, 64, 64};
  int thickness_px = 1;
  double radius_px = 3;
  double text_px = 14;
  static constexpr auto fields =
      std::tuple{field("colour", &Style::colour, in_range(0, 255), "Red, green and blue."),
                 field("thickness_px", &Style::thickness_px, in_range(0, 64), "Of lines; 0 fills a circle."),
                 field("radius_px", &Style::radius_px, in_range(0, 10000), "Of circles."),
                 field("text_px", &Style::text_px, in_range(6, 400), "Height of a capital letter.")};
};

Colour colour_of(const std::vector<int>& rgb) {
  if (rgb.size() != 3)
    throw Error(fmt::format("colour: {} numbers; expected 3: red, green, blue", rgb.size()));
  return {static_cast<std::uint8_t>(rgb[0]), static_cast<std::uint8_t>(rgb[1]),
          static_cast<std::uint8_t>(rgb[2])};
}

/// Correspondences given as plain lists instead of a Matches object.
struct PointPairs {
  std::vector<std::vector<double>> points_a;
  std::vector<std::vector<double>> points_b;
  std::vector<double> similarity;
  static constexpr auto fields =
      std::tuple{field("points_a", &PointPairs::points_a, anything(), "{x, y} each, in pixels of a."),
                 field("points_b", &PointPairs::points_b, anything(), "{x, y} each, in pixels of b."),
                 field("similarity", &PointPairs::similarity, anything(), "A number for each.")};
};

Point2 point_of(const std::vector<double>& xy) {
  if (xy.size() != 2) throw Error(fmt::format("point: {} numbers; expected {{x, y}}", xy.size()));
  return {xy[0], xy[1]};
}

std::vector<Point2> points_of(const std::vector<std::vector<double>>& list) {
  std::vector<Point2> points;
  for (const auto& xy : list) points.push_back(point_of(xy));
  return points;
}

/// A list of lists of numbers at a stack index.
std::vector<std::vector<double>> lists_of_numbers(lua_State* L, int index, const char* what) {
  return detail::read<std::vector<std::vector<double>>>(to_json(L, index, what), what, anything());
}

Json list_of(std::span<const double> numbers) {
  return Json(std::vector<double>(numbers.begin(), numbers.end()));
}

/// A name of a preset or nothing: "imagenet".
const Normalization& normalization_at(lua_State* L, int index) {
  return normalization(is_absent(L, index) ? "imagenet" : check_string(L, index));
}

// Functions.

int open(lua_State* L) {
  return push(L, open_image(check_string(L, 1), options<DecodeOptions>(L, 2, "image.open options")));
}

int decode(lua_State* L) {
  return push(
      L, decode_image(check_string(L, 1), "picture", options<DecodeOptions>(L, 2, "image.decode options")));
}

int size(lua_State* L) {
  const ImageSize size = image_size(check_string(L, 1));
  return push(L, size.width) + push(L, size.height);
}

int metadata(lua_State* L) {
  return push(L, options_to_json(read_metadata(check_string(L, 1))));
}

int new_image(lua_State* L) {
  const auto width = static_cast<int>(check_integer(L, 1, 1, 1 << 16));
  const auto height = static_cast<int>(check_integer(L, 2, 1, 1 << 16));
  Image image(width, height);
  if (!is_absent(L, 3)) {
    const Colour colour =
        colour_of(detail::read<std::vector<int>>(to_json(L, 3, "colour"), "colour", in_range(0, 255)));
    for (std::size_t i = 0; i < image.rgb.size(); i += 3)
      image.rgb[i] = colour.red, image.rgb[i + 1] = colour.green, image.rgb[i + 2] = colour.blue;
  }
  return push(L, std::move(image));
}

int size_after_resize(lua_State* L) {
  const ImageSize original{static_cast<int>(check_integer(L, 1, 1, 1 << 30)),
                           static_cast<int>(check_integer(L, 2, 1, 1 << 30))};
  const ImageSize size = resized_size(original, options<ResizeOptions>(L, 3, "image.resized_size options"));
  return push(L, size.width) + push(L, size.height);
}

int to_tensor(lua_State* L) {
  return push(L, normalize(check_images(L, 1), normalization_at(L, 2)));
}

int from_tensor(lua_State* L) {
  const std::int64_t index = is_absent(L, 3) ? 1 : check_integer(L, 3, 1, std::int64_t{1} << 31);
  return push(L, denormalize(arg<at::Tensor>(L, 1), normalization_at(L, 2), index - 1));
}

int statistics(lua_State* L) {
  ChannelStatistics sums;
  for (const Image* image : check_images(L, 1)) sums.add(*image);
  return push(L,
              Json{{"mean", list_of(sums.mean())}, {"std", list_of(sums.std())}, {"pixels", sums.pixels()}});
}

int file_statistics(lua_State* L) {
  return push(L, std::make_shared<FileStatistics>());
}

int add_files(lua_State* L) {
  auto& statistics = mutable_arg<FileStatistics>(L, 1);
  const auto paths = detail::read<std::vector<std::string>>(to_json(L, 2, "paths"), "paths", anything());
  std::optional<ResizeOptions> resize;
  if (!is_absent(L, 3)) resize = options<ResizeOptions>(L, 3, "FileStatistics:add options");
  Json failed = Json::array();
  for (const auto& [path, message] : statistics.add(paths, resize))
    failed.push_back({{"path", path}, {"message", message}});
  return push(L, failed);
}

int result_of_files(lua_State* L) {
  const auto& s = arg<FileStatistics>(L, 1);
  return push(L, Json{{"images", s.num_images()},
                      {"pixels", s.pixels().pixels()},
                      {"mean", list_of(s.pixels().mean())},
                      {"std", list_of(s.pixels().std())},
                      {"mean_of_image_means", list_of(s.mean_of_means())},
                      {"mean_of_image_stds", list_of(s.mean_of_stds())}});
}

int file_statistics_to_string(lua_State* L) {
  return push(L, fmt::format("FileStatistics({} images)", arg<FileStatistics>(L, 1).num_images()));
}

int matches_picture(lua_State* L) {
  const auto& a = arg<Image>(L, 1);
  const auto& b = arg<Image>(L, 2);
  std::vector<std::uint8_t> inliers;
  if (!is_absent(L, 4))
    for (const bool inlier : detail::read<std::vector<bool>>(to_json(L, 4, "inliers"), "inliers", anything()))
      inliers.push_back(inlier);
  const auto how = options<DrawMatchesOptions>(L, 5, "image.draw_matches options");
  if (is<Matches>(L, 3)) {
    const auto& m = arg<Matches>(L, 3);
    return push(L, draw_matches(a, b, m.points_a, m.points_b, m.similarity, inliers, how));
  }
  const auto pairs = options<PointPairs>(L, 3, "image.draw_matches matches");
  const std::vector<float> similarity(pairs.similarity.begin(), pairs.similarity.end());
  return push(
      L, draw_matches(a, b, points_of(pairs.points_a), points_of(pairs.points_b), similarity, inliers, how));
}

// Methods.

int width(lua_State* L) {
  return push(L, arg<Image>(L, 1).width);
}
int height(lua_State* L) {
  return push(L, arg<Image>(L, 1).height);
}
int digest(lua_State* L) {
  return push(L, arg<Image>(L, 1).digest());
}

int pixel(lua_State* L) {
  const auto& image = arg<Image>(L, 1);
  const auto x = static_cast<int>(check_integer(L, 2, 0, image.width - 1));
  const auto y = static_cast<int>(check_integer(L, 3, 0, image.height - 1));
  const std::uint8_t* rgb = image.pixel(x, y);
  return push(L, int{rgb[0]}) + push(L, int{rgb[1]}) + push(L, int{rgb[2]});
}

int save(lua_State* L) {
  save_image(arg<Image>(L, 1), check_string(L, 2), options<EncodeOptions>(L, 3, "Image:save options"));
  return push(L, true);
}

int encode(lua_State* L) {
  return push(L, encode_image(arg<Image>(L, 1), check_string(L, 2),
                              options<EncodeOptions>(L, 3, "Image:encode options")));
}

int resize_image(lua_State* L) {
  Resized resized = resize(arg<Image>(L, 1), options<ResizeOptions>(L, 2, "Image:resize options"));
  return push(L, std::move(resized.image)) + push(L, list_of(resized.original_from_resized.m));
}

int crop_image(lua_State* L) {
  const auto integer = [&](int index) {
    return static_cast<int>(check_integer(L, index, -(1 << 30), 1 << 30));
  };
  return push(L, crop(arg<Image>(L, 1), integer(2), integer(3), integer(4), integer(5)));
}

int rotate_image(lua_State* L) {
  Rotated rotated = rotate(arg<Image>(L, 1), check_number(L, 2));
  return push(L, std::move(rotated.image)) + push(L, list_of(rotated.rotated_from_original.m));
}

int warp(lua_State* L) {
  const auto& image = arg<Image>(L, 1);
  const Homography b_from_a = check_homography(L, 2);
  const auto side = [&](int index, int own) {
    return is_absent(L, index) ? own : static_cast<int>(check_integer(L, index, 1, 1 << 16));
  };
  Warped warped = warp_perspective(image, b_from_a, side(3, image.width), side(4, image.height));
  at::Tensor valid = at::empty({warped.image.height, warped.image.width}, at::kByte);
  std::memcpy(valid.data_ptr(), warped.valid.data(), warped.valid.size());
  return push(L, std::move(warped.image)) + push(L, std::move(valid));
}

int blend_images(lua_State* L) {
  Image result = arg<Image>(L, 1);
  at::Tensor valid;
  if (!is_absent(L, 4)) valid = arg<at::Tensor>(L, 4).to(at::kCPU, at::kByte).contiguous();
  const auto* mask = valid.defined() ? valid.const_data_ptr<std::uint8_t>() : nullptr;
  blend(result, arg<Image>(L, 2), is_absent(L, 3) ? 0.5 : check_number(L, 3),
        {mask, valid.defined() ? static_cast<std::size_t>(valid.numel()) : 0});
  return push(L, std::move(result));
}

int heat_map(lua_State* L) {
  const at::Tensor values = arg<at::Tensor>(L, 2).to(at::kCPU, at::kFloat).contiguous();
  if (values.dim() != 2)
    throw Error(fmt::format("heat map: {} dimensions; expected 2: rows, columns", values.dim()));
  return push(L, draw_heat_map(arg<Image>(L, 1),
                               {values.const_data_ptr<float>(), static_cast<std::size_t>(values.numel())},
                               static_cast<int>(values.size(0)), static_cast<int>(values.size(1)),
                               options<HeatMapOptions>(L, 3, "Image:heat_map options")));
}

int lines(lua_State* L) {
  Image result = arg<Image>(L, 1);
  const auto style = options<Style>(L, 3, "Image:draw_lines options");
  for (const auto& ends : lists_of_numbers(L, 2, "lines")) {
    if (ends.size() != 4)
      throw Error(fmt::format("line: {} numbers; expected {{x1, y1, x2, y2}}", ends.size()));
    draw_line(result, {ends[0], ends[1]}, {ends[2], ends[3]}, colour_of(style.colour), style.thickness_px);
  }
  return push(L, std::move(result));
}

int circles(lua_State* L) {
  Image result = arg<Image>(L, 1);
  const auto style = options<Style>(L, 3, "Image:draw_circles options");
  for (const Point2 centre : points_of(lists_of_numbers(L, 2, "circles")))
    draw_circle(result, centre, style.radius_px, colour_of(style.colour), style.thickness_px);
  return push(L, std::move(result));
}

int polygon(lua_State* L) {
  Image result = arg<Image>(L, 1);
  const auto style = options<Style>(L, 3, "Image:draw_polygon options");
  draw_polygon(result, points_of(lists_of_numbers(L, 2, "polygon")), colour_of(style.colour),
               style.thickness_px);
  return push(L, std::move(result));
}

int text(lua_State* L) {
  Image result = arg<Image>(L, 1);
  const Point2 top_left{check_number(L, 2), check_number(L, 3)};
  const auto style = options<Style>(L, 5, "Image:draw_text options");
  const int room = std::max(1, result.width - static_cast<int>(std::clamp(top_left.x, 0.0, 65536.0)));
  draw_text(result, top_left, fit_text(check_string(L, 4), room, style.text_px, 1000),
            colour_of(style.colour));
  return push(L, std::move(result));
}

int image_to_string(lua_State* L) {
  const auto& image = arg<Image>(L, 1);
  return push(L, fmt::format("Image({}x{})", image.width, image.height));
}

// Documentation. Examples begin from a picture of their own, so that each runs as it stands.

constexpr Binding kFunctions[] = {
    bind<open>("open", "image.open(path [, options]) -> Image",
               "Reads a JPEG, PNG, TIFF (first page), WebP or BMP file as 8-bit RGB, upright by its EXIF "
               "orientation. "
               "16 bits are scaled to 8, alpha is dropped, colour profiles are not applied. Fails with nil, "
               "message, "
               "code: not_found, not_a_file, unreadable, bad_format (empty, truncated, damaged, not a "
               "picture), too_large.",
               "local photo, why = im.image.open 'photo.jpg'\nprint(photo or why)",
               describe_options<DecodeOptions>),
    bind<decode>("decode", "image.decode(bytes [, options]) -> Image",
                 "The same from the bytes of a file. Fails with bad_format, too_large.",
                 "local bytes = im.image.new(4, 3):encode 'png'\nprint(im.image.decode(bytes))",
                 describe_options<DecodeOptions>),
    bind<size>("size", "image.size(path) -> width, height",
               "Size in pixels, upright, from the file's header alone. Fails with not_found, not_a_file, "
               "unreadable, "
               "bad_format.",
               "print(im.image.size 'photo.jpg')"),
    bind<metadata>(
        "metadata", "image.metadata(path) -> table",
        "EXIF position, direction, time and lens, and DJI's XMP. A field that the file lacks is nil. Fails "
        "with not_found, not_a_file, unreadable, bad_format.",
        "local photo = im.image.metadata 'photo.jpg'\nif photo then print(photo.latitude_deg, "
        "photo.gimbal_yaw_deg) end",
        describe_options<PhotoMetadata>),
    bind<new_image>(
        "new", "image.new(width, height [, colour]) -> Image",
        "A picture of one colour, {red, green, blue} in 0 to 255, black if left out; sides 1 to 65536 px.",
        "print(im.image.new(640, 480, { 255, 128, 0 }))"),
    bind<size_after_resize>(
        "resized_size", "image.resized_size(width, height [, options]) -> width, height",
        "The size that Image:resize gives a picture of this size.",
        "print(im.image.resized_size(1600, 900, { mode = 'longer', size = 518, multiple = 14 }))",
        describe_options<ResizeOptions>),
    bind<to_tensor>(
        "normalize", "image.normalize(images [, preset]) -> Tensor",
        "One Image, or a list of Images of one size, as float32 [N, 3, H, W]: (value / 255 - mean) / std. "
        "Presets: 'imagenet' (default), 'sat493m', 'half' (-1 to 1), 'none' (0 to 1).",
        "print(im.image.normalize(im.image.new(32, 24), 'half'))"),
    bind<from_tensor>(
        "denormalize", "image.denormalize(tensor [, preset [, position]]) -> Image",
        "The inverse of normalize for one image of [N, 3, H, W], the first unless a position from 1 to N "
        "is given, or of [3, H, W].",
        "local t = im.image.normalize(im.image.new(32, 24), 'half')\nprint(im.image.denormalize(t, 'half'))"),
    bind<statistics>(
        "statistics", "image.statistics(images) -> table",
        "Mean and standard deviation of each channel over all pixels of one Image or a list of them, in 0 "
        "to 1: { mean = {r, g, b}, std = {r, g, b}, pixels = n }. Exact.",
        "print(im.image.statistics(im.image.new(8, 8, { 255, 0, 51 })).mean[3])"),
    bind<file_statistics>("file_statistics", "image.file_statistics() -> FileStatistics",
                          "Statistics of picture files that are too many to hold: add them in any portions.",
                          "print(im.image.file_statistics())"),
    bind<matches_picture>("draw_matches",
                          "image.draw_matches(a, b, matches [, inliers [, options]]) -> Image",
                          "Both photos side by side with a line for each match: inliers coloured by "
                          "similarity, the best on top, the "
                          "others faint. matches: Matches, or { points_a = {{x, y}, ...}, points_b = ..., "
                          "similarity = {...} } in pixels "
                          "of the original photos. inliers: a boolean for each match; nil: all are.",
                          "local a, b = im.image.new(64, 48), im.image.new(64, 48)\nlocal m = { points_a = { "
                          "{ 10, 10 } }, points_b = { { "
                          "20, 30 } }, similarity = { 0.9 } }\nprint(im.image.draw_matches(a, b, m, { true "
                          "}, { caption = 'one match' }))",
                          describe_options<DrawMatchesOptions>),
};

constexpr Binding kMethods[] = {
    bind<backbone_features>("features", "Image:features(backbone [, options]) -> Features",
                            "What backbone.features gives for this picture alone.",
                            "print(im.image.new(64, 48):features('dense_sift', { image_size = 64 }))"),
    bind<width>("width", "Image:width() -> integer", "Width in pixels.",
                "print(im.image.new(640, 480):width())"),
    bind<height>("height", "Image:height() -> integer", "Height in pixels.",
                 "print(im.image.new(640, 480):height())"),
    bind<digest>(
        "digest", "Image:digest() -> string",
        "SHA-256 of size and pixels, 64 hexadecimal digits: what the picture is, whatever file it came from.",
        "print(im.image.new(8, 8):digest())"),
    bind<pixel>("pixel", "Image:pixel(x, y) -> red, green, blue",
                "The pixel in column x and row y, both from 0; its centre is (x + 0.5, y + 0.5).",
                "print(im.image.new(8, 8, { 1, 2, 3 }):pixel(7, 0))"),
    bind<save>(
        "save", "Image:save(path [, options]) -> true",
        "Writes png, jpg, jpeg, tif, tiff, webp or bmp by the extension, whole or not at all; makes missing "
        "folders. Another extension is an error. Fails with unwritable, no_space.",
        "local path = os.tmpname() .. '.png'\nassert(im.image.new(8, 8):save(path))\nos.remove(path)",
        describe_options<EncodeOptions>),
    bind<encode>("encode", "Image:encode(extension [, options]) -> string",
                 "The bytes that save would write.", "print(#im.image.new(8, 8):encode 'png')",
                 describe_options<EncodeOptions>),
    bind<resize_image>(
        "resize", "Image:resize([options]) -> Image, original_from_resized",
        "Antialiased, equal to Pillow's resize bit for bit. Second result: the 2 x 3 affine map, row by "
        "row, from pixels of the new picture to pixels of this one.",
        "local small, map = im.image.new(1600, 900):resize { mode = 'longer', size = 336, multiple = 14 "
        "}\nprint(small, map[1], map[5])",
        describe_options<ResizeOptions>),
    bind<crop_image>(
        "crop", "Image:crop(x, y, width, height) -> Image",
        "The part whose top-left pixel is column x, row y (from 0). Leaving the picture is an error.",
        "print(im.image.new(64, 48):crop(10, 5, 20, 20))"),
    bind<rotate_image>(
        "rotate", "Image:rotate(angle_deg) -> Image, rotated_from_original",
        "Turned clockwise on a picture just large enough to hold it all, black around; multiples of 90 "
        "degrees are exact. Second result: the 2 x 3 affine map, row by row, from pixels of this picture.",
        "print(im.image.new(64, 48):rotate(90))"),
    bind<warp>("warp", "Image:warp(b_from_a [, width [, height]]) -> Image, valid",
               "This picture as seen in frame b, bilinear. b_from_a: 9 numbers, row by row, from pixels of "
               "this picture. "
               "valid: uint8 Tensor [height, width], 1 where the pixel comes from inside this picture.",
               "print(im.image.new(64, 48):warp({ 1, 0, 5, 0, 1, 0, 0, 0, 1 }, 80, 48))"),
    bind<blend_images>(
        "blend", "Image:blend(top [, opacity [, valid]]) -> Image",
        "This picture mixed with another of the same size, opacity 0 to 1 (0.5), where valid (Tensor "
        "[height, width]) is not 0.",
        "print(im.image.new(8, 8):blend(im.image.new(8, 8, { 255, 255, 255 }), 0.25):pixel(0, 0))"),
    bind<heat_map>(
        "heat_map", "Image:heat_map(values [, options]) -> Image",
        "A Tensor [rows, columns] laid over the whole picture as colours. Values that are not finite are not "
        "drawn.",
        "local values = im.tensor.from_table { { 0, 1 }, { 2, 3 } }\nprint(im.image.new(64, "
        "48):heat_map(values, { palette = 'viridis' }))",
        describe_options<HeatMapOptions>),
    bind<lines>("draw_lines", "Image:draw_lines(list [, options]) -> Image",
                "A copy with lines { x1, y1, x2, y2 }, antialiased, in pixels.",
                "print(im.image.new(64, 48):draw_lines({ { 0, 0, 64, 48 } }, { thickness_px = 2 }))",
                describe_options<Style>),
    bind<circles>(
        "draw_circles", "Image:draw_circles(list [, options]) -> Image",
        "A copy with circles around { x, y }.",
        "print(im.image.new(64, 48):draw_circles({ { 32, 24 } }, { radius_px = 8, thickness_px = 0 }))",
        describe_options<Style>),
    bind<polygon>("draw_polygon", "Image:draw_polygon(list [, options]) -> Image",
                  "A copy with the closed outline through the points { x, y }.",
                  "print(im.image.new(64, 48):draw_polygon { { 5, 5 }, { 60, 5 }, { 30, 40 } })",
                  describe_options<Style>),
    bind<text>("draw_text", "Image:draw_text(x, y, text [, options]) -> Image",
               "A copy with text whose top-left corner is (x, y), broken into lines at the right edge.",
               "print(im.image.new(200, 48):draw_text(4, 4, 'hello', { colour = { 255, 255, 255 } }))",
               describe_options<Style>),
};

constexpr Binding kFileStatisticsMethods[] = {
    bind<add_files>(
        "add", "FileStatistics:add(paths [, resize]) -> list of {path, message}",
        "Reads the files in parallel, resizes each when options of Image:resize are given, and adds "
        "them. Returns those that could not be read; they are left out.",
        "print(im.image.file_statistics():add({ 'none.jpg' })[1].message)", describe_options<ResizeOptions>),
    bind<result_of_files>(
        "result", "FileStatistics:result() -> table",
        "images, pixels; mean and std of each channel over all pixels of all pictures, in 0 to 1, exact; "
        "mean_of_image_means and mean_of_image_stds, which weigh pictures alike whatever their size. Without "
        "a picture an error.",
        "local path = os.tmpname() .. '.png'; im.image.new(8, 8, { 255, 0, 51 }):save(path)\n"
        "local s = im.image.file_statistics(); s:add { path }; print(s:result().mean[1]); os.remove(path)"),
};

constexpr Type kTypes[] = {
    describe_type<FileStatistics, file_statistics_to_string>("Channel statistics of picture files.",
                                                             kFileStatisticsMethods),
    describe_type<Image, image_to_string>("RGB picture, 8 bits a channel; immutable.", kMethods),
};

}  // namespace image_bindings

extern const Module image_module;
const Module image_module{"image", "Pictures: reading, writing, resizing, drawing, metadata.",
                          image_bindings::kFunctions, image_bindings::kTypes};

}  // namespace imatch::host
