// How perceptrons compute in blocks of rows (mlp_pass.h, mlp_along.h).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "gradatim/neural/nn/kernel/product.h"
#include "gradatim/neural/size.h"

namespace gradatim::neural {

inline std::int64_t blocks_of(std::int64_t rows) {
  return (rows + kernel::kBlock - 1) / kernel::kBlock;
}

/// f of each task, by as many threads as the caller gave torch, which is one where there is little
/// to do.
void in_parallel(std::int64_t tasks, const std::function<void(std::int64_t)>& f);
/// f of each block and the gradients that it adds to. Blocks form parts that depend on their number
/// alone, each with gradients of its own (`partial` is room for them); these meet in their order.
void in_parts(std::int64_t blocks, std::span<float> gradients, std::vector<float>& partial,
              const std::function<void(std::int64_t block, float* gradients)>& f);

/// [height, kBlock] of a block on its way, in memory that nobody has written to yet.
class Room {
 public:
  explicit Room(std::int64_t height)
      : numbers_(std::make_unique_for_overwrite<float[]>(to_size(height * kernel::kBlock))) {}
  operator float*() { return numbers_.get(); }

 private:
  std::unique_ptr<float[]> numbers_;
};

/// rows [count, width] as [width, kBlock], with zeros behind the last row.
void lay(const float* rows, std::int64_t count, std::int64_t width, float* block);

}  // namespace gradatim::neural
