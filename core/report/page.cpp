// SPDX-License-Identifier: Apache-2.0
#include "report/page.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/error.h"
#include "base/file.h"

namespace imatch {
namespace {

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
}

/// Keeps JSON inside of its <script>: no '<' means no tag and no comment can begin there.
std::string safe_in_script(std::string json) {
  replace_all(json, "<", "\\u003c");
  return json;
}

std::string safe_script(std::string javascript) {
  replace_all(javascript, "</script", "<\\/script");
  replace_all(javascript, "<!--", "<\\!--");
  return javascript;
}

std::string safe_text(std::string text) {
  replace_all(text, "&", "&amp;");
  replace_all(text, "<", "&lt;");
  replace_all(text, ">", "&gt;");
  replace_all(text, "\"", "&quot;");
  return text;
}

/// Replaces each {{name}} in one pass, so that what comes in its place may hold anything.
std::string fill(const std::string& page, const std::vector<std::pair<std::string, std::string>>& values) {
  std::string out;
  for (std::size_t at = 0;;) {
    const std::size_t open = page.find("{{", at);
    const std::size_t close = open == std::string::npos ? open : page.find("}}", open);
    if (close == std::string::npos) return out += page.substr(at);
    out += page.substr(at, open - at);
    const std::string name = page.substr(open + 2, close - open - 2);
    const auto found =
        std::find_if(values.begin(), values.end(), [&](const auto& v) { return v.first == name; });
    if (found == values.end())
      throw Error(fmt::format("report: the page asks for an unknown value '{{{{{}}}}}'", name));
    out += found->second;
    at = close + 2;
  }
}

}  // namespace

bool has_content_key(const std::string& path, const std::string& content_key) {
  std::error_code missing;
  if (!std::filesystem::is_regular_file(path, missing)) return false;
  return read_file(path).substr(0, 1024).find(content_key) != std::string::npos;
}

void write_page(const std::string& path, const ReportParts& parts, const std::string& json,
                const std::string& content_key) {
  std::string scripts;
  for (const std::string& script : parts.scripts) scripts += "<script>" + safe_script(script) + "</script>\n";
  const std::string data =
      "<script type=\"application/json\" id=\"data\">" + safe_in_script(json) + "</script>";
  write_file_atomically(path, fill(parts.page, {{"title", safe_text(parts.title)},
                                                {"style", parts.style},
                                                {"scripts", scripts},
                                                {"data", data},
                                                {"content_key", content_key}}));
}

}  // namespace imatch
