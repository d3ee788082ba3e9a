// SPDX-License-Identifier: Apache-2.0
#include "report/page.h"

#include <fmt/format.h>

#include <filesystem>
#include <regex>

#include "base/error.h"
#include "base/file.h"
#include "base/resources.h"
#include "report/html.h"

namespace imatch {
namespace {

void replace(std::string& text, std::string_view name, std::string_view value) {
  const std::size_t at = text.find(name);
  if (at != std::string::npos) text.replace(at, name.size(), value);
}

}  // namespace

ReportParts page_parts(const std::string& name, const std::vector<std::string>& libraries,
                       const std::vector<std::string>& scripts) {
  const std::string folder = resource_folder("lua") + "/imatch/report/", js = resource_folder("js") + "/";
  const std::string own = read_file(fmt::format("{}{}.html", folder, name));
  static const std::regex kAllowed("^<!-- scripts: ([^;\n]*); images: ([^;\n]*) -->\n");
  std::smatch allowed;
  if (!std::regex_search(own, allowed, kAllowed))
    throw Error(
        fmt::format("page: {}.html does not begin with <!-- scripts: SOURCES; images: SOURCES -->", name));
  ReportParts parts{.title = "", .page = read_file(folder + "frame.html"), .style = "", .scripts = {}};
  replace(parts.page, "{{allowed_scripts}}", allowed[1].str());
  replace(parts.page, "{{allowed_images}}", allowed[2].str());
  replace(parts.page, "{{name}}", name);
  replace(parts.page, "{{main}}", allowed.suffix().str());
  for (const std::string& library : libraries) {
    parts.scripts.push_back(read_file(fmt::format("{}{}.min.js", js, library)));
    const std::string style = fmt::format("{}{}.css", js, library);
    if (std::filesystem::exists(style)) parts.style += read_file(style);
  }
  parts.style += read_file(folder + "report.css");
  for (const std::string& script : scripts)
    parts.scripts.push_back(read_file(fmt::format("{}{}.js", folder, script)));
  return parts;
}

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
