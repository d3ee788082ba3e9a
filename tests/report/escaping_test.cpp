// SPDX-License-Identifier: Apache-2.0
#include "report/report.h"

#include <filesystem>
#include <limits>
#include <map>
#include "catch.h"

#include "base/error.h"
#include "base/file.h"
#include "scratch.h"

namespace imatch {
namespace {

using testing::Scratch;

constexpr const char* kHostile = "</script><b>\"&' \u2028 {{data}}<!-- \xff";

/// The page of one cell whose axis, value, error and title are made to break out of it, and a picture.
struct HostilePage {
  Scratch scratch;
  std::shared_ptr<const Plan> plan =
      std::make_shared<Plan>(std::vector<Axis>{{"<i>axis", {"</script><img src=x>", "b"}}});
  RunFolder run{scratch.path(), plan, {{"name", "test"}}, RunOptions{.quiet = true}};
  ReportParts parts{
      .title = kHostile,
      .page = "<!-- {{content_key}} --><title>{{title}}</title><style>{{style}}</style>{{data}}{{scripts}}",
      .style = "b { color: red }",
      .scripts = {"const a = '</script>' + '<!--' + '{{title}}';"},
      .options = {{"note", "</SCRIPT>"}}};
  std::string path;

  HostilePage() {
    run.describe("", Json::object());
    run.run(
        [](std::size_t cell) {
          Measurement measured;
          measured.ok = cell == 0;
          measured.error = measured.traceback = "<script>alert(1)</script>";
          measured.metrics = {{"<metric>", "</script>"},
                              {"number", 0.1 + 0.2},
                              {"far", std::numeric_limits<double>::infinity()}};
          return measured;
        },
        std::nullopt, 0, "test");
    const std::string pictures = scratch.path() + "/pictures/" + plan->key(0);
    std::filesystem::create_directories(pictures);
    write_file_atomically(pictures + "/dots.png", std::string("\x00\x10\xff\xfe", 4));
    path = write_report(run, std::nullopt, parts);
  }
};

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

std::string between(const std::string& text, const std::string& from, const std::string& to) {
  const auto begin = text.find(from);
  REQUIRE(begin != std::string::npos);
  const auto end = text.find(to, begin + from.size());
  REQUIRE(end != std::string::npos);
  return text.substr(begin + from.size(), end - begin - from.size());
}

TEST_CASE("nothing that a run holds can break out of the report") {
  const HostilePage hostile;
  const std::string page = read_file(hostile.path);
  // One element for the data and one for the script: no text opened or closed another.
  CHECK(count_of(page, "<script") == 2);
  CHECK(count_of(page, "</script") == 2);
  CHECK(count_of(page, "<!--") == 1);
  CHECK(count_of(page, "<b>") == 0);
  CHECK(count_of(page, "<img") == 0);
  const std::string title = between(page, "<title>", "</title>");
  CHECK(title.starts_with("&lt;/script&gt;&lt;b&gt;&quot;&amp;&#39; "));
  CHECK(title.find("{{data}}") != std::string::npos);  // what comes in a value's place is not filled in again
  CHECK(between(page, "<script>", "</script>") == "const a = '<\\/script>' + '<\\!--' + '{{title}}';");
}

TEST_CASE("the data of a report are the run's own texts again, once a JSON reader has read them") {
  const HostilePage hostile;
  const std::string page = read_file(hostile.path);
  const Json data = Json::parse(between(page, "id=\"data\">", "</script>"));
  CHECK(data["axes"][0]["name"] == "<i>axis");
  CHECK(data["axes"][0]["values"] == Json{"</script><img src=x>", "b"});
  CHECK(data["errors"] == Json{{"1", "<script>alert(1)</script>"}});
  CHECK(data["options"]["note"] == "</SCRIPT>");
  CHECK(data["status"][0] != data["status"][1]);
  std::map<std::string, Json> metrics;
  for (const Json& metric : data["metrics"]) metrics[metric["name"]] = metric["values"];
  CHECK(metrics.at("<metric>")[0] == "</script>");
  CHECK(metrics.at("number")[0] == 0.3);  // six significant digits
  CHECK(metrics.at("far")[0] == "inf");
  CHECK(metrics.at("number")[1] == nullptr);
  CHECK(data["pictures"]["0"][0]["source"] == "data:image/png;base64,ABD//g==");
  CHECK(data["pictures"]["0"][0]["name"] == "dots");
}

TEST_CASE("a page that stands there already is written again only when something changed") {
  HostilePage hostile;
  const auto old = std::filesystem::file_time_type::clock::now() - std::chrono::hours(1);
  std::filesystem::last_write_time(hostile.path, old);
  const auto written = std::filesystem::last_write_time(hostile.path);
  write_report(hostile.run, std::nullopt, hostile.parts);
  CHECK(std::filesystem::last_write_time(hostile.path) == written);
  hostile.parts.style = "b { color: blue }";
  write_report(hostile.run, std::nullopt, hostile.parts);
  CHECK(std::filesystem::last_write_time(hostile.path) != written);
  hostile.parts.page += "{{nothing}}";
  CHECK_THROWS_WITH(write_report(hostile.run, std::nullopt, hostile.parts), Catch::Contains("{{nothing}}"));
}

}  // namespace
}  // namespace imatch
