// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "image/image.h"

namespace imatch {

/// In pixels of the image, at least 1 x 1 and inside of it.
struct ChosenRectangle {
  int x = 0, y = 0, width = 0, height = 0;
};

/// Shows the image in a window of the X display in $DISPLAY, shrunk where the screen is smaller, and lets the
/// user draw a rectangle with the mouse: a new one replaces the last, Enter takes it, and without one the
/// whole image. nullopt: Escape, or the window was closed. Throws Failure (no_display) where there is no
/// display or it does not show true colours.
std::optional<ChosenRectangle> choose_rectangle(const Image& image, const std::string& title);

}  // namespace imatch
