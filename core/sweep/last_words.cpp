// SPDX-License-Identifier: Apache-2.0
//
// The file: reason, worker, time, a line each, then the log.
#include "sweep/last_words.h"

#include "base/error.h"
#include "base/file.h"

namespace imatch {

std::string last_words_head(const std::string& worker, const std::string& started) {
  return worker + "\n" + started + "\n";
}

std::optional<LastWords> read_last_words(const std::string& path) {
  std::string text;
  try {
    text = read_file(path, std::size_t{1} << 24);
  } catch (const Failure&) {
    return std::nullopt;
  }
  LastWords words;
  std::size_t at = 0;
  for (std::string* line : {&words.reason, &words.worker, &words.started}) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    *line = text.substr(at, end - at);
    at = std::min(end + 1, text.size());
  }
  words.log = text.substr(at);
  return words;
}

std::string described_end(const std::string& reason) {
  if (reason == "exit") return "it ended the program (exit)";
  if (reason == "SIGSEGV" || reason == "SIGBUS")
    return reason + ", an access to memory that it does not have";
  if (reason == "SIGABRT") return reason + ", it gave up";
  if (reason == "SIGFPE") return reason + ", an impossible division";
  return reason.empty() ? "it is not known how" : reason;
}

}  // namespace imatch
