// SPDX-License-Identifier: Apache-2.0
#include "image/choose_rectangle.h"

#include <X11/Xlib.h>
#include <X11/Xutil.h>
#include <X11/keysym.h>
#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <vector>

#include "base/error.h"
#include "base/stop.h"
#include "image/resize.h"

namespace imatch {
namespace {

constexpr int kWaitMs = 50;              // between looks at the stop request
constexpr double kShareOfScreen = 0.85;  // what window managers leave

[[noreturn]] void no_display(const std::string& why) {
  throw Failure("no_display", "choose_rectangle: " + why);
}

struct CloseDisplay {
  void operator()(Display* display) const { XCloseDisplay(display); }
};

Image fitted(const Image& image, int width, int height) {
  const double factor =
      std::min({1.0, kShareOfScreen * width / image.width, kShareOfScreen * height / image.height});
  if (factor == 1) return image;
  return resize_to(image, {std::max(1, static_cast<int>(image.width * factor)),
                           std::max(1, static_cast<int>(image.height * factor))});
}

class RectangleWindow {
 public:
  RectangleWindow(const Image& image, const std::string& title)
      : original_(image), display_(XOpenDisplay(nullptr)) {
    if (!display_) {
      const char* const name = std::getenv("DISPLAY");
      no_display(name && *name ? fmt::format("the display '{}' cannot be opened", name)
                               : std::string("there is no display ($DISPLAY is not set)"));
    }
    const int screen = DefaultScreen(display());
    Visual* const visual = DefaultVisual(display(), screen);
    const int depth = DefaultDepth(display(), screen);
    if (visual->c_class != TrueColor || depth < 24) no_display("the display does not show true colours");
    shown_ = fitted(image, DisplayWidth(display(), screen), DisplayHeight(display(), screen));
    window_ = XCreateSimpleWindow(display(), DefaultRootWindow(display()), 0, 0,
                                  static_cast<unsigned>(shown_.width), static_cast<unsigned>(shown_.height),
                                  0, 0, BlackPixel(display(), screen));
    XStoreName(display(), window_, title.c_str());
    XSizeHints hints{};
    hints.flags = PMinSize | PMaxSize;
    hints.min_width = hints.max_width = shown_.width;
    hints.min_height = hints.max_height = shown_.height;
    XSetWMNormalHints(display(), window_, &hints);
    close_ = XInternAtom(display(), "WM_DELETE_WINDOW", False);
    XSetWMProtocols(display(), window_, &close_, 1);
    XSelectInput(display(), window_,
                 ExposureMask | KeyPressMask | ButtonPressMask | ButtonReleaseMask | Button1MotionMask);
    context_ = XCreateGC(display(), window_, 0, nullptr);
    make_picture(visual, depth);
    XMapRaised(display(), window_);
  }
  ~RectangleWindow() {
    if (picture_) XFreePixmap(display(), picture_);
    XFreeGC(display(), context_);
    XDestroyWindow(display(), window_);
  }
  RectangleWindow(const RectangleWindow&) = delete;
  RectangleWindow& operator=(const RectangleWindow&) = delete;

  std::optional<ChosenRectangle> run() {
    XFlush(display());
    for (;;) {
      check_stop();
      if (XPending(display()) == 0) {
        pollfd connection{ConnectionNumber(display()), POLLIN, 0};
        poll(&connection, 1, kWaitMs);
        continue;
      }
      XEvent event;
      XNextEvent(display(), &event);
      if (event.type == Expose && event.xexpose.count == 0) draw();
      if (event.type == ButtonPress && event.xbutton.button == Button1)
        begin(event.xbutton.x, event.xbutton.y);
      if (event.type == MotionNotify) extend(event.xmotion.x, event.xmotion.y);
      if (event.type == ButtonRelease && event.xbutton.button == Button1)
        extend(event.xbutton.x, event.xbutton.y);
      if (event.type == ClientMessage && static_cast<Atom>(event.xclient.data.l[0]) == close_)
        return std::nullopt;
      if (event.type != KeyPress) continue;
      const KeySym key = XLookupKeysym(&event.xkey, 0);
      if (key == XK_Escape) return std::nullopt;
      if (key == XK_Return || key == XK_KP_Enter) return chosen();
    }
  }

