// SPDX-License-Identifier: Apache-2.0
#include "index/faiss_call.h"

#include <faiss/impl/AuxIndexStructures.h>

#include <memory>
#include <mutex>

namespace imatch {
namespace {

class StopCallback : public faiss::InterruptCallback {
 public:
  bool want_interrupt() override { return stop_requested(); }
};

}  // namespace

void let_faiss_be_stopped() {
  static std::once_flag once;
  std::call_once(once, [] { faiss::InterruptCallback::instance = std::make_unique<StopCallback>(); });
}

}  // namespace imatch
