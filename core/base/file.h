// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace imatch {

/// U+FEFF in UTF-8, with which other programs begin their text files.
inline constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

/// Throws Failure (not_found, not_a_file, unreadable) unless `path` is a regular file that can be opened.
void require_file(const std::string& path);

/// Whole file as bytes. Throws Failure as require_file does, and too_large beyond `limit` bytes.
std::string read_file(const std::string& path, std::size_t limit = std::size_t{1} << 40);

/// Writes `bytes` under a temporary name in the same folder, flushes them to the disk and renames: a reader
/// sees the old file or the whole new one, never a part, also after kill -9. Makes missing parent folders.
/// `durable` false skips the flush, for files that can be made again (caches).
/// Throws Failure (unwritable, no_space).
void write_file_atomically(const std::string& path, std::string_view bytes, bool durable = true);
/// The same of bytes that lie in several places.
void write_file_atomically(const std::string& path, std::span<const std::string_view> parts,
                           bool durable = true);

/// Creates the file only if no other process has; true when this call made it. Throws Failure (unwritable,
/// no_space).
bool create_file_exclusively(const std::string& path, std::string_view bytes);

/// Throws Failure (unwritable, no_space) when the folder can neither be found nor made.
void make_folder(const std::string& path);

/// $XDG_CACHE_HOME/imatch-lua or ~/.cache/imatch-lua; likewise the state folder (history).
std::string user_cache_folder();
std::string user_state_folder();

/// `text` with each byte outside [A-Za-z0-9._-] as '_': safe as one file name.
std::string file_name_from(std::string_view text);

}  // namespace imatch
