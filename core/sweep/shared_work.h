// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "sweep/claim.h"

namespace imatch {

/// Work whose results are files, divided among the processes that are started with the same command: by srun,
/// in an array, by torchrun, or by hand. The parts have names; a process claims one, does it, and gives the
/// claim back, as sweeps do with cells, so a part whose process dies is taken over by another. What is done
/// shows in the results themselves: look again once a part is claimed.
class SharedWork {
 public:
  /// Claims stand in `folder`, which all processes see. Throws Failure (unwritable, no_space).
  explicit SharedWork(std::string folder);

  /// The right to do a part, or nothing while a living process has it. Errors as Claim::take.
  std::optional<Claim> take(const std::string& part) const;

  const std::string& folder() const { return folder_; }

 private:
  std::string folder_;
  std::unique_ptr<Worker> worker_;
};

}  // namespace imatch
