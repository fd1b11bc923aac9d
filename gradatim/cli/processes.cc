#include "gradatim/cli/processes.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "gradatim/core/error.h"
#include "gradatim/dist/launch.h"

extern char** environ;

namespace gradatim::cli {
namespace {

using Clock = std::chrono::steady_clock;

// Where rank 0 will listen, for this machine alone. It is open before anybody starts, so that no
// other program takes the port in between.
std::pair<int, int> listening_socket() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in place{};
  place.sin_family = AF_INET;
  place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof place;
  auto* address = reinterpret_cast<sockaddr*>(&place);
  const bool open = socket >= 0 && ::bind(socket, address, size) == 0 &&
                    ::listen(socket, SOMAXCONN) == 0 && ::getsockname(socket, address, &size) == 0;
  GRADATIM_CHECK(open, DistributedError, 5002, "no port of this machine can be opened: {}",
                 std::strerror(errno));
  return {socket, ntohs(place.sin_port)};
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> all;
  for (auto& word : words) all.push_back(word.data());
  all.push_back(nullptr);
  return all;
}

class Processes {
 public:
  Processes(const Arguments& arguments, int count) : ids_(count, 0) {
    words_ = {"gradatim", std::string(arguments.command->name)};
    words_.insert(words_.end(), arguments.words.begin(), arguments.words.end());
    ::signal(SIGCHLD, SIG_DFL);  // where it is ignored nobody can be waited for
    const auto [socket, port] = listening_socket();
    for (int r = 0; r < count; ++r) start(r, socket, port);
    ::close(socket);
  }
  ~Processes() {
    signal(SIGKILL);
    for (pid_t& id : ids_) {
      if (id != 0) ::waitpid(id, nullptr, 0);
    }
  }
  Processes(const Processes&) = delete;
  Processes& operator=(const Processes&) = delete;

  int run() {
    while (count_running() > 0) {
      int how = 0;
      const pid_t id = ::waitpid(-1, &how, WNOHANG);
      if (id > 0) {
        ended(id, how);
      } else if (id < 0 && errno == ECHILD) {
        return kFailed;  // somebody else has waited for them
      } else {
        ::usleep(10'000);
      }
      if (const int caught = caught_signal(); caught != 0 && passed_on_ == 0) {
        passed_on_ = caught;
        signal(caught);
        deadline_ = Clock::now() + std::chrono::seconds(60);  // a checkpoint may have to be written
      }
      end_the_others();
    }
    return status_;
  }

 private:
  void start(int rank, int socket, int port) {
    std::vector<std::string> environment = {fmt::format("RANK={}", rank),
                                            fmt::format("LOCAL_RANK={}", rank),
                                            fmt::format("WORLD_SIZE={}", ids_.size()),
                                            fmt::format("LOCAL_WORLD_SIZE={}", ids_.size()),
                                            "MASTER_ADDR=127.0.0.1",
                                            fmt::format("MASTER_PORT={}", port),
                                            fmt::format("GRADATIM_LISTENING={}", socket)};
    const std::size_t own = environment.size();
    for (char** variable = environ; *variable != nullptr; ++variable) {
      const std::string text = *variable;
      bool replaced = false;  // the first of two of a name counts, but not in every program
      for (std::size_t k = 0; k < own; ++k) {
        replaced |= text.starts_with(environment[k].substr(0, environment[k].find('=') + 1));
      }
      if (!replaced) environment.push_back(text);
    }
    const auto words = pointers(words_), variables = pointers(environment);
    const pid_t parent = ::getpid(), child = ::fork();
    GRADATIM_CHECK(child >= 0, DistributedError, 5002, "rank {} cannot be started: {}", rank,
                   std::strerror(errno));
    if (child > 0) {
      ids_[rank] = child;
      return;
    }
    ::setpgid(0, 0);  // Ctrl-C comes from us, once
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) ::_exit(kFailed);
    if (rank == 0) ::fcntl(socket, F_SETFD, 0);
    ::execve("/proc/self/exe", words.data(), variables.data());
    std::fprintf(stderr, "gradatim: rank %d cannot be started: %s\n", rank, std::strerror(errno));
    ::_exit(kFailed);
  }

  int count_running() const {
    int count = 0;
    for (const pid_t id : ids_) count += id != 0 ? 1 : 0;
    return count;
  }

  void signal(int number) {
    for (const pid_t id : ids_) {
      if (id != 0) ::kill(id, number);
    }
  }

  void ended(pid_t id, int how) {
    int rank = 0;
    while (rank < std::ssize(ids_) && ids_[rank] != id) ++rank;
    if (rank == std::ssize(ids_)) return;
    ids_[rank] = 0;
    if (WIFEXITED(how) && WEXITSTATUS(how) == kDone) return;
    if (WIFSIGNALED(how) && signalled_ == 0) {
      const int number = WTERMSIG(how);
      std::fputs(fmt::format("gradatim: the process of rank {} was ended by signal {} ({})\n", rank,
                             number, ::strsignal(number))
                     .c_str(),
                 stderr);
    }
    if (status_ != kDone) return;
    const bool usage = WIFEXITED(how) && WEXITSTATUS(how) == kWrongUsage;
    status_ = usage ? kWrongUsage : passed_on_ != 0 ? 128 + passed_on_ : kFailed;
    deadline_ = Clock::now() + std::chrono::seconds(5);
  }

  // They find out by themselves that one is missing, and say so. Those who do not are asked after a
  // while, and then not asked.
  void end_the_others() {
    const bool all_well = status_ == kDone && passed_on_ == 0;
    if (all_well || signalled_ == SIGKILL || Clock::now() < deadline_) return;
    signalled_ = signalled_ == 0 ? SIGTERM : SIGKILL;
    deadline_ = Clock::now() + std::chrono::seconds(3);
    signal(signalled_);
  }

  std::vector<std::string> words_;
  std::vector<pid_t> ids_;  // by rank; 0 has ended
  int status_ = kDone;
  int passed_on_ = 0;  // the signal that we were sent
  int signalled_ = 0;  // what we sent ourselves
  Clock::time_point deadline_;
};

}  // namespace

int processes_to_start(const Arguments& arguments) {
  const auto count = static_cast<int>(arguments.integer("processes", 1, 1, 1024));
  return count == 1 || dist::launched() ? 0 : count;
}

int run_processes(const Arguments& arguments, int count) {
  return Processes(arguments, count).run();
}

}  // namespace gradatim::cli
