// SPDX-License-Identifier: Apache-2.0
#include "nn/device_batches.h"

#include <ATen/ops/empty_like.h>
#include <c10/core/Event.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <memory>
#include <optional>
#include <utility>

#include "base/stop.h"

namespace imatch {
namespace {

/// The way to a GPU and back. Page-locked memory is what the copy engines work on beside the kernels; its
/// allocator keeps a block until the copies out of it are done.
class Transfers {
 public:
  Transfers(c10::Device device, c10::ScalarType dtype)
      : device_(device),
        dtype_(dtype),
        backend_(device.type()),
        uploads_(backend_.getStreamFromGlobalPool(device)),
        downloads_(backend_.getStreamFromGlobalPool(device)) {}

  /// The kernels of the current stream wait for it, the CPU does not.
  at::Tensor upload(const at::Tensor& host) const {
    at::Tensor there;
    {
      const c10::StreamGuard guard(uploads_);
      there = host.pin_memory().to(device_, host.scalar_type(), /*non_blocking=*/true);
    }
    hand_over(there, uploads_, backend_.getStream(device_));
    return there.is_floating_point() ? there.to(dtype_) : there;
  }

  /// Filled once the next mark() is reached. The network's next batch does not wait for it.
  at::Tensor download(const at::Tensor& there) const {
    const at::Tensor exact = there.contiguous().to(at::kFloat);
    hand_over(exact, backend_.getStream(device_), downloads_);
    const c10::StreamGuard guard(downloads_);
    return at::empty_like(exact, exact.options().device(at::kCPU).pinned_memory(true))
        .copy_(exact, /*non_blocking=*/true);
  }

  std::unique_ptr<c10::Event> mark() const {
    auto event = std::make_unique<c10::Event>(device_.type());
    event->record(downloads_);
    return event;
  }

 private:
  /// What `later` does from now on begins behind what `earlier` has put into the tensor, whose memory is not
  /// given away before `later` is through with it.
  void hand_over(const at::Tensor& tensor, const c10::Stream& earlier, const c10::Stream& later) const {
    c10::Event filled(device_.type());
    filled.record(earlier);
    filled.block(later);
    backend_.recordDataPtrOnStream(tensor.storage().data_ptr(), later);
  }

  c10::Device device_;
  c10::ScalarType dtype_;
  c10::impl::VirtualGuardImpl backend_;
  c10::Stream uploads_, downloads_;
};

/// A batch whose outputs may still be on their way.
struct Pending {
  std::size_t index = 0;
  std::vector<at::Tensor> outputs;
  std::unique_ptr<c10::Event> ready;  ///< None: they are here.
};

}  // namespace

void run_batches(std::size_t count, c10::Device device, c10::ScalarType dtype,
                 const std::function<at::Tensor(std::size_t)>& input,
                 const std::function<std::vector<at::Tensor>(const at::Tensor&)>& forward,
                 const std::function<void(std::size_t, const std::vector<at::Tensor>&)>& output) {
  std::optional<Transfers> transfers;
  if (!device.is_cpu()) transfers.emplace(device, dtype);
  std::unique_ptr<Pending> pending;
  const auto finish = [&] {
    if (!pending) return;
    if (pending->ready) pending->ready->synchronize();
    output(pending->index, pending->outputs);
    pending.reset();
  };
  for (std::size_t i = 0; i < count; ++i) {
    check_stop();
    const at::Tensor host = input(i);
    auto current = std::make_unique<Pending>();
    current->index = i;
    current->outputs = forward(transfers                  ? transfers->upload(host)
                               : host.is_floating_point() ? host.to(dtype)
                                                          : host);
    for (at::Tensor& tensor : current->outputs)
      tensor = transfers ? transfers->download(tensor) : tensor.to(at::kFloat);
    if (transfers) current->ready = transfers->mark();
    finish();
    pending = std::move(current);
  }
  finish();
}

}  // namespace imatch
