// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include <cstring>

#include "base/error.h"
#include "bind/homography.h"
#include "bind/image_list.h"
#include "bind/lists.h"
#include "bind/types.h"
#include "binding.h"
#include "image/decode.h"
#include "image/draw.h"
#include "image/encode.h"
#include "image/metadata.h"
#include "image/normalize.h"
#include "image/resize.h"
#include "image/terminal_picture.h"
#include "image/transform.h"

namespace imatch::host {

int backbone_features(lua_State* L);  // backbone.cpp

namespace image_bindings {

/// A name of a preset or nothing: "imagenet".
const Normalization& normalization_at(lua_State* L, int index) {
  return normalization(is_absent(L, index) ? "imagenet" : check_string(L, index));
}

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

int extensions(lua_State* L) {
  return push(L, Json(picture_extensions()));
}

struct NewImageOptions {
  double max_megapixels = DecodeOptions{}.max_megapixels;
  static constexpr auto fields =
      std::tuple{field("max_megapixels", &NewImageOptions::max_megapixels, at_least(0),
                       "Largest picture that is made, in millions of pixels.")};
};

int new_image(lua_State* L) {
  const auto width = static_cast<int>(check_integer(L, 1, 1, 1 << 16));
  const auto height = static_cast<int>(check_integer(L, 2, 1, 1 << 16));
  const auto limit = options<NewImageOptions>(L, 4, "image.new options").max_megapixels;
  if (1e-6 * width * height > limit)
    throw Failure(code::kTooLarge, fmt::format("image.new: {} x {} pixels are {:.1f} megapixels, more than "
                                               "max_megapixels = {}",
                                               width, height, 1e-6 * width * height, limit));
  if (is_absent(L, 3)) return push(L, Image(width, height));
  const auto rgb = detail::read<std::vector<int>>(to_json(L, 3, "colour"), "colour", in_range(0, 255));
  return push(L, filled_image(width, height, colour_of(rgb)));
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

int text_for_terminal(lua_State* L) {
  return push(L, terminal_picture(arg<Image>(L, 1), check_string(L, 2)));
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

int image_to_string(lua_State* L) {
  const auto& image = arg<Image>(L, 1);
  return push(L, fmt::format("Image({}x{})", image.width, image.height));
}

constexpr Binding kFunctions[] = {
    bind<open>(
        "open", "image.open(path [, options]) -> Image",
        "Reads a JPEG, PNG, TIFF (first page), WebP or BMP file as 8-bit RGB, upright by its orientation in "
        "EXIF (for PNG also in a text profile), else in XMP. 1 to 16 bits are scaled to the nearest of 8, "
        "CMYK and CIE L*a*b* converted, alpha is dropped, colour profiles are not applied; of an animated "
        "WebP or PNG the first picture is taken. A file without its end mark, or with something behind the "
        "picture, is accepted when all rows are there. Fails with nil, message, code: not_found, not_a_file, "
        "unreadable, bad_format (empty, truncated, damaged, not a picture, signed or floating-point "
        "samples), too_large. Differs from Pillow: more than 8 bits are rounded (Pillow cuts off the low "
        "byte of RGB and clips grey at 255), as are bit fields of BMP and 16-bit palettes of TIFF; grey TIFF "
        "of "
        "12 or other bits, white-is-zero of any, CMYK and L*a*b* of 16 and tiles of such are read (Pillow "
        "refuses them, or shows other values); damaged data is refused (Pillow shows half of a JPEG in grey, "
        "and clips run lengths that leave a BMP); L*a*b* and lossy WebP differ by up to 13 (at the edge of "
        "sRGB) and 1 of 255.",
        "local photo, why = im.image.open 'photo.jpg'\n"
        "print(photo or why) --> photo.jpg: no such file",
        describe_options<DecodeOptions>),
    bind<decode>("decode", "image.decode(bytes [, options]) -> Image",
                 "The same from the bytes of a file. Fails with bad_format, too_large.",
                 "local bytes = im.image.new(4, 3):encode 'png'\n"
                 "print(im.image.decode(bytes)) --> Image(4x3)",
                 describe_options<DecodeOptions>),
    bind<size>("size", "image.size(path) -> width, height",
               "Size in pixels, upright, from the file's header alone. Fails with not_found, not_a_file, "
               "unreadable, "
               "bad_format.",
               "print(im.image.size 'photo.jpg') --> nil photo.jpg: no such file not_found"),
    bind<extensions>("extensions", "image.extensions() -> list of strings",
                     "Endings of the files that are taken for pictures in a folder, without the dot.",
                     "print(table.concat(im.image.extensions(), ' ')) --> png jpg jpeg tif tiff webp bmp"),
    bind<metadata>("metadata", "image.metadata(path) -> table",
                   "EXIF position, direction, time and lens, and the XMP of drones (DJI, Autel, Skydio, "
                   "Parrot, and Pix4D's "
                   "Camera: namespace, which senseFly writes too). A field that the file lacks is nil. Fails "
                   "with not_found, "
                   "not_a_file, unreadable, bad_format.",
                   "local photo, why = im.image.metadata 'photo.jpg'\n"
                   "print(photo and photo.latitude_deg or why) --> photo.jpg: no such file",
                   describe_options<PhotoMetadata>),
    bind<new_image>(
        "new", "image.new(width, height [, colour [, options]]) -> Image",
        "A picture of one colour, {red, green, blue} in 0 to 255, black if left out; sides 1 to 65536 px. "
        "Fails with too_large.",
        "print(im.image.new(640, 480, { 255, 128, 0 })) --> Image(640x480)",
        describe_options<NewImageOptions>),
    bind<size_after_resize>(
        "resized_size", "image.resized_size(width, height [, options]) -> width, height",
        "The size that Image:resize gives a picture of this size.",
        "print(im.image.resized_size(1600, 900, { mode = 'longer', size = 518, multiple = 14 })) --> 518 294",
        describe_options<ResizeOptions>),
    bind<to_tensor>(
        "normalize", "image.normalize(images [, preset]) -> Tensor",
        "One Image, or a list of Images of one size, as float32 [N, 3, H, W]: (value / 255 - mean) / std. "
        "Presets: 'imagenet' (default), 'sat493m', 'half' (-1 to 1), 'none' (0 to 1).",
        "print(im.image.normalize(im.image.new(32, 24), 'half')) --> Tensor(1x3x24x32 float32 cpu, min -1 "
        "mean -1 max -1)"),
    bind<from_tensor>(
        "denormalize", "image.denormalize(tensor [, preset [, position]]) -> Image",
        "The inverse of normalize for one image of [N, 3, H, W], the first unless a position from 1 to N "
        "is given, or of [3, H, W].",
        "local t = im.image.normalize(im.image.new(32, 24), 'half')\n"
        "print(im.image.denormalize(t, 'half')) --> Image(32x24)"),
};

constexpr Binding kMethods[] = {
    bind<backbone_features>("features", "Image:features(backbone [, options]) -> Features",
                            "What backbone.features gives for this picture alone.",
                            "print(im.image.new(64, 48):features('dense_sift', { image_size = 64 })) --> "
                            "Features(8x11x128 of 64x48 px, dense_sift image_size=64 resi..."),
    bind<width>("width", "Image:width() -> integer", "Width in pixels.",
                "print(im.image.new(640, 480):width()) --> 640"),
    bind<height>("height", "Image:height() -> integer", "Height in pixels.",
                 "print(im.image.new(640, 480):height()) --> 480"),
    bind<digest>(
        "digest", "Image:digest() -> string",
        "SHA-256 of size and pixels, 64 hexadecimal digits: what the picture is, whatever file it came from.",
        "print(im.image.new(8, 8):digest()) --> "
        "ddda589938ffd63ecbcbd708cf8617014575b6e5ac9a8b3c80a616f4ed10f58c"),
    bind<pixel>("pixel", "Image:pixel(x, y) -> red, green, blue",
                "The pixel in column x and row y, both from 0; its centre is (x + 0.5, y + 0.5).",
                "print(im.image.new(8, 8, { 1, 2, 3 }):pixel(7, 0)) --> 1 2 3"),
    bind<save>(
        "save", "Image:save(path [, options]) -> true",
        "Writes png, jpg, jpeg, tif, tiff, webp or bmp by the extension, whole or not at all; makes missing "
        "folders. Another extension is an error. Fails with unwritable, no_space.",
        "local path = os.tmpname() .. '.png'\n"
        "print(im.image.new(8, 8):save(path)) --> true\n"
        "os.remove(path)",
        describe_options<EncodeOptions>),
    bind<encode>("encode", "Image:encode(extension [, options]) -> string",
                 "The bytes that save would write.", "print(#im.image.new(8, 8):encode 'png') --> 69",
                 describe_options<EncodeOptions>),
    bind<text_for_terminal>(
        "terminal_text", "Image:terminal_text(way) -> string",
        "What shows the picture when it is written to a terminal. way: 'kitty' (its graphics protocol), "
        "'sixel', or "
        "'blocks': two pixels a character, in any terminal with colours. im.preview chooses way and size.",
        "print(#im.image.new(1, 2):terminal_text 'blocks') --> 34"),
    bind<resize_image>(
        "resize", "Image:resize([options]) -> Image, original_from_resized",
        "Antialiased, equal to Pillow's resize bit for bit. Second result: the 2 x 3 affine map, row by "
        "row, from pixels of the new picture to pixels of this one.",
        "local small, map = im.image.new(1600, 900):resize { mode = 'longer', size = 336, multiple = 14 }\n"
        "print(small, map[1], map[5]) --> Image(336x196) 4.761... 4.591...",
        describe_options<ResizeOptions>),
    bind<crop_image>(
        "crop", "Image:crop(x, y, width, height) -> Image",
        "The part whose top-left pixel is column x, row y (from 0). Leaving the picture is an error.",
        "print(im.image.new(64, 48):crop(10, 5, 20, 20)) --> Image(20x20)"),
    bind<rotate_image>(
        "rotate", "Image:rotate(angle_deg) -> Image, rotated_from_original",
        "Rotated clockwise on a picture just large enough to hold it all, black around; multiples of 90 "
        "degrees are exact. Second result: the 2 x 3 affine map, row by row, from pixels of this picture.",
        "print(im.image.new(64, 48):rotate(90)) --> Image(48x64) table:..."),
    bind<warp>("warp", "Image:warp(b_from_a [, width [, height]]) -> Image, valid",
               "This picture as seen in frame b, bilinear. b_from_a: 9 numbers, row by row, from pixels of "
               "this picture. "
               "valid: uint8 Tensor [height, width], 1 where the pixel comes from inside this picture.",
               "print(im.image.new(64, 48):warp({ 1, 0, 5, 0, 1, 0, 0, 0, 1 }, 80, 48)) --> Image(80x48) "
               "Tensor(48x80 uint8 cpu, min 0 mean 0.8 max 1)"),
};

constexpr Type kTypes[] = {
    describe_type<Image, image_to_string>("RGB picture, 8 bits a channel; immutable.", kMethods),
};

}  // namespace image_bindings

extern const Module image_module;
const Module image_module{"image", "Pictures: reading, writing, resizing, drawing, metadata.",
                          image_bindings::kFunctions, image_bindings::kTypes};

}  // namespace imatch::host