 private:
  Display* display() const { return display_.get(); }

  /// The pixels as the server keeps them, so that drawing anew costs nothing.
  void make_picture(Visual* visual, int depth) {
    const auto width = static_cast<unsigned>(shown_.width), height = static_cast<unsigned>(shown_.height);
    std::vector<std::uint32_t> pixels(std::size_t{width} * height);
    const auto place = [](unsigned long mask) { return std::countr_zero(mask); };
    const int red = place(visual->red_mask), green = place(visual->green_mask),
              blue = place(visual->blue_mask);
    for (std::size_t i = 0; i < pixels.size(); ++i) {
      const std::uint8_t* const rgb = &shown_.rgb[3 * i];
      pixels[i] =
          std::uint32_t{rgb[0]} << red | std::uint32_t{rgb[1]} << green | std::uint32_t{rgb[2]} << blue;
    }
    XImage* const ximage = XCreateImage(display(), visual, static_cast<unsigned>(depth), ZPixmap, 0,
                                        reinterpret_cast<char*>(pixels.data()), width, height, 32, 0);
    if (!ximage) no_display("the display does not take the image");
    ximage->byte_order = std::endian::native == std::endian::little ? LSBFirst : MSBFirst;
    picture_ = XCreatePixmap(display(), window_, width, height, static_cast<unsigned>(depth));
    XPutImage(display(), picture_, context_, ximage, 0, 0, 0, 0, width, height);
    ximage->data = nullptr;  // ours
    XDestroyImage(ximage);
  }

  void begin(int x, int y) {
    from_x_ = to_x_ = std::clamp(x, 0, shown_.width);
    from_y_ = to_y_ = std::clamp(y, 0, shown_.height);
    draw();
  }
  void extend(int x, int y) {
    to_x_ = std::clamp(x, 0, shown_.width);
    to_y_ = std::clamp(y, 0, shown_.height);
    draw();
  }

  void draw() {
    XCopyArea(display(), picture_, window_, context_, 0, 0, static_cast<unsigned>(shown_.width),
              static_cast<unsigned>(shown_.height), 0, 0);
    // White inside of black shows on every ground.
    for (const auto& [colour, width] : {std::pair{0x000000UL, 3U}, std::pair{0xffffffUL, 1U}}) {
      XSetForeground(display(), context_, colour);
      XSetLineAttributes(display(), context_, width, LineSolid, CapButt, JoinMiter);
      XDrawRectangle(display(), window_, context_, std::min(from_x_, to_x_), std::min(from_y_, to_y_),
                     static_cast<unsigned>(std::abs(to_x_ - from_x_)),
                     static_cast<unsigned>(std::abs(to_y_ - from_y_)));
    }
    XFlush(display());
  }

  ChosenRectangle chosen() const {
    if (from_x_ == to_x_ || from_y_ == to_y_) return {0, 0, original_.width, original_.height};
    const auto span = [](int a, int b, int shown, int original) {
      const double scale = static_cast<double>(original) / shown;
      const int low = std::clamp(static_cast<int>(std::lround(std::min(a, b) * scale)), 0, original - 1);
      const int high = std::clamp(static_cast<int>(std::lround(std::max(a, b) * scale)), low + 1, original);
      return std::pair{low, high - low};
    };
    const auto [x, width] = span(from_x_, to_x_, shown_.width, original_.width);
    const auto [y, height] = span(from_y_, to_y_, shown_.height, original_.height);
    return {x, y, width, height};
  }

  const Image& original_;
  Image shown_;
  std::unique_ptr<Display, CloseDisplay> display_;
  Window window_ = 0;
  Atom close_ = 0;
  GC context_ = nullptr;
  Pixmap picture_ = 0;
  int from_x_ = 0, from_y_ = 0, to_x_ = 0, to_y_ = 0;  // in the window
};

}  // namespace

std::optional<ChosenRectangle> choose_rectangle(const Image& image, const std::string& title) {
  return RectangleWindow(image, title).run();
}

}  // namespace imatch
