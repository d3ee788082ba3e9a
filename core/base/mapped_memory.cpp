// SPDX-License-Identifier: Apache-2.0
#include "base/mapped_memory.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <mutex>

#include "base/error.h"

namespace imatch {

/// Never freed, so that the signal handler may walk the list at any time; used again instead.
struct WatchedMapping::Entry {
  std::atomic<char*> start{nullptr};  ///< nullptr: free.
  std::atomic<std::size_t> size{0};
  std::atomic<char*> lost_from{nullptr};  ///< Where zeros stand in the place of what is gone.
  std::string path;
  Entry* next = nullptr;
};

namespace {

using Entry = WatchedMapping::Entry;

std::atomic<Entry*> entries{nullptr};
std::atomic<bool> some_are_lost{false};
std::mutex entries_mutex;
struct sigaction former;
long page_bytes = 4096;
int empty_file = -1;  ///< What is mapped from it cannot be read.

void on_bus_error(int number, siginfo_t* info, void* context) {
  if (mend_mapped_memory(info->si_addr)) return;
  if (former.sa_flags & SA_SIGINFO) return former.sa_sigaction(number, info, context);
  if (former.sa_handler != SIG_DFL && former.sa_handler != SIG_IGN) return former.sa_handler(number);
  std::signal(number, SIG_DFL);  // what faulted faults once more
}

void watch_bus_errors() {
  page_bytes = ::sysconf(_SC_PAGESIZE);
  empty_file = ::memfd_create("imatch-lua", MFD_CLOEXEC);
  struct sigaction action {};
  action.sa_sigaction = on_bus_error;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  sigemptyset(&action.sa_mask);
  ::sigaction(SIGBUS, &action, &former);
}

}  // namespace

void watch_mapped_memory() {
  static std::once_flag once;
  std::call_once(once, watch_bus_errors);
}

bool mend_mapped_memory(void* address) noexcept {
  char* const at = static_cast<char*>(address);
  for (Entry* entry = entries.load(); entry; entry = entry->next) {
    char* const start = entry->start.load();
    const std::size_t size = entry->size.load();
    if (!start || at < start || at >= start + size) continue;
    char* const page = at - (at - start) % page_bytes;
    const auto rest = static_cast<std::size_t>(start + size - page);
    if (::mmap(page, rest, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED,
               -1, 0) == MAP_FAILED)
      return false;
    char* const before = entry->lost_from.load();
    if (!before || page < before) entry->lost_from.store(page);
    some_are_lost.store(true);
    return true;
  }
  return false;
}

WatchedMapping::WatchedMapping(void* start, std::size_t size, const std::string& path) {
  watch_mapped_memory();
  const std::lock_guard lock(entries_mutex);
  entry_ = entries.load();
  while (entry_ && entry_->start.load()) entry_ = entry_->next;
  if (!entry_) {
    entry_ = new Entry;
    entry_->next = entries.load();
    entries.store(entry_);
  }
  entry_->path = path;
  entry_->lost_from.store(nullptr);
  entry_->size.store(size);
  entry_->start.store(static_cast<char*>(start));
}

WatchedMapping::~WatchedMapping() {
  const std::lock_guard lock(entries_mutex);
  entry_->start.store(nullptr);
}

void require_whole_mappings() {
  if (!some_are_lost.load(std::memory_order_relaxed)) return;
  const std::lock_guard lock(entries_mutex);
  some_are_lost.store(false);
  std::string path;
  for (Entry* entry = entries.load(); entry; entry = entry->next) {
    char* const start = entry->start.load();
    char* const from = entry->lost_from.exchange(nullptr);
    if (!start || !from) continue;
    path = entry->path;
    // So that the next one who reads there is told as well.
    if (empty_file >= 0)
      ::mmap(from, static_cast<std::size_t>(start + entry->size.load() - from), PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_NORESERVE | MAP_FIXED, empty_file, 0);
  }
  if (!path.empty())
    throw Failure(code::kUnreadable,
                  path + ": cannot be read: it became shorter, or its disk failed, while it was in use");
}

}  // namespace imatch
