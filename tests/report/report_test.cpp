// SPDX-License-Identifier: Apache-2.0
#include "report/report.h"

#include <fmt/format.h>

#include <filesystem>
#include <limits>
#include "catch.h"

#include "base/error.h"
#include "base/file.h"
#include "report/comparison_report.h"
#include "scratch.h"

using namespace imatch;
using imatch::testing::Scratch;
namespace fs = std::filesystem;

namespace {

/// i = 0, 1, 2 by th = 0.25, 0.5; the cell i = 1, th = 0.5 fails.
std::unique_ptr<RunFolder> measured(const std::string& path, double shift = 0) {
  auto run = std::make_unique<RunFolder>(
      path, std::make_shared<Plan>(std::vector<Axis>{{"i", {0, 1, 2}}, {"th", {0.25, 0.5}}}),
      Json{{"name", "page"}}, RunOptions{.quiet = true});
  run->run(
      [&](std::size_t cell) {
        Measurement m;
        if (cell == 3) {
          m.ok = false;
          m.error = "</script><b>broken";
        } else {
          const double i = run->plan().value(cell, 0).get<double>();
          m.metrics = {{"score", i + shift},
                       {"far", cell == 0 ? Json(std::numeric_limits<double>::infinity()) : Json(1)},
                       {"word", "<&>"}};
          run->report(cell, {.total = 4, .done = 4, .numbers = {{"loss", 0.5}}});
        }
        return m;
      },
      std::nullopt, 0, "page");
  return run;
}

ReportParts parts() {
  ReportParts p;
  p.title = "A & <B>";
  p.page = "<!-- {{content_key}} --><title>{{title}}</title><style>{{style}}</style>{{data}}{{scripts}}";
  p.style = "p {}";
  p.scripts = {"let text = '</script>';"};
  return p;
}

}  // namespace

TEST_CASE("The data of a report hold every cell, column by column") {
  Scratch scratch;
  const auto run = measured(scratch / "run");
  write_file_atomically(fmt::format("{}/pictures/{}/view.png", run->path(), run->plan().key(1)), "PNG bytes");
  BestOptions best;
  best.metric = "score";
  best.direction = "max";
  const Json data = Json::parse(report_data(*run, best, parts()));
  CHECK(data["name"] == "A & <B>");
  CHECK(data["axes"][1]["name"] == "th");
  CHECK(data["axes"][1]["values"] == Json({0.25, 0.5}));
  CHECK(data["keys"].size() == 6);
  CHECK(data["cells"] == Json({{0, 0, 1, 1, 2, 2}, {0, 1, 0, 1, 0, 1}}));
  CHECK(data["status"] == Json({1, 1, 1, 2, 1, 1}));
  CHECK(data["metrics"][0]["name"] == "far");
  CHECK(data["metrics"][0]["values"] == Json({"inf", 1, 1, nullptr, 1, 1}));
  CHECK(data["metrics"][1]["values"] == Json({0, 0, 1, nullptr, 2, 2}));
  CHECK(data["errors"] == Json({{"3", "</script><b>broken"}}));
  CHECK(data["best"]["cell"]["params"]["i"] == 2);
  CHECK(data["progress"]["0"] == Json({{"done", 4}, {"total", 4}, {"loss", 0.5}}));
  CHECK_FALSE(data["progress"].contains("3"));
  CHECK(data["pictures"]["1"][0]["source"] == "data:image/png;base64,UE5HIGJ5dGVz");
}

TEST_CASE("A report is one file in which nothing that was measured becomes markup") {
  Scratch scratch;
  const auto run = measured(scratch / "run");
  const std::string path = write_report(*run, std::nullopt, parts());
  CHECK(path == run->path() + "/report.html");
  const std::string page = read_file(path);
  CHECK(page.find("<title>A &amp; &lt;B&gt;</title>") != std::string::npos);
  CHECK(page.find("<b>") == std::string::npos);
  CHECK(page.find("'<\\/script>'") != std::string::npos);
  CHECK(page.find("{{") == std::string::npos);
}

