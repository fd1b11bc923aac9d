#include "gradatim/neural/nn/memory.h"

#include <c10/core/CPUAllocator.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "gradatim/neural/nn/tensor.h"

namespace gradatim::neural {
namespace {

TEST(PooledMemory, TensorsOutliveThePassAndTheNetwork) {
  Tensor kept;
  {
    const KeptMemory network;
    const void* first = nullptr;
    {
      const PooledMemory pass;
      const Tensor once = at::empty({1 << 20}, at::kFloat);
      first = once.data_ptr();
    }
    const PooledMemory pass;
    kept = at::ones({1 << 20}, at::kFloat);
    EXPECT_EQ(kept.data_ptr(), first);  // the block came back
  }
  EXPECT_EQ(kept.sum().item<float>(), static_cast<float>(1 << 20));
}

// Other threads read it without a lock.
TEST(PooledMemory, TorchsAllocatorStaysTheSameThroughPasses) {
  const KeptMemory network;
  const c10::Allocator* before = c10::GetCPUAllocator();
  {
    const PooledMemory pass;
    EXPECT_EQ(c10::GetCPUAllocator(), before);
  }
  EXPECT_EQ(c10::GetCPUAllocator(), before);
}

TEST(PooledMemory, OutsideOfPassesBlocksAreNotThoseOfThePool) {
  const KeptMemory network;
  const void* pooled = nullptr;
  {
    const PooledMemory pass;
    pooled = at::empty({1 << 20}, at::kFloat).data_ptr();
  }
  const Tensor outside = at::empty({1 << 20}, at::kFloat);  // while the block waits in the pool
  EXPECT_NE(outside.data_ptr(), pooled);
  const PooledMemory pass;
  EXPECT_EQ(at::empty({1 << 20}, at::kFloat).data_ptr(), pooled);
}

// Else memory would grow from step to step.
TEST(PooledMemory, ABlockOfAnySizeIsTakenAgain) {
  const KeptMemory network;
  const PooledMemory pass;
  for (std::int64_t bytes = 100'000; bytes < 20'000'000; bytes += 123'457) {
    const auto place = [&] { return at::empty({bytes}, at::kByte).data_ptr(); };
    const void* first = place();
    EXPECT_EQ(place(), first) << bytes;
  }
}

// Networks and passes of two threads come and go; nobody writes into another's numbers.
TEST(PooledMemory, TwoThreadsDoNotShareABlock) {
  const auto work = [](int mine, bool* sound) {
    for (int turn = 0; turn < 200; ++turn) {
      const KeptMemory network;
      std::vector<Tensor> held;
      const auto hold = [&] {
        held.push_back(at::full({20000 + 4000 * (turn % 7)}, mine, at::kFloat));
      };
      for (int k = 0; k < 3; ++k) {
        const PooledMemory pass;
        hold();
        hold();
        held.erase(held.begin());
      }
      hold();
      for (const Tensor& each : held) *sound = *sound && (each == mine).all().item<bool>();
    }
  };
  bool sound[2] = {true, true};
  std::thread other(work, 2, &sound[1]);
  work(1, &sound[0]);
  other.join();
  EXPECT_TRUE(sound[0]);
  EXPECT_TRUE(sound[1]);
}

}  // namespace
}  // namespace gradatim::neural
