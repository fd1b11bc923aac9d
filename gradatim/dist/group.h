// Group: processes, its ranks, that compute one thing together.
//
//  1. It is opened for processes that a launcher started (launch.h), or for threads of one process
//     (threads.h); a process by itself is alone().
//  2. All ranks call the same operations in the same order; an operation returns when this rank's
//     part of it is done, and what it gives is the same to the bit on every rank.
//  3. A rank that cannot go on says why by fail(), or is just gone: operations of the others end in
//     DistributedError GRD-5003 that names it, within timeout() at the latest. The group is then of
//     no more use.
//
// One thread of a rank calls the operations. Sums of floats are in no promised order of ranks; of
// integers they are exact, which is what boosting sums.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace gradatim::dist {

enum class Reduction { sum, max };

enum class NumberType { int64, float32, float64, bfloat16 };

/// Numbers of the caller's, in memory side by side.
struct Numbers {
  NumberType type = NumberType::int64;
  void* data = nullptr;
  std::int64_t count = 0;

  Numbers(NumberType of, void* numbers, std::int64_t size) : type(of), data(numbers), count(size) {}
  Numbers(std::span<std::int64_t> x) : Numbers(NumberType::int64, x.data(), std::ssize(x)) {}
  Numbers(std::span<float> x) : Numbers(NumberType::float32, x.data(), std::ssize(x)) {}
  Numbers(std::span<double> x) : Numbers(NumberType::float64, x.data(), std::ssize(x)) {}

  std::int64_t bytes() const;
};

/// An operation under way. Its numbers are not touched until wait() returns.
class Work {
 public:
  virtual ~Work() = default;
  virtual void wait() = 0;
};

class Group {
 public:
  virtual ~Group() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  /// How long an operation waits for the other ranks.
  virtual std::chrono::milliseconds timeout() const = 0;

  /// Every rank's numbers become those of all ranks together.
  virtual void all_reduce(Numbers values, Reduction how) = 0;
  /// The same by sum, while the caller goes on; several at once end in the order of their start.
  virtual std::unique_ptr<Work> start_all_reduce(Numbers values) = 0;
  /// `all` is the parts of all ranks one behind the other, part r of counts[r] numbers; `mine`, of
  /// counts[rank()], becomes the sum of this rank's part.
  virtual void reduce_scatter(std::span<const std::int64_t> all,
                              std::span<const std::int64_t> counts,
                              std::span<std::int64_t> mine) = 0;
  /// The bytes of rank `root`.
  virtual void broadcast(std::span<std::byte> bytes, int root) = 0;
  /// `mine` of every rank, as many everywhere, in the order of ranks.
  virtual void all_gather(std::span<const std::byte> mine, std::span<std::byte> all) = 0;
  virtual void send(std::span<const std::byte> bytes, int to) = 0;
  virtual void receive(std::span<std::byte> bytes, int from) = 0;
  /// Both at once, where ranks send in a circle.
  virtual void exchange(std::span<const std::byte> sent, int to, std::span<std::byte> received,
                        int from) = 0;
  virtual void barrier() = 0;
  /// Tells the other ranks why this one stops. Throws nothing.
  virtual void fail(const std::string& why) noexcept = 0;
};

/// The group of this process by itself; its operations do nothing.
Group& alone();

}  // namespace gradatim::dist
