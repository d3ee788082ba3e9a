// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "base/options.h"

namespace imatch {

/// Takes what the library's reader meets and makes a value of it, in time linear in the text: its own builder
/// looks for every key among those before it, 80,000 times 80,000. Of a key that is given twice the last
/// value counts, in the first one's place. Throws Failure (bad_format) for a nesting of more than kMaxDepth.
class JsonBuilder : public nlohmann::json_sax<Json> {
 public:
  static constexpr std::size_t kMaxDepth = 200;

  explicit JsonBuilder(const std::string& name) : name_(name) {}

  /// The value, once the reader has come to its end.
  Json take() { return std::move(root_); }
  /// The message of what stopped the reader, and the byte where it stood; "" when nothing did.
  const std::string& problem() const { return problem_; }
  std::size_t byte() const { return byte_; }
  bool is_syntax_error() const { return is_syntax_error_; }

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(std::int64_t value) override { return add(value); }
  bool number_unsigned(std::uint64_t value) override { return add(value); }
  bool number_float(double value, const std::string&) override { return add(value); }
  bool string(std::string& value) override { return add(std::move(value)); }
  bool binary(Json::binary_t& value) override { return add(std::move(value)); }
  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(std::string& name) override {
    open_.back().key = std::move(name);
    return true;
  }
  bool parse_error(std::size_t byte, const std::string& token, const Json::exception& error) override;

 private:
  struct Open {
    Json value;
    std::string key;                                      ///< Of the member that comes next.
    std::unordered_map<std::string, std::size_t> places;  ///< By key, once there are many.
  };

  bool add(Json value);
  bool open(Json value);
  bool close();
  static void add_member(Open& object, Json value);

  const std::string& name_;
  std::vector<Open> open_;
  Json root_;
  std::string problem_;
  std::size_t byte_ = 0;
  bool is_syntax_error_ = false;
};

}  // namespace imatch
