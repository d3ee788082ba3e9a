// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/field.h"

namespace imatch {

/// redis://[user[:password]@]host[:port][/database]; rediss:// for TLS. User and password are percent-decoded
/// ("p%40ss" is p@ss).
struct RedisAddress {
  std::string host = "127.0.0.1";
  int port = 6379;
  int database = 0;
  std::string user, password;
  bool tls = false;
};

/// Throws Error for what is no such address.
RedisAddress parse_redis_url(const std::string& url);

/// What a server answers. An array holds its elements.
struct RedisReply {
  enum class Kind { kText, kStatus, kError, kInteger, kNil, kArray } kind = Kind::kNil;
  std::string text;  ///< Of text, status and error.
  std::int64_t integer = 0;
  std::vector<RedisReply> elements;
};

struct RedisSecurity {
  std::string ca_file;  ///< Empty: the system's certificates.
  bool verify = true;
};

/// A connection to a Redis server, plain or by TLS (OpenSSL), which hiredis speaks over: its commands and its
/// parser. Throws Failure "unreachable" whenever the server cannot be reached, goes away or does not answer
/// within the timeout, "refused" when it does not take the password or the database; after either the object
/// is of no more use.
class RedisConnection {
 public:
  RedisConnection(const RedisAddress& address, const RedisSecurity& security, double timeout_s = 10);
  ~RedisConnection();
  RedisConnection(const RedisConnection&) = delete;
  RedisConnection& operator=(const RedisConnection&) = delete;

  /// Adds a command to what `exchange` will send.
  void append(const std::vector<std::string>& command);
  /// Sends everything appended at once and reads as many replies.
  std::vector<RedisReply> exchange();
  RedisReply call(const std::vector<std::string>& command);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

inline constexpr const char* kUnreachable = "unreachable";
inline constexpr const char* kRefused = "refused";

}  // namespace imatch
