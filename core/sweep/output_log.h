// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

namespace imatch {

/// Listens to what this process and its children write to standard output and standard error between begin()
/// and end(), and passes it on at once, also when the process crashes or exits meanwhile. For the log of a
/// failed cell. One at a time listens.
class OutputLog {
 public:
  /// Throws Error when the system has no descriptors or threads left.
  OutputLog();
  ~OutputLog();
  OutputLog(const OutputLog&) = delete;
  OutputLog& operator=(const OutputLog&) = delete;

  /// `words_file`: where a process that is ended meanwhile, by a crash or by exit(), writes how, with
  /// `words_head` and the end of the output (last_words.h); empty: nowhere.
  void begin(const std::string& words_file = {}, const std::string& words_head = {});
  /// The last kMostBytes of what was written since begin(), in the order of arrival.
  std::string end();

  static constexpr std::size_t kMostBytes = 64 << 10;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace imatch
