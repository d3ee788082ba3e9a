// SPDX-License-Identifier: Apache-2.0
#include "redis/redis_pusher.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstring>
#include <thread>
#include <utility>

#include "base/error.h"
#include "base/sha256.h"
#include "base/stop.h"
#include "io/json_file.h"

namespace imatch {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kRetry = std::chrono::milliseconds(500);
constexpr std::int64_t kMostDimensions = 32768;  ///< Of a vector field.

/// KEYS: the hash, the stream. ARGV: id, seconds to live, the row, then fields and values of the hash.
constexpr const char* kScript =
    "if redis.call('HGET', KEYS[1], 'id') == ARGV[1] then return 0 end "
    "redis.call('HSET', KEYS[1], 'id', ARGV[1], 'row', ARGV[3], unpack(ARGV, 4)) "
    "if tonumber(ARGV[2]) > 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end "
    "redis.call('XADD', KEYS[2], '*', 'key', KEYS[1], 'id', ARGV[1], 'row', ARGV[3]) "
    "return 1";

std::string hex(const void* bytes, std::size_t count) {
  std::string text;
  text.reserve(2 * count);
  const auto* at = static_cast<const unsigned char*>(bytes);
  for (std::size_t i = 0; i < count; ++i) {
    text += "0123456789abcdef"[at[i] >> 4];
    text += "0123456789abcdef"[at[i] & 15];
  }
  return text;
}

std::string unhex(const std::string& text) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i + 1 < text.size(); i += 2)
    bytes += static_cast<char>(digit(text[i]) << 4 | digit(text[i + 1]));
  return bytes;
}

bool holds_text(const RedisReply& reply, const std::string& text) {
  if (reply.text == text) return true;
  for (const RedisReply& element : reply.elements)
    if (holds_text(element, text)) return true;
  return false;
}

}  // namespace

RedisPusher::RedisPusher(const std::string& url, const RedisOptions& options)
    : address_(parse_redis_url(url)),
      options_(options),
      buffer_(options.buffer, static_cast<std::size_t>(options.buffer_mb * 1e6)) {
  if (!options.password.empty()) address_.password = options.password;
  connect();
}

RedisPusher::~RedisPusher() {
  try {
    to_buffer();
  } catch (const std::exception& e) {
    problem_ = e.what();
  }
  if (!pending_.empty())
    std::fprintf(stderr, "redis: %zu rows are lost: %s\n", pending_.size(),
                 problem_.empty() ? (buffer_.path() + " is full").c_str() : problem_.c_str());
}

bool RedisPusher::connect() {
  if (connection_) return true;
  if (Clock::now() < retry_at_) return false;
  try {
    connection_ = std::make_unique<RedisConnection>(
        address_, RedisSecurity{options_.ca_file, options_.verify}, options_.timeout_s);
    const RedisReply modules = connection_->call({"MODULE", "LIST"});
    if (modules.kind == RedisReply::Kind::kError && modules.text.starts_with("NOAUTH"))
      throw Failure(kRefused, fmt::format("redis {}:{}: a password is needed", address_.host, address_.port));
    has_search_ = holds_text(modules, "search");
    indexed_dim_ = 0;
    if (was_connected_) ++counts_.reconnects;
    was_connected_ = true;
    return true;
  } catch (const Failure& e) {
    connection_.reset();
    if (e.code() != kUnreachable) throw;
    problem_ = e.what();
    retry_at_ = Clock::now() + kRetry;
    return false;
  }
}

void RedisPusher::make_index(std::int64_t dim) {
  if (!has_search_ || indexed_dim_ == dim || dim > kMostDimensions) return;
  const RedisReply reply = connection_->call({"FT.CREATE",
                                              fmt::format("{}:index{}", options_.prefix, dim),
                                              "ON",
                                              "HASH",
                                              "PREFIX",
                                              "1",
                                              options_.prefix + ":",
                                              "SCHEMA",
                                              "encoder",
                                              "TAG",
                                              "direction",
                                              "TAG",
                                              "query",
                                              "TEXT",
                                              "embedding",
                                              "VECTOR",
                                              "HNSW",
                                              "6",
                                              "TYPE",
                                              "FLOAT32",
                                              "DIM",
                                              std::to_string(dim),
                                              "DISTANCE_METRIC",
                                              "COSINE"});
  // An index that is there already stays as it is; a module without vectors leaves plain hashes.
  if (reply.kind == RedisReply::Kind::kError && reply.text.find("already exists") == std::string::npos) {
    has_search_ = false;
    counts_.search_problem = reply.text;
  }
  indexed_dim_ = dim;
}

