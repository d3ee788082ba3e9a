// SPDX-License-Identifier: Apache-2.0
#include "render/world.h"

#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include "catch.h"

#include "base/error.h"
#include "base/stop.h"

using namespace imatch;

namespace {

World small_world(std::int64_t seed, double cache_mb = 256) {
  WorldOptions options;
  options.seed = seed;
  options.size_m = 400;
  options.cache_mb = cache_mb;
  return World(options);
}

CameraOptions camera_at(double x, double y, double altitude, double heading) {
  CameraOptions c;
  c.x_m = x;
  c.y_m = y;
  c.altitude_m = altitude;
  c.heading_deg = heading;
  return c;
}

cv::Mat grey(const View& view) {
  Image image = view.image;
  cv::Mat out;
  cv::cvtColor(cv::Mat(image.height, image.width, CV_8UC3, image.rgb.data()), out, cv::COLOR_RGB2GRAY);
  out.convertTo(out, CV_32F);
  return out;
}

/// OpenCV's pixel centres lie at whole numbers.
cv::Mat in_opencv_frame(const Homography& h) {
  const cv::Mat matrix = cv::Mat(3, 3, CV_64F, const_cast<double*>(h.m.data())).clone();
  const cv::Mat from = (cv::Mat_<double>(3, 3) << 1, 0, 0.5, 0, 1, 0.5, 0, 0, 1);
  const cv::Mat to = (cv::Mat_<double>(3, 3) << 1, 0, -0.5, 0, 1, -0.5, 0, 0, 1);
  return to * matrix * from;
}

struct Comparison {
  double correlation;
  double shift_px;  ///< What is left between the warped and the rendered picture.
};

/// View a carried into view b by the truth, against b itself, within the overlap.
Comparison compare(const View& a, const View& b) {
  const cv::Mat rendered = grey(b);
  cv::Mat warped, inside;
  const cv::Mat h = in_opencv_frame(b_from_a(a, b));
  cv::warpPerspective(grey(a), warped, h, rendered.size(), cv::INTER_CUBIC);
  cv::warpPerspective(cv::Mat::ones(a.image.height, a.image.width, CV_32F), inside, h, rendered.size(),
                      cv::INTER_NEAREST);
  // The largest square in the middle that both know.
  int half = 0;
  const int cx = rendered.cols / 2, cy = rendered.rows / 2;
  for (int s = 16; s < std::min(cx, cy); s += 8)
    if (cv::countNonZero(inside(cv::Rect(cx - s, cy - s, 2 * s, 2 * s))) == 4 * s * s) half = s;
  REQUIRE(half >= 48);
  const cv::Rect middle(cx - half, cy - half, 2 * half, 2 * half);
  cv::Mat p, q, dx, dy;
  cv::GaussianBlur(warped(middle), p, {}, 1.5);
  cv::GaussianBlur(rendered(middle), q, {}, 1.5);
  // Lucas and Kanade: the shift that explains the difference by the gradient, in the sense of least squares.
  cv::Sobel(q, dx, CV_32F, 1, 0, 3, 1.0 / 8);
  cv::Sobel(q, dy, CV_32F, 0, 1, 3, 1.0 / 8);
  const double xx = dx.dot(dx), xy = dx.dot(dy), yy = dy.dot(dy);
  const cv::Mat difference = p - q;
  const double bx = dx.dot(difference), by = dy.dot(difference);
  const double determinant = xx * yy - xy * xy;
  const cv::Point2d shift((yy * bx - xy * by) / determinant, (xx * by - xy * bx) / determinant);
  cv::Mat score;
  cv::matchTemplate(p, q, score, cv::TM_CCOEFF_NORMED);
  return {static_cast<double>(score.at<float>(0, 0)), std::hypot(shift.x, shift.y)};
}

}  // namespace

TEST_CASE("world: one seed is one world, whatever the threads and the cache; another seed another") {
  const CameraOptions c = camera_at(20, -35, 150, 33);
  const int threads = cv::getNumThreads();
  cv::setNumThreads(1);
  const std::string one = small_world(7).view(c).image.digest();
  cv::setNumThreads(2);
  const std::string two = small_world(7).view(c).image.digest();
  cv::setNumThreads(threads);
  CHECK(one == two);
  CHECK(small_world(7, 1).view(c).image.digest() == one);  // four tiles at a time
  CHECK(small_world(8).view(c).image.digest() != one);
  const World world = small_world(7);
  (void)world.view(camera_at(-50, 50, 60, 0));
  CHECK(world.view(c).image.digest() == one);  // what was seen before does not matter
}

TEST_CASE("world: the same bytes on every machine") {
  // Results of experiments hang on this: whoever changes the world on purpose writes the new digest down
  // here.
  CameraOptions c = camera_at(0, 0, 100, 0);
  c.width = 256;
  c.height = 192;
  CHECK(small_world(1).view(c).image.digest() ==
        "b12dee70023eb94b401969bf5b5bfc72b49fd602792b1a92055ed294a77c689f");
}

