// SPDX-License-Identifier: Apache-2.0
#include "report/page.h"

#include <filesystem>

#include "base/file.h"
#include "report/html.h"

namespace imatch {

bool has_content_key(const std::string& path, const std::string& content_key) {
  std::error_code missing;
  if (!std::filesystem::is_regular_file(path, missing)) return false;
  return read_file(path).substr(0, 1024).find(content_key) != std::string::npos;
}

void write_page(const std::string& path, const ReportParts& parts, const std::string& json,
                const std::string& content_key) {
  std::string scripts;
  for (const std::string& script : parts.scripts) scripts += script_element(script) + "\n";
  const std::string data =
      "<script type=\"application/json\" id=\"data\">" + json_for_script(json) + "</script>";
  write_file_atomically(path, filled_page(parts.page, {{"title", escaped_html(parts.title)},
                                                       {"style", parts.style},
                                                       {"scripts", scripts},
                                                       {"data", data},
                                                       {"content_key", content_key}}));
}

}  // namespace imatch
