// A group that counts what another one is asked for, and may take the processor for a device.
#pragma once

#include <memory>

#include "gradatim/dist/forwarding_testing.h"
#include "gradatim/neural/dist/device_group.h"
#include "gradatim/neural/dist/gradient_sum.h"

namespace gradatim::neural::testing {

class Counting final : public dist::testing::Forwarding<DeviceGroup> {
 public:
  explicit Counting(dist::Group& group, bool device = false) : Forwarding(group), device_(device) {}

  std::int64_t device_sums = 0;
  std::int64_t reductions = 0, waits = 0, reduced_bytes = 0;  // of start_all_reduce
  std::int64_t within_backward = 0;                           // of those

  std::unique_ptr<dist::Work> start_all_reduce(dist::Numbers values) override {
    ++reductions;
    reduced_bytes += values.bytes();
    if (torch::autograd::get_current_node() != nullptr) ++within_backward;
    return std::make_unique<Counted>(Forwarding::start_all_reduce(values), waits);
  }
  bool adds_on(const at::Device& device) override { return device_ && device.is_cpu(); }
  std::unique_ptr<dist::Work> start_device_sum(const Tensor& numbers) override {
    ++device_sums;
    return start_all_reduce(numbers_of(numbers));
  }

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

  bool device_;
};

}  // namespace gradatim::neural::testing
