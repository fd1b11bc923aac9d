// A group that counts what another one is asked for, and may take the processor for a device.
#pragma once

#include <memory>

#include "gradatim/neural/dist/device_group.h"
#include "gradatim/neural/dist/gradient_sum.h"

namespace gradatim::neural::testing {

class Counting final : public DeviceGroup {
 public:
  explicit Counting(dist::Group& group, bool device = false) : group_(group), device_(device) {}

  std::int64_t device_sums = 0;
  std::int64_t reductions = 0, waits = 0, reduced_bytes = 0;  // of start_all_reduce
  std::int64_t within_backward = 0;                           // of those

  int rank() const override { return group_.rank(); }
  int size() const override { return group_.size(); }
  std::chrono::milliseconds timeout() const override { return group_.timeout(); }
  void all_reduce(dist::Numbers values, dist::Reduction how) override {
    group_.all_reduce(values, how);
  }
  std::unique_ptr<dist::Work> start_all_reduce(dist::Numbers values) override {
    ++reductions;
    reduced_bytes += values.bytes();
    if (torch::autograd::get_current_node() != nullptr) ++within_backward;
    return std::make_unique<Counted>(group_.start_all_reduce(values), waits);
  }
  bool adds_on(const at::Device& device) override { return device_ && device.is_cpu(); }
  std::unique_ptr<dist::Work> start_device_sum(const Tensor& numbers) override {
    ++device_sums;
    return start_all_reduce(numbers_of(numbers));
  }
  void reduce_scatter(std::span<const std::int64_t> all, std::span<const std::int64_t> counts,
                      std::span<std::int64_t> mine) override {
    group_.reduce_scatter(all, counts, mine);
  }
  void broadcast(std::span<std::byte> bytes, int root) override { group_.broadcast(bytes, root); }
  void all_gather(std::span<const std::byte> mine, std::span<std::byte> all) override {
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
  class Counted final : public dist::Work {
   public:
    Counted(std::unique_ptr<dist::Work> work, std::int64_t& waits)
        : work_(std::move(work)), waits_(waits) {}
    void wait() override {
      work_->wait();
      ++waits_;
    }

   private:
    std::unique_ptr<dist::Work> work_;
    std::int64_t& waits_;
  };

  dist::Group& group_;
  bool device_;
};

}  // namespace gradatim::neural::testing
