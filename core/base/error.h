// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace imatch {

/// Misuse or a broken invariant. The message names the thing, its value and what is allowed:
/// "max_features: 0 is not allowed; expected an integer >= 1". In Lua it is raised at the caller's line.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A failure that a correct program meets: a missing file, a truncated image, a full disk, no matches.
/// In Lua it is returned as `nil, message, code`; `code` is stable and meant for programs.
class Failure : public Error {
 public:
  Failure(std::string code, const std::string& message) : Error(message), code_(std::move(code)) {}
  const std::string& code() const noexcept { return code_; }

 private:
  std::string code_;
};

/// Codes of Failure that more than one room uses.
namespace code {
inline constexpr const char* kNotFound = "not_found";     ///< No such file or name.
inline constexpr const char* kNotAFile = "not_a_file";    ///< A directory or device in a file's place.
inline constexpr const char* kUnreadable = "unreadable";  ///< Permission or I/O error while reading.
inline constexpr const char* kUnwritable = "unwritable";  ///< Permission or I/O error while writing.
inline constexpr const char* kNoSpace = "no_space";       ///< The disk is full.
inline constexpr const char* kBadFormat =
    "bad_format";  ///< The file is not what it claims to be, or is truncated.
inline constexpr const char* kTooLarge = "too_large";      ///< Larger than the program accepts.
inline constexpr const char* kBadWeights = "bad_weights";  ///< Weights that do not fit the architecture.
inline constexpr const char* kNoResult = "no_result";  ///< Valid input from which nothing can be computed.
}  // namespace code

/// Thrown where a stop was asked for (Ctrl-C, SIGTERM); see base/stop.h.
class Interrupted : public std::exception {
 public:
  const char* what() const noexcept override { return "interrupted"; }
};

}  // namespace imatch
