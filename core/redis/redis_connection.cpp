// SPDX-License-Identifier: Apache-2.0
#include "redis/redis_connection.h"

#include <fmt/format.h>
#include <hiredis/hiredis.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "base/secret.h"
#include "base/stop.h"

namespace imatch {
namespace {

[[noreturn]] void bad_url(const std::string& url, const char* why) {
  throw Error(fmt::format(
      "redis: '{}': {}; expected redis://[user:password@]host[:port][/database], rediss:// for TLS",
      without_passwords(std::string_view(url)), why));
}

int integer_in(const std::string& url, std::string_view text, int low, int high, const char* why) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < low || value > high)
    bad_url(url, why);
  return value;
}

/// User and password of an address may hold what it is made of (@ : / and the like) as %40.
std::string percent_decoded(const std::string& url, std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += text[i];
      continue;
    }
    int value = 0;
    const std::string_view digits = text.substr(i + 1, 2);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (digits.size() < 2 || error != std::errc() || end != digits.data() + 2)
      bad_url(url, "user or password has a % without two hexadecimal digits (a percent sign itself is %25)");
    result += static_cast<char>(value);
    i += 2;
  }
  return result;
}

RedisReply reply_of(const redisReply* from) {
  RedisReply reply;
  switch (from->type) {
    case REDIS_REPLY_STRING:
      reply.kind = RedisReply::Kind::kText;
      break;
    case REDIS_REPLY_STATUS:
      reply.kind = RedisReply::Kind::kStatus;
      break;
    case REDIS_REPLY_ERROR:
      reply.kind = RedisReply::Kind::kError;
      break;
    case REDIS_REPLY_INTEGER:
      reply.kind = RedisReply::Kind::kInteger;
      reply.integer = from->integer;
      return reply;
    case REDIS_REPLY_ARRAY:
      reply.kind = RedisReply::Kind::kArray;
      for (std::size_t i = 0; i < from->elements; ++i) reply.elements.push_back(reply_of(from->element[i]));
      return reply;
    default:
      return reply;
  }
  reply.text.assign(from->str, static_cast<std::size_t>(from->len));
  return reply;
}

}  // namespace

RedisAddress parse_redis_url(const std::string& url) {
  RedisAddress address;
  std::string_view rest = url;
  if (rest.starts_with("rediss://")) {
    address.tls = true;
    rest.remove_prefix(9);
  } else if (rest.starts_with("redis://")) {
    rest.remove_prefix(8);
  } else {
    bad_url(url, "it is no Redis address");
  }
  if (const auto slash = rest.find('/'); slash != std::string_view::npos) {
    if (slash + 1 < rest.size())
      address.database = integer_in(url, rest.substr(slash + 1), 0, 1 << 20, "the database is no number");
    rest = rest.substr(0, slash);
  }
  if (const auto at = rest.rfind('@'); at != std::string_view::npos) {
    const std::string_view user = rest.substr(0, at);
    const auto colon = user.find(':');
    address.user = percent_decoded(url, user.substr(0, colon));
    if (colon != std::string_view::npos) address.password = percent_decoded(url, user.substr(colon + 1));
    rest.remove_prefix(at + 1);
  }
  if (const auto colon = rest.rfind(':');
      colon != std::string_view::npos && rest.find(']', colon) == std::string_view::npos) {
    address.port = integer_in(url, rest.substr(colon + 1), 1, 65535, "the port is no number in [1, 65535]");
    rest = rest.substr(0, colon);
  }
  if (rest.size() > 2 && rest.front() == '[' && rest.back() == ']') rest = rest.substr(1, rest.size() - 2);
  if (!rest.empty()) address.host = rest;
  return address;
}

struct RedisConnection::Impl {
  std::string name;
  int timeout_ms = 0;
  int socket = -1;
  SSL_CTX* context = nullptr;
  SSL* tls = nullptr;
  redisReader* reader = redisReaderCreate();
  std::string outgoing;
  std::size_t expected = 0;

  ~Impl() {
    if (tls) SSL_free(tls);
    if (context) SSL_CTX_free(context);
    if (socket >= 0) ::close(socket);
    redisReaderFree(reader);
  }

  [[noreturn]] void gone(const std::string& why) const {
    throw Failure(kUnreachable, fmt::format("redis {}: {}", name, why));
  }

  void wait(short events) const {
    // In short turns, so that a stop request does not wait for the timeout.
    for (int waited = 0; waited < timeout_ms; waited += 100) {
      check_stop();
      pollfd one{socket, events, 0};
      const int ready = ::poll(&one, 1, 100);
      if (ready > 0) return;
      if (ready < 0 && errno != EINTR) gone(std::strerror(errno));
    }
    gone(fmt::format("no answer within {} s", timeout_ms / 1000.0));
  }

