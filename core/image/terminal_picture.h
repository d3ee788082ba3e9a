// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "image/image.h"

namespace imatch {

/// How terminals show pictures.
///   kitty   a PNG by https://sw.kovidgoyal.net/kitty/graphics-protocol
///   sixel   DEC's sixels, by libsixel: a palette of at most 256 colours, dithered
///   blocks  two pixels a character: the upper half block in the colour of the upper one on that of the lower
inline constexpr std::string_view kTerminalWays[] = {"kitty", "sixel", "blocks"};

/// The picture as what is written to the terminal, with a line end. Throws Error for another way and for an
/// empty picture.
std::string terminal_picture(const Image& image, std::string_view way);

}  // namespace imatch