void RedisPusher::push(const SearchSettings& search, const VectorSet& queries, const VectorSet& base,
                       const Neighbours& found, std::int64_t q) {
  const Json row = redis_row(search, queries, base, found, q);
  const std::string& query = queries.images[q].empty() ? queries.paths[q] : queries.images[q];
  const std::string identity =
      fmt::format("{}\n{}\n{}\n{}", search.weight, search.mode, search.direction, queries.paths[q]);
  // Times differ from run to run, results do not: the id is that of the results.
  const std::string id = sha256_hex(identity + row["results"].dump()).substr(0, 32);
  const at::Tensor vector = queries.vectors[q].contiguous();
  const Json record{
      {"key", fmt::format("{}:{}:{}:{}", options_.prefix, search.weight, search.direction,
                          sha256_hex(identity).substr(0, 32))},
      {"id", id},
      {"row", row.dump()},
      {"fields",
       {"encoder", search.weight, "backend", row["backend"], "dim", std::to_string(vector.numel()), "metric",
        row["metric"], "topk", row["topk"].dump(), "direction", search.direction, "query", query}},
      {"dim", vector.numel()},
      {"embedding", hex(vector.const_data_ptr<float>(), vector.nbytes())}};
  pending_.push_back(record.dump());
  if (static_cast<int>(pending_.size()) >= options_.batch) flush(false);
}

bool RedisPusher::send(const std::vector<std::string>& records) {
  if (records.empty()) return true;
  if (!connect()) return false;
  std::int64_t pushed = 0, there = 0;
  try {
    std::vector<Json> parsed;
    for (const std::string& text : records) {
      parsed.push_back(parse_json(text, buffer_.path()));
      make_index(parsed.back()["dim"]);  // waits for its answer: before anything is in the pipeline
    }
    for (const Json& record : parsed) {
      std::vector<std::string> command{"EVAL",
                                       kScript,
                                       "2",
                                       record["key"],
                                       options_.prefix + ":stream",
                                       record["id"],
                                       std::to_string(static_cast<std::int64_t>(options_.ttl_s * 1000)),
                                       record["row"]};
      for (const Json& field : record["fields"]) command.push_back(field);
      if (has_search_) {
        command.emplace_back("embedding");
        command.push_back(unhex(record["embedding"]));
      }
      connection_->append(command);
    }
    for (const RedisReply& reply : connection_->exchange()) {
      if (reply.kind == RedisReply::Kind::kError) {
        if (reply.text.starts_with("LOADING") || reply.text.starts_with("BUSY"))
          throw Failure(kUnreachable, reply.text);
        throw Failure(kRefused, fmt::format("redis {}:{}: {}", address_.host, address_.port, reply.text));
      }
      ++(reply.integer == 1 ? pushed : there);
    }
  } catch (const Failure& e) {
    connection_.reset();
    if (e.code() != kUnreachable) throw;
    problem_ = e.what();
    retry_at_ = Clock::now() + kRetry;
    return false;
  }
  counts_.pushed += pushed;
  counts_.there += there;
  return true;
}

/// Of the rows at hand those that have room.
void RedisPusher::to_buffer() {
  if (pending_.empty()) return;
  try {
    const std::size_t taken = buffer_.append(pending_);
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(taken));
  } catch (const Failure& e) {  // a full disk is like a full buffer
    problem_ = e.what();
  }
}

/// What waits on the disk goes first: rows arrive in the order in which they were pushed.
bool RedisPusher::send_all() {
  while (buffer_.size() > 0) {
    const std::vector<std::string> records = buffer_.first(static_cast<std::size_t>(options_.batch));
    if (!send(records)) return false;
    buffer_.drop(records.size());
  }
  if (!send(pending_)) return false;
  pending_.clear();
  return true;
}

void RedisPusher::flush(bool wait) {
  // Who was waited for in vain is tried once more for each batch, no sooner than he may be.
  const auto now = Clock::now();
  const auto longest =
      std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options_.wait_s));
  const auto until = !is_given_up_ || wait ? now + longest : options_.wait_s > 0 ? retry_at_ : now;
  for (;;) {
    check_stop();
    try {
      if (send_all()) {
        is_given_up_ = false;
        return;
      }
    } catch (const Failure& e) {
      if (e.code() != kRefused) throw;
      refusal_ = problem_ = e.what();
      to_buffer();
      break;
    }
    to_buffer();
    if (!wait && pending_.empty()) break;
    if (Clock::now() >= until) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  if (pending_.empty()) return;
  is_given_up_ = true;
  counts_.lost += static_cast<std::int64_t>(pending_.size());
  pending_.clear();
}

void RedisPusher::check() {
  const std::int64_t lost = counts_.lost - std::exchange(lost_when_checked_, counts_.lost);
  const std::string refusal = std::exchange(refusal_, "");
  if (lost > 0)
    throw Failure("buffer_full", fmt::format("{}; {} is full ({:g} MB), {} rows were not taken", problem_,
                                             buffer_.path(), options_.buffer_mb, lost));
  if (!refusal.empty())
    throw Failure(kRefused, fmt::format("{}; {} rows wait in {}", refusal, counts().waiting, buffer_.path()));
}

RedisCounts RedisPusher::finish() {
  flush(true);
  check();
  return counts();
}

RedisCounts RedisPusher::counts() const {
  RedisCounts counts = counts_;
  counts.waiting = static_cast<std::int64_t>(buffer_.size() + pending_.size());
  return counts;
}

}  // namespace imatch
