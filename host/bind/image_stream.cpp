// SPDX-License-Identifier: Apache-2.0
#include "image/image_stream.h"

#include <memory>

#include "bind/lists.h"
#include "bind/types.h"
#include "binding.h"

namespace imatch::host {

template <>
inline constexpr const char* type_name<ImageStream> = "ImageStream";

namespace image_stream_bindings {

int stream(lua_State* L) {
  return push(L, std::make_shared<ImageStream>(check_strings(L, 1),
                                               options<ImageStreamOptions>(L, 2, "image.stream")));
}

int stream_next(lua_State* L) {
  auto item = mutable_arg<ImageStream>(L, 1).next();
  if (!item) return lua_pushnil(L), 1;
  push(L, item->index + 1);
  if (item->image)
    push(L, std::const_pointer_cast<Image>(item->image));
  else
    lua_pushboolean(L, 0);
  if (item->image)
    push(L, item->decode_ms);
  else
    push(L, item->problem);
  return 3;
}

int stream_to_string(lua_State* L) {
  return push(L, "ImageStream");
}

constexpr Binding kFunctions[] = {
    bind<stream>("stream", "image.stream(paths [, options]) -> ImageStream",
                 "Decodes pictures in the background, in order.",
                 "print(im.image.stream { 'no_such.jpg' }:next()) --> 1 false no_such.jpg: no such file",
                 describe_options<ImageStreamOptions>),
};

constexpr Binding kMethods[] = {
    bind<stream_next>(
        "next", "ImageStream:next() -> i, Image, ms | i, false, message | nil",
        "The next picture and the time it took; false and why when it cannot be decoded; nil at the end.",
        "print(im.image.stream({}):next()) --> nil"),
};

constexpr Type kTypes[] = {
    describe_type<ImageStream, stream_to_string>("Pictures decoded in the background.", kMethods),
};

}  // namespace image_stream_bindings

extern const Module image_stream_module;
const Module image_stream_module{"image", "", image_stream_bindings::kFunctions,
                                 image_stream_bindings::kTypes};

}  // namespace imatch::host
