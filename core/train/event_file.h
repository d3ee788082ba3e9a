// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/file_writer.h"

namespace imatch {

/// A file that TensorBoard shows: scalars and pictures by step.
/// Format: https://github.com/tensorflow/tensorboard/blob/master/tensorboard/compat/proto/event.proto, each
/// record framed by its length and CRC-32C checksums.
class EventFile {
 public:
  /// Makes a new one, events.out.tfevents.TIME.PROCESS, in the folder. Throws Failure (unwritable, no_space).
  explicit EventFile(const std::string& folder);

  void scalar(std::int64_t step, std::string_view tag, double value);
  /// `png`: the encoded picture.
  void picture(std::int64_t step, std::string_view tag, int width, int height, std::string_view png);
  /// What was written is then seen by others. Throws Failure (unwritable, no_space).
  void flush();

 private:
  void add(std::int64_t step, std::string_view field, std::string_view content);
  FileAppender file_;
};

/// The checksum of RFC 3720, appendix B.4.
std::uint32_t crc32c(std::string_view bytes);

}  // namespace imatch
