// SPDX-License-Identifier: Apache-2.0
#include "image/image_stream.h"

#include <pthread.h>

#include <chrono>
#include <csignal>

#include "base/error.h"
#include "base/stop.h"
#include "base/threads.h"
#include "image/decode.h"
#include "image/resize.h"

namespace imatch {

ImageStream::ImageStream(std::vector<std::string> paths, const ImageStreamOptions& options)
    : paths_(std::move(paths)), options_(options), done_(paths_.size()) {
  // Signals belong to the thread that runs Lua.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const int count = options.threads > 0 ? options.threads : num_threads();
  for (int i = 0; i < count; ++i) threads_.emplace_back([this] { work(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

ImageStream::~ImageStream() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ImageStream::work() {
  using Clock = std::chrono::steady_clock;
  for (;;) {
    std::size_t index = 0;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] {
        return stopping_ || claimed_ == paths_.size() ||
               claimed_ < given_ + static_cast<std::size_t>(options_.ahead);
      });
      if (stopping_ || claimed_ == paths_.size()) return;
      index = claimed_++;
    }
    const auto start = Clock::now();
    Item item;
    item.index = index;
    try {
      auto image = std::make_shared<Image>(open_image(paths_[index]));
      if (options_.side_px > 0) {
        ResizeOptions square;
        square.mode = "exact";
        square.size = options_.side_px;
        *image = resize(*image, square).image;
      }
      image->digest();
      item.image = std::move(image);
    } catch (const std::exception& e) {
      item.problem = e.what();
    }
    item.decode_ms = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
    {
      const std::lock_guard lock(mutex_);
      done_[index] = std::move(item);
    }
    changed_.notify_all();
  }
}

std::optional<ImageStream::Item> ImageStream::next() {
  std::unique_lock lock(mutex_);
  if (given_ == paths_.size()) return std::nullopt;
  while (!done_[given_]) {
    changed_.wait_for(lock, std::chrono::milliseconds(100));
    check_stop();
  }
  std::optional<Item> item = std::move(done_[given_]);
  done_[given_++].reset();
  lock.unlock();
  changed_.notify_all();
  return item;
}

}  // namespace imatch
