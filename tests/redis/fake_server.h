// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace imatch::testing {

/// Speaks the protocol of Redis (https://redis.io/docs/latest/develop/reference/protocol-spec) on a port of
/// this machine, one client at a time. `answer` gets each command and returns the bytes of the reply; an
/// empty text closes the connection.
class FakeServer {
 public:
  using Command = std::vector<std::string>;

  explicit FakeServer(std::function<std::string(const Command&)> answer) : answer_(std::move(answer)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* any = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, any, size) != 0 || ::listen(listener_, 4) != 0 ||
        ::getsockname(listener_, any, &size) != 0)
      std::abort();
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~FakeServer() {
    ::shutdown(listener_, SHUT_RDWR);
    {
      const std::lock_guard lock(mutex_);
      if (client_ >= 0) ::shutdown(client_, SHUT_RDWR);
    }
    thread_.join();
    ::close(listener_);
  }
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;

  int port() const { return port_; }
  std::string url() const { return "redis://127.0.0.1:" + std::to_string(port_); }
  /// The commands so far whose first word is `name`.
  std::vector<Command> commands(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    std::vector<Command> found;
    for (const Command& command : commands_)
      if (command.front() == name) found.push_back(command);
    return found;
  }

 private:
  void serve() {
    for (;;) {
      const int client = ::accept(listener_, nullptr, nullptr);
      if (client < 0) return;
      {
        const std::lock_guard lock(mutex_);
        client_ = client;
      }
      talk(client);
      const std::lock_guard lock(mutex_);
      client_ = -1;
      ::close(client);
    }
  }

  void talk(int client) {
    std::string bytes;
    char block[4096];
    for (;;) {
      Command command;
      if (const std::size_t used = read_command(bytes, command); used > 0) {
        bytes.erase(0, used);
        {
          const std::lock_guard lock(mutex_);
          commands_.push_back(command);
        }
        const std::string reply = answer_(command);
        if (reply.empty() || ::send(client, reply.data(), reply.size(), MSG_NOSIGNAL) < 0) return;
        continue;
      }
      const auto count = ::recv(client, block, sizeof(block), 0);
      if (count <= 0) return;
      bytes.append(block, static_cast<std::size_t>(count));
    }
  }

  /// Bytes of the first command in `bytes`: *<n>CRLF, then $<size>CRLF<text>CRLF n times. 0: not all there
  /// yet.
  static std::size_t read_command(const std::string& bytes, Command& command) {
    std::size_t at = 0;
    const auto number = [&]() -> long {
      const std::size_t end = bytes.find("\r\n", at);
      if (end == std::string::npos) return -1;
      const long value = std::stol(bytes.substr(at + 1, end - at - 1));
      at = end + 2;
      return value;
    };
    const long words = number();
    for (long i = 0; i < words; ++i) {
      const long size = number();
      if (size < 0 || at + static_cast<std::size_t>(size) + 2 > bytes.size()) return 0;
      command.push_back(bytes.substr(at, static_cast<std::size_t>(size)));
      at += static_cast<std::size_t>(size) + 2;
    }
    return words > 0 ? at : 0;
  }

  std::function<std::string(const Command&)> answer_;
  int listener_ = -1, client_ = -1, port_ = 0;
  mutable std::mutex mutex_;
  std::vector<Command> commands_;
  std::thread thread_;
};

}  // namespace imatch::testing
