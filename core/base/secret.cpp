// SPDX-License-Identifier: Apache-2.0
#include "base/secret.h"

#include <cstring>

namespace imatch {
namespace {

constexpr std::string_view kStars = "***";
constexpr std::string_view kOption = "password";

/// "--redis-password" or "--redis-password=secret".
bool is_password_option(std::string_view word) {
  return word.starts_with("--") && word.substr(0, word.find('=')).ends_with(kOption);
}

}  // namespace

std::string without_passwords(std::string_view text) {
  std::string shown;
  for (;;) {
    const auto scheme = text.find("://");
    if (scheme == std::string_view::npos) return shown.append(text);
    shown += text.substr(0, scheme + 3);
    text.remove_prefix(scheme + 3);
    const std::string_view authority = text.substr(0, text.find_first_of("/?# \t\r\n\"'<>"));
    const auto at = authority.rfind('@');
    const auto colon = authority.find(':');
    if (at == std::string_view::npos || colon >= at) continue;
    (shown += text.substr(0, colon + 1)) += kStars;
    text.remove_prefix(at);
  }
}

std::vector<std::string> without_passwords(std::vector<std::string> words) {
  bool is_value = false;
  for (std::string& word : words) {
    const bool is_option = is_password_option(word);
    const auto equals = word.find('=');
    if (is_value && !word.empty())
      word = kStars;
    else if (is_option && equals != std::string::npos)
      word = word.substr(0, equals + 1).append(kStars);
    else
      word = without_passwords(std::string_view(word));
    is_value = is_option && equals == std::string::npos;
  }
  return words;
}

void hide_passwords(int argc, char** argv) {
  const std::vector<std::string> shown = without_passwords(std::vector<std::string>(argv, argv + argc));
  for (int i = 1; i < argc; ++i) {
    const std::size_t size = std::strlen(argv[i]);
    if (shown[static_cast<std::size_t>(i)] == argv[i]) continue;
    const std::size_t kept = std::min(size, shown[static_cast<std::size_t>(i)].size());
    std::memset(argv[i], 0, size);
    std::memcpy(argv[i], shown[static_cast<std::size_t>(i)].data(), kept);
  }
}

}  // namespace imatch
