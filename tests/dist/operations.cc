// What test_group.py runs as several processes: every operation of a group, or a loop to be
// disturbed.
//
//   operations all             prints what each operation gives this rank
//   operations threads N RANK  the same of a rank of N threads
//   operations loop            adds up for ever, a line a step
//   operations stop            rank 1 stops with words while the others wait
//   operations linger          the same, but its process stays
//   operations late            rank 1 computes for 4 s before its second operation
//   operations large           buffers that are sent in pieces, compared with small ones
//   operations latency         how long each operation takes, by size
//   operations traffic         bytes that operations send over the network
#include <fmt/format.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <numeric>
#include <string>
#include <vector>

#include "gradatim/core/error.h"
#include "gradatim/dist/collectives.h"
#include "gradatim/dist/ring.h"
#include "gradatim/dist/threads.h"
#include "gradatim/neural/dist/join.h"

namespace {

using gradatim::dist::Group;
using gradatim::dist::Numbers;
using gradatim::dist::NumberType;
using gradatim::dist::Reduction;

// Small integers, so that sums of floats are exact in any order.
template <class T>
std::vector<T> numbers(const Group& group, std::int64_t count) {
  std::vector<T> values(count);
  for (std::int64_t k = 0; k < count; ++k) {
    values[k] = static_cast<T>((group.rank() + 1) * (k % 5) - 3);
  }
  return values;
}

template <class T>
std::string digest(const std::vector<T>& values) {
  std::uint64_t hash = 14695981039346656037U;
  const auto* bytes = reinterpret_cast<const unsigned char*>(values.data());
  for (std::size_t k = 0; k < values.size() * sizeof(T); ++k) {
    hash = (hash ^ bytes[k]) * 1099511628211U;
  }
  return fmt::format("{:016x} of {}", hash, values.size());
}

template <class T>
std::string reduced(Group& group, std::int64_t count, Reduction how) {
  auto values = numbers<T>(group, count);
  group.all_reduce(std::span(values), how);
  return digest(values);
}

std::string reduced_bfloat16(Group& group) {
  std::vector<std::uint16_t> values(1000);
  for (std::size_t k = 0; k < values.size(); ++k) values[k] = k % 2 == 0 ? 0x3F80 : 0x4000;  // 1, 2
  group.all_reduce(Numbers(NumberType::bfloat16, values.data(), std::ssize(values)),
                   Reduction::sum);
  return digest(values);
}

std::string reduced_at_once(Group& group) {
  auto a = numbers<float>(group, 10), b = numbers<float>(group, 100'000);
  auto first = group.start_all_reduce(std::span(a));
  auto second = group.start_all_reduce(std::span(b));
  first->wait();
  second->wait();
  return digest(a) + ", " + digest(b);
}

std::string scattered(Group& group, std::int64_t most) {
  std::vector<std::int64_t> counts(group.size());
  for (int r = 0; r < group.size(); ++r) counts[r] = r == 1 ? 0 : most + r;
  const auto all = numbers<std::int64_t>(group, std::reduce(counts.begin(), counts.end()));
  std::vector<std::int64_t> mine(counts[group.rank()]);
  group.reduce_scatter(all, counts, mine);
  return digest(mine);
}

std::string passed_on(Group& group) {
  const int next = (group.rank() + 1) % group.size();
  const int previous = (group.rank() + group.size() - 1) % group.size();
  const auto sent = numbers<std::int64_t>(group, 300'000);
  std::vector<std::int64_t> received(sent.size()), again(3);
  group.exchange(std::as_bytes(std::span(sent)), next, std::as_writable_bytes(std::span(received)),
                 previous);
  if (group.rank() == 0) group.send(std::as_bytes(std::span(sent).first(3)), next);
  group.receive(std::as_writable_bytes(std::span(again)), previous);
  if (group.rank() != 0) group.send(std::as_bytes(std::span(again)), next);
  return digest(received) + ", " + digest(again);
}

std::string from_root(Group& group, int root) {
  auto values = numbers<double>(group, 1001);
  group.broadcast(std::as_writable_bytes(std::span(values)), root);
  return digest(values);
}

std::string ring(Group& group) {
  auto values = numbers<float>(group, 1003);
  gradatim::dist::ring_all_reduce(group, std::span(values));
  return digest(values);
}

std::string every_operation(Group& group) {
  std::string text = fmt::format("rank {} of {}\n", group.rank(), group.size());
  for (const auto how : {Reduction::sum, Reduction::max}) {
    for (const std::int64_t count : {1, 1000, 100'000}) {
      text += "all_reduce of int64 " + reduced<std::int64_t>(group, count, how) + "\n";
      text += "all_reduce of float32 " + reduced<float>(group, count, how) + "\n";
      text += "all_reduce of float64 " + reduced<double>(group, count, how) + "\n";
    }
  }
  text += "all_reduce of bfloat16 " + reduced_bfloat16(group) + "\n";
  text += "start_all_reduce " + reduced_at_once(group) + "\n";
  for (const std::int64_t most : {0, 2, 100'000}) {
    text += "reduce_scatter " + scattered(group, most) + "\n";
  }
  for (int r = 0; r < group.size(); ++r) text += "broadcast " + from_root(group, r) + "\n";
  const auto mine = numbers<std::int32_t>(group, 17 * group.rank());
  text += "gather " + digest(gradatim::dist::gather_values<std::int32_t>(group, mine)) + "\n";
  text += "exchange, send, receive " + passed_on(group) + "\n";
  text += "ring " + ring(group) + "\n";
  group.barrier();
  return text;
}

int of_threads(int size, int rank) {
  gradatim::dist::run_ranks(size, [&](Group& group) {
    const auto text = every_operation(group);
    if (group.rank() == rank) fmt::print("{}", text);
  });
  return 0;
}

void loop(Group& group) {
  for (int step = 1;; ++step) {
    std::vector<float> values(1000, 1.0F);
    group.all_reduce(std::span(values), Reduction::sum);
    fmt::print("step {}\n", step);
    std::fflush(stdout);
    ::usleep(20'000);
  }
}

void stop(Group& group) {
  if (group.rank() == 1) throw gradatim::DataError(2021, "there is no column 'y'");
  group.barrier();
}

void linger(Group& group) {
  if (group.rank() == 1) {
    group.fail("out of paper");
    ::sleep(60);
  }
  group.barrier();
}

void late(Group& group) {
  group.barrier();
  if (group.rank() == 1) ::sleep(4);
  group.barrier();
}

// Values are their place, modulo a prime that no piece is a multiple of.
void large(Group& group) {
  const std::int64_t size = 150'000'001;  // 1.2 GB
  constexpr std::int64_t kPrime = 1009;
  const auto count_wrong = [&](const std::vector<std::int64_t>& values, std::int64_t factor) {
    std::int64_t wrong = 0;
    for (std::int64_t k = 0; k < size; ++k) wrong += values[k] != factor * (k % kPrime) ? 1 : 0;
    return wrong;
  };
  std::vector<std::int64_t> values(size), received(size);
  for (std::int64_t k = 0; k < size; ++k) values[k] = k % kPrime;
  const auto bytes = std::as_writable_bytes(std::span(received));
  const int next = (group.rank() + 1) % group.size();
  const int previous = (group.rank() + group.size() - 1) % group.size();
  group.exchange(std::as_bytes(std::span(values)), next, bytes, previous);
  fmt::print("exchange {}\n", count_wrong(received, 1));
  if (group.rank() != 0) received.assign(size, 0);
  group.broadcast(bytes, 0);
  fmt::print("broadcast {}\n", count_wrong(received, 1));
  group.all_reduce(std::span(values), Reduction::sum);
  fmt::print("all_reduce {}\n", count_wrong(values, group.size()));
  std::vector<std::int64_t> part(values.begin(), values.begin() + size / group.size());
  received.assign(part.size() * group.size(), 0);
  group.all_gather(std::as_bytes(std::span(part)), std::as_writable_bytes(std::span(received)));
  std::int64_t wrong = 0;
  for (std::size_t k = 0; k < received.size(); ++k) wrong += received[k] != part[k % part.size()];
  fmt::print("all_gather {}\n", wrong);
}

void latency(Group& group) {
  const auto time = [&](const char* what, const auto& operation) {
    group.barrier();
    const auto start = std::chrono::steady_clock::now();
    for (int k = 0; k < 500; ++k) operation();
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - start;
    fmt::print("{} {:.1f} us\n", what, took.count() / 500);
  };
  for (const std::int64_t size : {1, 500, 5000, 50'000}) {
    fmt::print("{} numbers\n", size);
    std::vector<std::int64_t> values(size, 1), other(size), all(size * group.size());
    const int next = (group.rank() + 1) % group.size();
    const int previous = (group.rank() + group.size() - 1) % group.size();
    const auto bytes = std::as_writable_bytes(std::span(values));
    time("all_reduce", [&] { group.all_reduce(std::span(values), Reduction::max); });
    time("exchange",
         [&] { group.exchange(bytes, next, std::as_writable_bytes(std::span(other)), previous); });
    time("broadcast", [&] { group.broadcast(bytes, 0); });
    time("all_gather", [&] { group.all_gather(bytes, std::as_writable_bytes(std::span(all))); });
    std::vector<std::int64_t> counts(group.size(), size / group.size()), mine(counts[0]);
    time("reduce_scatter", [&] {
      group.reduce_scatter(std::span(values).first(mine.size() * group.size()), counts, mine);
    });
  }
}

// What the connections of this process have sent so far, without headers and what was sent again.
std::uint64_t sent_bytes() {
  std::uint64_t total = 0;
  for (int file = 0; file < 1024; ++file) {
    tcp_info told{};
    socklen_t size = sizeof(told);
    if (::getsockopt(file, IPPROTO_TCP, TCP_INFO, &told, &size) != 0) continue;
    total += told.tcpi_bytes_sent - told.tcpi_bytes_retrans;
  }
  return total;
}

template <class F>
void measure(Group& group, const char* what, const F& operation) {
  group.barrier();
  const auto before = sent_bytes();
  operation();
  group.barrier();
  fmt::print("{} {}\n", what, sent_bytes() - before);
}

void traffic(Group& group) {
  const std::int64_t size = 1'000'000;  // 8 MB
  auto values = numbers<std::int64_t>(group, size);
  std::vector<std::int64_t> counts(group.size(), size / group.size());
  std::vector<std::int64_t> mine(counts[group.rank()]);
  measure(group, "reduce_scatter", [&] { group.reduce_scatter(values, counts, mine); });
  measure(group, "all_reduce", [&] { group.all_reduce(std::span(values), Reduction::sum); });
}

int run(const std::string& what) {
  std::shared_ptr<Group> group;
  try {
    group = gradatim::neural::join(gradatim::dist::launched().value());
    if (what == "all") fmt::print("{}", every_operation(*group));
    if (what == "loop") loop(*group);
    if (what == "stop") stop(*group);
    if (what == "linger") linger(*group);
    if (what == "late") late(*group);
    if (what == "large") large(*group);
    if (what == "latency") latency(*group);
    if (what == "traffic") traffic(*group);
    return 0;
  } catch (const gradatim::Error& error) {
    if (group) group->fail(error.what());
    std::fputs(fmt::format("{}\n", error.what()).c_str(), stderr);
    std::fflush(nullptr);
    ::_exit(1);  // threads may still wait for ranks that are gone
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() == 3) return of_threads(std::stoi(words[1]), std::stoi(words[2]));
  return words.size() == 1 ? run(words[0]) : 2;
}
