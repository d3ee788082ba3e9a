// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/options.h"
#include "redis/redis_buffer.h"
#include "redis/redis_connection.h"
#include "retrieval/search_result.h"

namespace imatch {

struct RedisOptions {
  std::string prefix = "coarse";
  double ttl_s = 0;
  std::string password;
  std::string ca_file;
  bool verify = true;
  std::string buffer = "redis_buffer";
  double buffer_mb = 256;
  int batch = 256;
  double timeout_s = 10;
  double wait_s = 10;
  using Self = RedisOptions;
  static constexpr auto fields = std::tuple{
      field("prefix", &Self::prefix, anything(),
            "Keys are <prefix>:<weight>:<direction>:<hash of the query>; the stream is <prefix>:stream."),
      field("ttl_s", &Self::ttl_s, at_least(0), "Seconds that a key lives; 0: for ever."),
      field("password", &Self::password, anything(), "Empty: that of the address."),
      field("ca_file", &Self::ca_file, anything(),
            "Certificates that the server's is checked by, for TLS; empty: the system's."),
      field("verify", &Self::verify, anything(), "Check the server's certificate."),
      field("buffer", &Self::buffer, anything(),
            "File that holds rows while the server is away; the next run goes on with it."),
      field("buffer_mb", &Self::buffer_mb, in_range(1e-6, 1e6), "Its largest size, 10^6 bytes."),
      field("batch", &Self::batch, in_range(1, 65536), "Rows a round trip."),
      field("timeout_s", &Self::timeout_s, in_range(0.1, 3600), "For an answer."),
      field("wait_s", &Self::wait_s, at_least(0),
            "How long a full buffer, and the end of a run, wait for the server to come back.")};
};

/// What became of the rows so far.
struct RedisCounts {
  std::int64_t pushed = 0;   ///< New on the server.
  std::int64_t there = 0;    ///< Were there already, with the same results.
  std::int64_t waiting = 0;  ///< In the buffer.
  std::int64_t lost = 0;     ///< Neither on the server nor in the buffer, which had no room for them.
  std::int64_t reconnects = 0;
  std::string
      search_problem;  ///< Why the search module got no vector index; empty: it has one, or is not there.
};

/// Pushes rows to a Redis server, many a round trip. A row is a hash (id, row, encoder, ..., embedding where
/// the server has the search module with vectors, with an index over it) and an entry in a stream, written by
/// one script on the server: both or neither, and neither when the hash has that id already. So a row that is
/// sent again because the connection broke does not come twice. While the server is away rows go to a file of
/// bounded size.
class RedisPusher {
 public:
  /// Throws Error for what is no address, Failure "refused" for a password or database that is not taken. A
  /// server that is away is no failure.
  RedisPusher(const std::string& url, const RedisOptions& options);
  ~RedisPusher();
  RedisPusher(const RedisPusher&) = delete;
  RedisPusher& operator=(const RedisPusher&) = delete;

  /// With a full buffer it waits up to wait_s for the server; what then has no room is counted as lost, and
  /// later batches are tried once each until the server is back.
  void push(const SearchSettings& search, const VectorSet& queries, const VectorSet& base,
            const Neighbours& found, std::int64_t q);
  /// Sends what waits, for at most wait_s; the rest stays in the buffer. Throws Failure "refused".
  RedisCounts finish();
  /// Throws Failure for what went wrong since the last call: "refused" when the server did not take a row,
  /// "buffer_full" when rows were lost; the message says how many.
  void check();
  RedisCounts counts() const;
  const std::string& buffer_path() const { return buffer_.path(); }

 private:
  bool connect();
  bool send(const std::vector<std::string>& records);
  bool send_all();
  void flush(bool wait);
  void to_buffer();
  void make_index(std::int64_t dim);

  RedisAddress address_;
  RedisOptions options_;
  RedisBuffer buffer_;
  std::unique_ptr<RedisConnection> connection_;
  bool has_search_ = false;
  bool was_connected_ = false;
  std::int64_t indexed_dim_ = 0;
  std::string problem_;
  std::string refusal_;       ///< What the server said when it did not take a row.
  bool is_given_up_ = false;  ///< It was waited for in vain; until it is back rows do not wait again.
  std::int64_t lost_when_checked_ = 0;
  std::vector<std::string> pending_;
  std::chrono::steady_clock::time_point retry_at_{};
  RedisCounts counts_;
};

}  // namespace imatch
