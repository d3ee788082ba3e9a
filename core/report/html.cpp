// SPDX-License-Identifier: Apache-2.0
#include "report/html.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/base64.h"
#include "base/error.h"

namespace imatch {
namespace {

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
}

}  // namespace

std::string escaped_html(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  return out;
}

std::string json_for_script(std::string json) {
  replace_all(json, "<", "\\u003c");
  return json;
}

std::string script_element(std::string javascript) {
  replace_all(javascript, "</script", "<\\/script");
  replace_all(javascript, "<!--", "<\\!--");
  return "<script>" + javascript + "</script>";
}

std::string filled_page(std::string_view page,
                        const std::vector<std::pair<std::string, std::string>>& values) {
  std::string out;
  for (std::size_t at = 0;;) {
    const std::size_t open = page.find("{{", at);
    const std::size_t close = open == std::string::npos ? open : page.find("}}", open);
    if (close == std::string::npos) return out += page.substr(at);
    out += page.substr(at, open - at);
    const std::string_view name = page.substr(open + 2, close - open - 2);
    const auto found =
        std::find_if(values.begin(), values.end(), [&](const auto& v) { return v.first == name; });
    if (found == values.end()) throw Error(fmt::format("page: no value for '{{{{{}}}}}'", name));
    out += found->second;
    at = close + 2;
  }
}

std::string data_url(std::string_view media_type, std::string_view bytes) {
  return fmt::format("data:{};base64,{}", media_type, base64(bytes));
}

std::string picture_media_type(std::string_view bytes) {
  if (bytes.starts_with("\x89PNG\r\n")) return "image/png";
  if (bytes.starts_with("\xff\xd8\xff")) return "image/jpeg";
  if (bytes.starts_with("RIFF") && bytes.substr(0, 12).ends_with("WEBP")) return "image/webp";
  if (bytes.starts_with("<svg")) return "image/svg+xml";
  throw Error("data URL: expected the bytes of a PNG, JPEG, WebP or SVG file");
}

}  // namespace imatch
