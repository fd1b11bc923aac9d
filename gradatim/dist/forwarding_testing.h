// A group that passes on to another one what it is asked for, and counts sums, scatters and
// gathers.
#pragma once

#include <memory>

#include "gradatim/dist/group.h"

namespace gradatim::dist::testing {

/// `Base` is Group or an extension of it.
template <class Base = Group>
class Forwarding : public Base {
 public:
  explicit Forwarding(Group& group) : group_(group) {}

  std::int64_t all_reductions = 0, scatters = 0, gathers = 0;

  int rank() const override { return group_.rank(); }
  int size() const override { return group_.size(); }
  std::chrono::milliseconds timeout() const override { return group_.timeout(); }
  void all_reduce(Numbers values, Reduction how) override {
    ++all_reductions;
    group_.all_reduce(values, how);
  }
  std::unique_ptr<Work> start_all_reduce(Numbers values) override {
    return group_.start_all_reduce(values);
  }
  void reduce_scatter(std::span<const std::int64_t> all, std::span<const std::int64_t> counts,
                      std::span<std::int64_t> mine) override {
    ++scatters;
    group_.reduce_scatter(all, counts, mine);
  }
  void broadcast(std::span<std::byte> bytes, int root) override { group_.broadcast(bytes, root); }
  void all_gather(std::span<const std::byte> mine, std::span<std::byte> all) override {
    ++gathers;
    group_.all_gather(mine, all);
  }
  void send(std::span<const std::byte> bytes, int to) override { group_.send(bytes, to); }
  void receive(std::span<std::byte> bytes, int from) override { group_.receive(bytes, from); }
  void exchange(std::span<const std::byte> sent, int to, std::span<std::byte> received,
                int from) override {
    group_.exchange(sent, to, received, from);
  }
  void barrier() override { group_.barrier(); }
  void fail(const std::string& why) noexcept override { group_.fail(why); }

 private:
  Group& group_;
};

}  // namespace gradatim::dist::testing