TEST_CASE("world: the picture of a truth is the picture: rotated, shifted, higher, tilted") {
  const World world = small_world(3);
  const View a = world.view(camera_at(0, 0, 120, 0));
  SECTION("rotated and shifted") {
    for (const double heading : {45.0, 90.0, 135.0, 200.0, 315.0}) {
      const Comparison c = compare(a, world.view(camera_at(9.3, -6.1, 120, heading)));
      CAPTURE(heading, c.correlation, c.shift_px);
      CHECK(c.correlation > 0.97);
      CHECK(c.shift_px < 0.05);
    }
  }
  SECTION("another altitude") {
    for (const double altitude : {60.0, 97.0}) {
      const View b = world.view(camera_at(4, 3, altitude, 20));
      const Comparison c = compare(b, a.image.empty() ? b : world.view(camera_at(4, 3, altitude * 0.8, 75)));
      CAPTURE(altitude, c.correlation, c.shift_px);
      CHECK(c.correlation > 0.95);
      CHECK(c.shift_px < 0.05);
    }
  }
  SECTION("tilted and rolled") {
    CameraOptions tilted = camera_at(0, -40, 120, 10);
    tilted.tilt_deg = 18;
    tilted.roll_deg = -7;
    const Comparison c = compare(world.view(tilted), world.view(camera_at(12, 0, 100, 40)));
    CAPTURE(c.correlation, c.shift_px);
    CHECK(c.correlation > 0.95);
    CHECK(c.shift_px < 0.05);
  }
}

TEST_CASE("world: a pixel is the mean of its footprint") {
  const World world = small_world(5);
  for (const double altitude : {60.0, 180.0, 300.0}) {
    CameraOptions coarse = camera_at(5, 5, altitude, 25);
    coarse.width = 96;
    coarse.height = 72;
    CameraOptions fine = coarse;
    fine.width *= 6;
    fine.height *= 6;
    cv::Mat mean;
    cv::resize(grey(world.view(fine)), mean, {coarse.width, coarse.height}, 0, 0, cv::INTER_AREA);
    cv::Mat direct = grey(world.view(coarse));
    CAPTURE(altitude);
    // Bilinear samples soften a little; what would be left of aliasing is not softened away.
    CHECK(cv::norm(mean, direct, cv::NORM_INF) < 70);
    cv::GaussianBlur(mean, mean, {}, 1);
    cv::GaussianBlur(direct, direct, {}, 1);
    CHECK(cv::norm(mean, direct, cv::NORM_L1) / (96 * 72) < 2.0);
  }
}

TEST_CASE("world: structure at every scale, nowhere repeated") {
  const World world = small_world(2);
  for (const double altitude : {40.0, 60.0, 120.0, 300.0}) {
    double least = 1e9;
    for (const double x : {-60.0, 0.0, 60.0}) {
      cv::Scalar mean, deviation;
      cv::meanStdDev(grey(world.view(camera_at(x, 20, altitude, 0))), mean, deviation);
      least = std::min(least, deviation[0]);
      CHECK(mean[0] > 50);
      CHECK(mean[0] < 200);
    }
    CAPTURE(altitude);
    CHECK(least > 5);
  }
}

TEST_CASE("world: beyond the edge and above the horizon nothing is valid, and nothing breaks") {
  const World world = small_world(1);
  const View edge = world.view(camera_at(200, 0, 60, 0));
  CHECK(coverage(edge) == Approx(0.5).margin(0.01));
  CHECK(edge.valid.front() == 255);
  CHECK(edge.valid.back() == 0);
  CHECK(int{edge.image.rgb.back()} == 0);
  CHECK(coverage(world.view(camera_at(5000, 0, 60, 0))) == 0);
  CHECK(coverage(world.view(camera_at(1e12, -1e12, 60, 0))) == 0);
  CameraOptions sky = camera_at(0, 0, 60, 0);
  sky.tilt_deg = 90;
  const View level = world.view(sky);
  CHECK(level.valid.front() == 0);
  CHECK(coverage(level) < 0.5);
  CHECK(coverage(level) > 0.05);
  sky.roll_deg = 90;
  CHECK(world.view(sky).valid.size() == 448 * 336);
  CameraOptions high = camera_at(0, 0, 1e5, 0);
  CHECK(coverage(world.view(high)) < 1e-3);
  CameraOptions tiny = camera_at(0, 0, 100, 0);
  tiny.width = tiny.height = 1;
  CHECK(coverage(world.view(tiny)) == 1);
}

TEST_CASE("world: a stop interrupts painting") {
  const World world = small_world(1);
  request_stop();
  CHECK_THROWS_AS(world.view(camera_at(0, 0, 120, 0)), Interrupted);
  clear_stop();
  CHECK(coverage(world.view(camera_at(0, 0, 120, 0))) == 1);
}

TEST_CASE("overlap: whole, half, none") {
  const World world = small_world(1);
  const View a = world.view(camera_at(0, 0, 60, 0));
  CHECK(overlap(a, a) == 1);
  const double width = 2 * 60 * std::tan(M_PI / 6);
  CHECK(overlap(a, world.view(camera_at(width / 2, 0, 60, 0))) == Approx(0.5).margin(0.005));
  CHECK(overlap(a, world.view(camera_at(0, 0, 60, 180))) == Approx(1).margin(0.01));
  CHECK(overlap(a, world.view(camera_at(100, 0, 60, 0))) == 0);
}
