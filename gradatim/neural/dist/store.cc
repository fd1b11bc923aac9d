#include "gradatim/neural/dist/store.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <utility>

#include "gradatim/core/error.h"
#include "gradatim/core/parallel.h"

namespace gradatim::neural {
namespace {

class Socket {
 public:
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  int get() const { return descriptor_; }
  int release() { return std::exchange(descriptor_, -1); }

 private:
  int descriptor_;
};

using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

// Of the address, or where it is null of any of this machine's.
Addresses resolved(const char* address, int port, int kind, std::string& why) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = kind;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(address, std::to_string(port).c_str(), &hints, &found);
  if (error != 0) why = ::gai_strerror(error);
  return {error == 0 ? found : nullptr, &::freeaddrinfo};
}

std::string text_of(const sockaddr* address, socklen_t size) {
  char text[NI_MAXHOST];
  const bool known =
      ::getnameinfo(address, size, text, sizeof text, nullptr, 0, NI_NUMERICHOST) == 0;
  return known ? text : "127.0.0.1";
}

// A socket that a launcher handed down, and not another file of this number.
bool is_listening(int descriptor) {
  int listening = 0;
  socklen_t size = sizeof listening;
  return descriptor >= 0 &&
         ::getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 &&
         listening != 0;
}

// Opened here and not by TCPStore, which listens to every network even where all ranks are on this
// machine, and does not say why it cannot.
int listen_at(const dist::Launch& launch) {
  if (is_listening(launch.listening)) return launch.listening;
  std::string why;
  const char* address = is_loopback(launch.address) ? launch.address.c_str() : nullptr;
  const Addresses all = resolved(address, launch.port, SOCK_STREAM, why);
  for (const int family : {AF_INET6, AF_INET}) {  // the former takes both, where there is any
    for (const addrinfo* a = all.get(); a != nullptr; a = a->ai_next) {
      if (a->ai_family != family) continue;
      Socket socket(::socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol));
      const int yes = 1, no = 0;
      ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
      if (family == AF_INET6 && address == nullptr) {
        ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
      }
      if (::bind(socket.get(), a->ai_addr, a->ai_addrlen) == 0 &&
          ::listen(socket.get(), SOMAXCONN) == 0) {
        return socket.release();
      }
      if (why.empty() || errno == EADDRINUSE) why = std::strerror(errno);
    }
    if (why == std::strerror(EADDRINUSE)) break;
  }
  throw DistributedError(
      5002, fmt::format("rank {} cannot listen at port {} for the other ranks: {}; set MASTER_PORT "
                        "to a free one on all ranks",
                        launch.rank, launch.port, why));
}

// Whether somebody listens there; else why not.
bool answers(const dist::Launch& launch, std::string& why) {
  const Addresses all = resolved(launch.address.c_str(), launch.port, SOCK_STREAM, why);
  for (const addrinfo* a = all.get(); a != nullptr; a = a->ai_next) {
    const Socket socket(::socket(a->ai_family, a->ai_socktype | SOCK_NONBLOCK, a->ai_protocol));
    int error = ::connect(socket.get(), a->ai_addr, a->ai_addrlen) == 0 ? 0 : errno;
    if (error == EINPROGRESS) {
      pollfd ready{socket.get(), POLLOUT, 0};
      socklen_t size = sizeof error;
      const bool told = ::poll(&ready, 1, 500) == 1 &&
                        ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size) == 0;
      if (!told) error = ETIMEDOUT;
    }
    if (error == 0) return true;
    why = std::strerror(error);
  }
  return false;
}

// Waits until somebody listens, or throws. TCPStore would wait, too, but longer than it is told to,
// and would not say why.
void await_listener(const dist::Launch& launch) {
  const auto end = std::chrono::steady_clock::now() + launch.timeout;
  std::string why;
  while (!answers(launch, why)) {
    GRADATIM_CHECK(std::chrono::steady_clock::now() < end, DistributedError, 5002,
                   "rank {} cannot reach {} at {} within {} s: {}; see that it runs, and that "
                   "MASTER_ADDR and MASTER_PORT say where",
                   launch.rank, launch.hosted ? "the launcher" : "rank 0", place_of(launch),
                   launch.timeout.count() / 1e3, why);
    check_interrupt();
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

}  // namespace

bool is_loopback(const std::string& address) {
  return address == "localhost" || address.starts_with("127.") || address == "::1";
}

std::string place_of(const dist::Launch& launch) {
  const bool colons = launch.address.find(':') != std::string::npos;
  return colons ? fmt::format("[{}]:{}", launch.address, launch.port)
                : fmt::format("{}:{}", launch.address, launch.port);
}

std::string words_of(const std::exception& error) {
  const auto* of_torch = dynamic_cast<const c10::Error*>(&error);
  std::string words = of_torch != nullptr ? of_torch->what_without_backtrace() : error.what();
  words = words.substr(0, words.find('\n'));
  if (words.starts_with("[") && words.find("] ") != std::string::npos) {
    words = words.substr(words.find("] ") + 2);
  }
  return words;
}

c10::intrusive_ptr<c10d::Store> open_store(const dist::Launch& launch) {
  c10d::TCPStoreOptions options;
  options.port = static_cast<std::uint16_t>(launch.port);
  options.isServer = launch.rank == 0 && !launch.hosted;
  options.waitWorkers = false;
  options.timeout = launch.timeout;
  if (options.isServer) {
    options.masterListenFd = listen_at(launch);
  } else {
    await_listener(launch);
  }
  try {
    return c10::make_intrusive<c10d::PrefixStore>(
        fmt::format("gradatim/{}", launch.run),
        c10::make_intrusive<c10d::TCPStore>(launch.address, options));
  } catch (const c10::Error& error) {
    throw DistributedError(
        5002, fmt::format("rank {} met something else than {} at {}: {}; take another MASTER_PORT",
                          launch.rank, launch.hosted ? "the launcher" : "rank 0", place_of(launch),
                          words_of(error)));
  }
}

Way way_to_store(const dist::Launch& launch) {
  std::string why;
  const Addresses all = resolved(launch.address.c_str(), launch.port, SOCK_DGRAM, why);
  for (const addrinfo* a = all.get(); a != nullptr; a = a->ai_next) {
    // Connecting a datagram socket sends nothing; it only finds the way.
    const Socket socket(::socket(a->ai_family, a->ai_socktype, a->ai_protocol));
    sockaddr_storage own{};
    socklen_t size = sizeof own;
    auto* address = reinterpret_cast<sockaddr*>(&own);
    if (::connect(socket.get(), a->ai_addr, a->ai_addrlen) == 0 &&
        ::getsockname(socket.get(), address, &size) == 0) {
      return {text_of(address, size), text_of(a->ai_addr, a->ai_addrlen)};
    }
  }
  return {"127.0.0.1", "127.0.0.1"};
}

}  // namespace gradatim::neural
