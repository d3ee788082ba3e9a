// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace imatch {

/// Text as it stands between the tags of a page or inside of an attribute in quotes: &, <, >, " and '
/// escaped.
std::string escaped_html(std::string_view text);

/// JSON as it may stand inside of <script>: '<', which could end it, as \u003c.
std::string json_for_script(std::string json);

/// JavaScript in a <script> that nothing in it ends.
std::string script_element(std::string javascript);

/// The page with each {{name}} replaced by the value of that name, in one pass: what comes in its place may
/// hold anything. Throws Error for a name without a value.
std::string filled_page(std::string_view page,
                        const std::vector<std::pair<std::string, std::string>>& values);

/// Bytes as an address that a page can hold: "data:image/png;base64,...".
std::string data_url(std::string_view media_type, std::string_view bytes);

/// "image/png" and the like, by the first bytes of a picture file. Throws Error when they are neither PNG,
/// JPEG, WebP nor SVG.
std::string picture_media_type(std::string_view bytes);

}  // namespace imatch