TEST_CASE("A report is written again only when something of it has changed") {
  Scratch scratch;
  const auto run = measured(scratch / "run");
  const std::string path = write_report(*run, std::nullopt, parts());
  const std::string whole = read_file(path);
  write_file_atomically(path, whole.substr(0, 1024) + "mark");
  write_report(*run, std::nullopt, parts());
  CHECK(read_file(path).ends_with("mark"));
  ReportParts other = parts();
  other.options["line_x"] = "th";
  write_report(*run, std::nullopt, other);
  CHECK_FALSE(read_file(path).ends_with("mark"));
  write_file_atomically(path, whole.substr(0, 1024) + "mark");
  write_file_atomically(fmt::format("{}/pictures/{}/view.png", run->path(), run->plan().key(1)), "PNG bytes");
  write_report(*run, std::nullopt, parts());
  CHECK_FALSE(read_file(path).ends_with("mark"));
}

TEST_CASE("Cells under way stand in the report with their worker") {
  Scratch scratch;
  const auto plan = std::make_shared<Plan>(std::vector<Axis>{{"i", {0, 1}}});
  const RunFolder run(scratch / "run", plan, Json::object(), {.quiet = true});
  write_cell_progress(fmt::format("{}/cells/{}.progress", run.path(), plan->key(1)),
                      {.key = plan->key(1),
                       .state = {.total = 9, .done = 2, .numbers = {{"loss", 3}}},
                       .worker = "w",
                       .age_s = 0});
  const Json data = Json::parse(report_data(run, std::nullopt, parts()));
  CHECK(data["progress"] == Json({{"1", {{"done", 2}, {"total", 9}, {"loss", 3.0}, {"worker", "w"}}}}));
}

TEST_CASE("A page that asks for an unknown value is refused") {
  Scratch scratch;
  ReportParts p = parts();
  p.page += "{{colour}}";
  CHECK_THROWS_WITH(write_report(*measured(scratch / "run"), std::nullopt, p), Catch::Contains("{{colour}}"));
}

TEST_CASE("A page of two runs has both values and their difference of each pair of cells") {
  Scratch scratch;
  const auto first = measured(scratch / "a"), second = measured(scratch / "b", 0.25);
  const std::string path = scratch / "both.html";
  write_comparison(std::vector<const RunFolder*>{first.get(), second.get()}, parts(), path);
  const std::string page = read_file(path);
  const std::size_t begin = page.find("id=\"data\">") + 10;
  const Json data = Json::parse(page.substr(begin, page.find("</script>", begin) - begin));
  REQUIRE(data["keys"].size() == 6);
  Json column;
  for (const Json& metric : data["metrics"])
    if (metric["name"] == "score (B - A)") column = metric["values"];
  CHECK(column == Json({0.25, 0.25, 0.25, nullptr, 0.25, 0.25}));
  CHECK(data["errors"]["3"] == "A: </script><b>broken; B: </script><b>broken");
}

TEST_CASE("A page of three runs has each one's values, beside the first's") {
  Scratch scratch;
  const auto first = measured(scratch / "a"), second = measured(scratch / "b", 0.25),
             third = measured(scratch / "c", 1);
  const std::string path = scratch / "all.html";
  write_comparison(std::vector<const RunFolder*>{first.get(), second.get(), third.get()}, parts(), path);
  const std::string page = read_file(path);
  const std::size_t begin = page.find("id=\"data\">") + 10;
  const Json data = Json::parse(page.substr(begin, page.find("</script>", begin) - begin));
  std::map<std::string, Json> columns;
  for (const Json& metric : data["metrics"]) columns[metric["name"]] = metric["values"];
  CHECK(columns.at("score (C - A)") == Json({1, 1, 1, nullptr, 1, 1}));
  for (std::size_t i : {0, 1, 2, 4, 5})
    CHECK(columns.at("score (B)")[i].get<double>() ==
          Approx(columns.at("score (A)")[i].get<double>() + 0.25));
  CHECK(data["options"]["runs"][2]["letter"] == "C");
  CHECK(data["options"]["runs"][2]["path"] == third->path());
  CHECK_THROWS_WITH(write_comparison(std::vector<const RunFolder*>{first.get()}, parts(), path),
                    Catch::Contains("1 runs"));
}
