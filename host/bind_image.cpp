// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "binding.h"
#include "types.h"

namespace imatch::host {
namespace {

int new_image(lua_State* L) {
  const auto width = static_cast<int>(check_integer(L, 1, 1, 1 << 16));
  const auto height = static_cast<int>(check_integer(L, 2, 1, 1 << 16));
  return push(L, Image(width, height));
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

int image_to_string(lua_State* L) {
  const auto& image = arg<Image>(L, 1);
  return push(L, fmt::format("Image({}x{})", image.width, image.height));
}

constexpr Binding kFunctions[] = {
    bind<new_image>("new", "image.new(width, height) -> Image", "A black picture; sides 1 to 65536 px.",
                    "print(im.image.new(640, 480))"),
};

constexpr Binding kMethods[] = {
    bind<width>("width", "Image:width() -> integer", "Width in pixels.",
                "print(im.image.new(640, 480):width())"),
    bind<height>("height", "Image:height() -> integer", "Height in pixels.",
                 "print(im.image.new(640, 480):height())"),
    bind<digest>(
        "digest", "Image:digest() -> string",
        "SHA-256 of size and pixels, 64 hexadecimal digits: what the picture is, whatever file it came from.",
        "print(im.image.new(8, 8):digest())"),
};

constexpr Type kTypes[] = {
    describe_type<Image, image_to_string>("RGB picture, 8 bits a channel; immutable.", kMethods),
};

}  // namespace

extern const Module image_module;
const Module image_module{"image", "Pictures: reading, writing, resizing, drawing, metadata.", kFunctions,
                          kTypes};

}  // namespace imatch::host