  void connect(const RedisAddress& address) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int error =
        ::getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found);
    if (error != 0) gone(::gai_strerror(error));
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> all(found, &::freeaddrinfo);
    std::string why = "no address";
    for (const addrinfo* at = found; at; at = at->ai_next) {
      socket = ::socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, at->ai_protocol);
      if (socket < 0) continue;
      if (::connect(socket, at->ai_addr, at->ai_addrlen) == 0) return;
      if (errno == EINPROGRESS) {
        wait(POLLOUT);
        int status = 0;
        socklen_t size = sizeof(status);
        ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &status, &size);
        if (status == 0) return;
        errno = status;
      }
      why = std::strerror(errno);
      ::close(socket);
      socket = -1;
    }
    gone(why);
  }

  /// Repeats an operation of OpenSSL until it is through.
  template <class Operation>
  int through(Operation operation) {
    for (;;) {
      ERR_clear_error();
      const int result = operation();
      if (result > 0) return result;
      switch (SSL_get_error(tls, result)) {
        case SSL_ERROR_WANT_READ:
          wait(POLLIN);
          break;
        case SSL_ERROR_WANT_WRITE:
          wait(POLLOUT);
          break;
        default: {
          const unsigned long code = ERR_get_error();
          const long verified = SSL_get_verify_result(tls);
          if (verified != X509_V_OK && SSL_get_verify_mode(tls) != SSL_VERIFY_NONE)
            throw Failure(kRefused, fmt::format("redis {}: its certificate: {}", name,
                                                X509_verify_cert_error_string(verified)));
          gone(code != 0 ? ERR_reason_error_string(code) : "the connection was closed");
        }
      }
    }
  }

  void start_tls(const RedisAddress& address, const RedisSecurity& security) {
    context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    if (security.verify) {
      SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
      const bool loaded = security.ca_file.empty() ? SSL_CTX_set_default_verify_paths(context) == 1
                                                   : SSL_CTX_load_verify_locations(
                                                         context, security.ca_file.c_str(), nullptr) == 1;
      if (!loaded)
        throw Failure(kRefused,
                      fmt::format("redis {}: the certificates '{}' cannot be read", name, security.ca_file));
    }
    tls = SSL_new(context);
    SSL_set_fd(tls, socket);
    // What the macro SSL_set_tlsext_host_name does, without its C cast.
    SSL_ctrl(tls, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(address.host.c_str()));
    if (security.verify) {
      X509_VERIFY_PARAM* check = SSL_get0_param(tls);
      if (X509_VERIFY_PARAM_set1_ip_asc(check, address.host.c_str()) != 1)
        X509_VERIFY_PARAM_set1_host(check, address.host.c_str(), 0);
    }
    through([this] { return SSL_connect(tls); });
  }

  void send() {
    std::size_t sent = 0;
    while (sent < outgoing.size()) {
      const auto left = outgoing.size() - sent;
      if (tls) {
        const int some = static_cast<int>(std::min<std::size_t>(left, 1 << 20));
        sent +=
            static_cast<std::size_t>(through([&] { return SSL_write(tls, outgoing.data() + sent, some); }));
        continue;
      }
      const auto count = ::send(socket, outgoing.data() + sent, left, MSG_NOSIGNAL);
      if (count > 0)
        sent += static_cast<std::size_t>(count);
      else if (errno == EAGAIN || errno == EWOULDBLOCK)
        wait(POLLOUT);
      else if (errno != EINTR)
        gone(std::strerror(errno));
    }
    outgoing.clear();
  }

  void receive() {
    char buffer[1 << 16];
    long count = 0;
    if (tls) {
      count = through([&] { return SSL_read(tls, buffer, sizeof(buffer)); });
    } else {
      do {
        count = ::recv(socket, buffer, sizeof(buffer), 0);
        if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
          wait(POLLIN);
        else if (count < 0 && errno != EINTR)
          gone(std::strerror(errno));
      } while (count < 0);
    }
    if (count == 0) gone("the connection was closed");
    if (redisReaderFeed(reader, buffer, static_cast<std::size_t>(count)) != REDIS_OK) gone(reader->errstr);
  }

  RedisReply next_reply() {
    for (;;) {
      void* raw = nullptr;
      if (redisReaderGetReply(reader, &raw) != REDIS_OK) gone(reader->errstr);
      if (raw) {
        const std::unique_ptr<void, decltype(&freeReplyObject)> owner(raw, &freeReplyObject);
        return reply_of(static_cast<const redisReply*>(raw));
      }
      receive();
    }
  }
};

RedisConnection::RedisConnection(const RedisAddress& address, const RedisSecurity& security, double timeout_s)
    : impl_(std::make_unique<Impl>()) {
  impl_->name = fmt::format("{}:{}", address.host, address.port);
  impl_->timeout_ms = static_cast<int>(std::ceil(timeout_s * 1000));
  impl_->connect(address);
  if (address.tls) impl_->start_tls(address, security);
  const auto require = [this](const std::vector<std::string>& command, const char* what) {
    const RedisReply reply = call(command);
    if (reply.kind == RedisReply::Kind::kError) {
      if (reply.text.starts_with("LOADING")) impl_->gone(reply.text);
      throw Failure(kRefused, fmt::format("redis {}: {}: {}", impl_->name, what, reply.text));
    }
  };
  if (!address.password.empty())
    require(address.user.empty() ? std::vector<std::string>{"AUTH", address.password}
                                 : std::vector<std::string>{"AUTH", address.user, address.password},
            "the password was not taken");
  require({"SELECT", std::to_string(address.database)}, "the database cannot be selected");
}

RedisConnection::~RedisConnection() = default;

void RedisConnection::append(const std::vector<std::string>& command) {
  std::vector<const char*> arguments;
  std::vector<std::size_t> sizes;
  for (const std::string& argument : command) {
    arguments.push_back(argument.data());
    sizes.push_back(argument.size());
  }
  char* text = nullptr;
  const int length = static_cast<int>(
      redisFormatCommandArgv(&text, static_cast<int>(arguments.size()), arguments.data(), sizes.data()));
  if (length < 0) throw std::bad_alloc();
  impl_->outgoing.append(text, static_cast<std::size_t>(length));
  redisFreeCommand(text);
  ++impl_->expected;
}

std::vector<RedisReply> RedisConnection::exchange() {
  impl_->send();
  std::vector<RedisReply> replies;
  for (; impl_->expected > 0; --impl_->expected) replies.push_back(impl_->next_reply());
  return replies;
}

RedisReply RedisConnection::call(const std::vector<std::string>& command) {
  append(command);
  return exchange().front();
}

}  // namespace imatch
