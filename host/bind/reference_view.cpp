// SPDX-License-Identifier: Apache-2.0
#include "retrieval/reference_view.h"

#include "bind/types.h"
#include "binding.h"

namespace imatch::host {
namespace reference_view_bindings {

int view_of_photo(lua_State* L) {
  return push(L, imatch::reference_view(arg<Image>(L, 1),
                                        options<ReferenceViewOptions>(L, 2, "retrieval.reference_view")));
}

constexpr Binding kFunctions[] = {
    bind<view_of_photo>(
        "reference_view", "retrieval.reference_view(photo [, options]) -> Image",
        "A reference made of a photo: rotated counter-clockwise on a larger canvas, the largest part of the "
        "photo's shape scaled to its size, its centre cropped; as Pillow's rotate (bicubic, expand), "
        "ImageOps.fit and crop do it.",
        "local view = im.retrieval.reference_view(im.image.new(80, 60), { angle_deg = 45 })\n"
        "print(view:width() == 40 and view:height() == 30) --> true",
        describe_options<ReferenceViewOptions>),
};

}  // namespace reference_view_bindings

extern const Module reference_view_module;
const Module reference_view_module{"retrieval", "", reference_view_bindings::kFunctions};

}  // namespace imatch::host
