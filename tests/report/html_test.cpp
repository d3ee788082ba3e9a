// SPDX-License-Identifier: Apache-2.0
#include "report/html.h"

#include "base/error.h"
#include "catch.h"

using namespace imatch;

TEST_CASE("what has a meaning in HTML is escaped, also for attributes") {
  CHECK(escaped_html("a < b && \"c\" > 'd'") == "a &lt; b &amp;&amp; &quot;c&quot; &gt; &#39;d&#39;");
  CHECK(escaped_html("\u00fcber") == "\u00fcber");
  CHECK(escaped_html("").empty());
}

TEST_CASE("JSON cannot end its script") {
  CHECK(json_for_script(R"({"a":"</script><!--"})") == R"({"a":"\u003c/script>\u003c!--"})");
}

TEST_CASE("a script cannot end itself") {
  CHECK(script_element("'</script><!--'") == "<script>'<\\/script><\\!--'</script>");
}

TEST_CASE("a page is filled in one pass, and asks for nothing that it does not get") {
  CHECK(filled_page("<h1>{{a}}</h1>{{b}}{{a}}", {{"a", "{{b}}"}, {"b", "2"}}) == "<h1>{{b}}</h1>2{{b}}");
  CHECK(filled_page("{{ open", {}) == "{{ open");
  CHECK_THROWS_WITH(filled_page("{{a}}", {}), Catch::Contains("{{a}}"));
}

namespace {

std::string url(std::string_view bytes) {
  return data_url(picture_media_type(bytes), bytes);
}

}  // namespace

TEST_CASE("a data URL tells the type of the picture by its first bytes") {
  CHECK(url("\x89PNG\r\n\x1a\n").starts_with("data:image/png;base64,iVBORw0KGgo="));
  CHECK(url("\xff\xd8\xff\xe0").starts_with("data:image/jpeg;base64,/9j/4A=="));
  CHECK(url("RIFF\1\2\3\4WEBPVP8 ").starts_with("data:image/webp;base64,"));
  CHECK(url("<svg></svg>").starts_with("data:image/svg+xml;base64,"));
  CHECK_THROWS_WITH(url("GIF89a"), Catch::Contains("PNG, JPEG, WebP or SVG"));
}
