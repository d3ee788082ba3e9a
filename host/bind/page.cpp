// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <utility>
#include <vector>

#include "base/base64.h"
#include "binding.h"
#include "io/json_file.h"
#include "report/html.h"

namespace imatch::host {
namespace page_bindings {

int html(lua_State* L) {
  return push(L, escaped_html(check_string(L, 1)));
}
int script_json(lua_State* L) {
  return push(L, json_for_script(json_text(to_json(L, 1), -1)));
}
int page(lua_State* L) {
  std::vector<std::pair<std::string, std::string>> values;
  const Json table = to_json(L, 2, "values");
  for (const auto& [name, text] : table.items()) values.emplace_back(name, text.get<std::string>());
  return push(L, filled_page(check_string(L, 1), values));
}
int script(lua_State* L) {
  return push(L, script_element(check_string(L, 1)));
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
    bind<script>(
        "script", "report.script(javascript) -> string", "A <script> element that nothing in its text ends.",
        "print(im.report.script 'let a = \"</script>\"') --> <script>let a = \"<\\/script>\"</script>"),
    bind<page>(
        "page", "report.page(template, values) -> string",
        "A page with each {{name}} replaced by the value of that name, which may hold anything. A name "
        "without a value is an error.",
        "print(im.report.page('<h1>{{title}}</h1>', { title = im.report.html 'A & B' })) --> <h1>A &amp; "
        "B</h1>"),
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
