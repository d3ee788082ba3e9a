// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace imatch {

/// The image that the name of a vector file tells of: "251124_00001.jpg" for
/// GlobalToken_res1024_raw_dinov3_vits16_LVD_251124_0001, the frame padded to five digits; "" for a name of
/// another form. What follows the frame (_rot045_crop50) says nothing of the image.
std::string image_in_vector_name(std::string_view stem);

/// What an image's name, without its ending, has in common with all names of the same frame: "251124_1" for
/// 251124_0001, 251124_00001 and the reference 251124_0001_rot045_crop50 that was made from it. A name of
/// another form stays as it is.
std::string frame_name(std::string_view stem);

}  // namespace imatch
