// SPDX-License-Identifier: Apache-2.0
#include "base/base64.h"

#include "catch.h"

namespace imatch {
namespace {

TEST_CASE("the examples of RFC 4648, and bytes of every value") {
  const std::pair<const char*, const char*> examples[] = {{"", ""},
                                                          {"f", "Zg=="},
                                                          {"fo", "Zm8="},
                                                          {"foo", "Zm9v"},
                                                          {"foob", "Zm9vYg=="},
                                                          {"fooba", "Zm9vYmE="},
                                                          {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : examples) CHECK(base64(bytes) == text);
  CHECK(base64(std::string("\x00\xff\xfb\xf0\x80", 5)) == "AP/78IA=");
}

}  // namespace
}  // namespace imatch
