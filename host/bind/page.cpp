// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <utility>
#include <vector>

#include "base/base64.h"
#include "binding.h"
#include "io/json_file.h"
#include "report/html.h"
#include "report/page.h"

namespace imatch::host {
namespace page_bindings {

int html(lua_State* L) {
  return push(L, escaped_html(check_string(L, 1)));
}
int script_json(lua_State* L) {
  return push(L, json_for_script(json_text(to_json(L, 1), -1)));
}
std::vector<std::string> texts_at(lua_State* L, int index) {
  return is_absent(L, index) ? std::vector<std::string>() : check_strings(L, index);
}
int write(lua_State* L) {
  ReportParts parts = page_parts(check_string(L, 2), texts_at(L, 6), texts_at(L, 5));
  parts.title = check_string(L, 3);
  write_page(check_string(L, 1), parts, json_text(to_json(L, 4), -1), "");
  return push(L, true);
}
int url(lua_State* L) {
  const std::string bytes = check_string(L, 1);
  return push(L, data_url(picture_media_type(bytes), bytes));
}
int base64_digits(lua_State* L) {
  return push(L, base64(check_string(L, 1)));
}

constexpr Binding kFunctions[] = {
    bind<html>("html", "report.html(text) -> string",
               "Text as it stands in a page: &, <, > and quotes escaped, also for attributes.",
               "print(im.report.html 'a < b') --> a &lt; b"),
    bind<script_json>("json", "report.json(value) -> string",
                      "JSON in one line that cannot end the <script> in which it stands.",
                      "print(im.report.json { tag = '<b>' }) --> {\"tag\":\"\\u003cb>\"}"),
    bind<write>(
        "write", "report.write(path, page, title, data, scripts [, libraries]) -> true",
        "Writes a page that needs no other file and no network: <page>.html of lua/imatch/report in the "
        "frame and style "
        "of all pages, with `data` (anything that JSON has) for the scripts named, which lie there too, and "
        "JavaScript libraries that come with the program. Fails with unwritable or no_space.",
        "assert(im.report.write('/tmp/imatch_doc_runs.html', 'runs', 'Runs', { folder = 'runs', runs = {} }, "
        "{ 'look', "
        "'runs' }))"),
    bind<url>("data_url", "report.data_url(bytes) -> string",
              "The bytes of a picture file (PNG, JPEG, WebP, SVG) as an address that a page can hold.",
              "print(im.report.data_url(im.image.new(1, 1):encode 'png'):sub(1, 26)) --> "
              "data:image/png;base64,iVBO"),
    bind<base64_digits>("base64", "report.base64(bytes) -> string",
                        "Bytes in the digits of RFC 4648, padded.",
                        "print(im.report.base64 'hello') --> aGVsbG8="),
};

}  // namespace page_bindings

extern const Module page_module;
const Module page_module{"report", "What pages are made of.", page_bindings::kFunctions};

}  // namespace imatch::host
