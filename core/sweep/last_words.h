// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

namespace imatch {

/// What a process leaves in cells/<key>.crash when a cell ends it: by a signal such as SIGSEGV, or by exit().
struct LastWords {
  std::string reason;  ///< "SIGSEGV", or "exit".
  std::string worker;
  std::string started;  ///< UTC, ISO 8601.
  std::string log;      ///< The end of what the cell had written.
};

/// The first lines of such a file, behind the reason, which is known only when it happens.
std::string last_words_head(const std::string& worker, const std::string& started);

/// Nothing when there is no such file; one that was cut short has what is there.
std::optional<LastWords> read_last_words(const std::string& path);

/// "SIGSEGV (a broken pointer in native code)" and so on, for people.
std::string described_end(const std::string& reason);

}  // namespace imatch
