// SPDX-License-Identifier: Apache-2.0
#include "catch.h"

#include "base/error.h"
#include "base/file.h"
#include "io/csv.h"
#include "io/json_file.h"
#include "scratch.h"

namespace imatch {
namespace {

using Row = std::vector<std::string>;

TEST_CASE("tables as spreadsheets and people write them") {
  CHECK(parse_csv("a;b\n1,5;2\n", "t").rows[0] == Row{"1,5", "2"});
  CHECK(parse_csv("a\tb\tc, d\n1\t2\t3\n", "t").header == Row{"a", "b", "c, d"});
  CHECK(parse_csv("\"a;b\",c,d\n1,2,3\n", "t").header == Row{"a;b", "c", "d"});
  const CsvTable table = tidied(parse_csv("\xef\xbb\xbf Name ; LATITUDE\n a b ; +47.1 \n", "t"), "t");
  CHECK(table.header == Row{"name", "latitude"});
  CHECK(table.rows[0] == Row{"a b", "+47.1"});
  CHECK_THROWS_WITH(tidied(parse_csv("a,A\n", "t"), "t"), "t: two columns are named 'a'");
  CHECK(csv_number(" +47.1 ", "t") == 47.1);
  CHECK(csv_number("-008.2", "t") == -8.2);
  for (const char* none : {"", "+", "x", "1 2", "+-1"}) CHECK(!csv_number(none, "t"));
  CHECK_THROWS_WITH(csv_number("47,1", "t.csv: row 3"),
                    "t.csv: row 3: '47,1' has a decimal comma; write it with a point");
}

TEST_CASE("CSV: quotes, line ends, a byte order mark and empty lines") {
  const CsvTable table =
      parse_csv("\xef\xbb\xbfname,\"x, y\"\r\n\r\n\"a \"\"b\"\"\",\"1\n2\"\r\n,\nlast,", "t.csv");
  CHECK(table.header == Row{"name", "x, y"});
  REQUIRE(table.rows.size() == 3);
  CHECK(table.rows[0] == Row{"a \"b\"", "1\n2"});
  CHECK(table.rows[1] == Row{"", ""});
  CHECK(table.rows[2] == Row{"last", ""});
  CHECK(table.column("x, y") == 1);
  CHECK_FALSE(table.column("z"));
  CHECK(parse_csv("a;b\n1,5;2\n", "t.csv", ';').rows[0] == Row{"1,5", "2"});
  CHECK(parse_csv("a\n5\" x\n", "t.csv").rows[0] == Row{"5\" x"});  // a quote inside a plain field is itself
}

TEST_CASE("CSV: what is wrong is named with its line") {
  CHECK_THROWS_WITH(parse_csv("a,b\n1,2\n\n3\n", "t.csv"), "t.csv: line 4: 1 fields, expected 2");
  CHECK_THROWS_WITH(parse_csv("a,b\n\"1\n1\",2\n3,4,5\n", "t.csv"),
                    "t.csv: line 4: 3 fields, expected 2 (decimal commas? write 47.1)");
  CHECK_THROWS_WITH(parse_csv("a,b\n1,\"2\n", "t.csv"), "t.csv: line 2: a quote does not end");
  CHECK_THROWS_WITH(parse_csv("a,b\n\"1\"x,2\n", "t.csv"), "t.csv: line 2: text behind a closing quote");
  CHECK_THROWS_WITH(parse_csv("a,b,a\n", "t.csv"), "t.csv: line 1: two columns are named 'a'");
  CHECK_THROWS_WITH(parse_csv("\n\n", "t.csv"), "t.csv: no header row");
}

TEST_CASE("CSV: what is written is read back") {
  testing::Scratch scratch;
  const CsvTable table{{"a", "b,c"}, {{"", "x\"y"}, {"1\r\n2", " z "}, {"", ""}}};
  write_csv(scratch / "t.csv", table);
  CHECK(read_csv(scratch / "t.csv").rows == table.rows);
  const CsvTable single{{"a"}, {{""}, {"x"}}};
  write_csv(scratch / "t.csv", single, ';');
  CHECK(read_csv(scratch / "t.csv", ';').rows == single.rows);
  CHECK_THROWS_WITH(write_csv(scratch / "t.csv", {{"a"}, {{"1", "2"}}}),
                    "csv: a row of 2 fields, expected 1");
}

TEST_CASE("JSON: a byte order mark is skipped, an error has its position") {
  testing::Scratch scratch;
  write_file_atomically(scratch / "t.json", "\xef\xbb\xbf{\"b\": 1, \"a\": [2.5, null]}");
  const Json value = read_json(scratch / "t.json");
  CHECK(value.dump() == R"({"b":1,"a":[2.5,null]})");
  CHECK_THROWS_WITH(parse_json("{\n  \"a\": 1,\n  oops\n}", "t.json"),
                    Catch::StartsWith("t.json: line 3, column 3: syntax error"));
  CHECK_THROWS_WITH(parse_json("", "t.json"), Catch::StartsWith("t.json: line 1, column 1: "));
  CHECK_THROWS_WITH(parse_json("1e999", "t.json"), Catch::StartsWith("t.json: number overflow"));
  CHECK_THROWS_WITH(parse_json(std::string(100000, '['), "t.json"), "t.json: nested more than 200 deep");
  write_json(scratch / "u.json", value);
  CHECK(read_json(scratch / "u.json") == value);
  CHECK_THROWS_AS(json_text(Json("\xff")), Error);
}

}  // namespace
}  // namespace imatch
