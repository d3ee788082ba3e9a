// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/options.h"

namespace imatch {

/// What a page is made of besides its data.
struct ReportParts {
  std::string title;
  std::string page;   ///< HTML with {{title}}, {{style}}, {{scripts}}, {{data}} and {{content_key}}.
  std::string style;  ///< CSS.
  std::vector<std::string> scripts;  ///< JavaScript, put into the page in this order.
  Json options = Json::object();     ///< Passed on to the scripts: which axes the charts show.
};

/// A page of lua/imatch/report/: <name>.html within frame.html, which all pages share, and the common style;
/// in front of the scripts, by their names there, come JavaScript libraries, with the styles that belong to
/// them. The first line of <name>.html says what it may load: <!-- scripts: SOURCES; images: SOURCES -->, as
/// in a content security policy. Throws Failure (not_found), Error for a page without that line.
ReportParts page_parts(const std::string& name, const std::vector<std::string>& libraries,
                       const std::vector<std::string>& scripts);

/// Writes a page that needs no other file and no network, with `json` for its scripts. `content_key` stands
/// in its head: what has_content_key looks for. Throws Failure (unwritable, no_space), Error for a page that
/// asks for an unknown value.
void write_page(const std::string& path, const ReportParts& parts, const std::string& json,
                const std::string& content_key);

/// Whether the page there was written with this key.
bool has_content_key(const std::string& path, const std::string& content_key);

}  // namespace imatch
