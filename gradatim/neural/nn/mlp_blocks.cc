#include "gradatim/neural/nn/mlp_blocks.h"

#include <algorithm>
#include <vector>

#include "gradatim/core/parallel.h"
#include "gradatim/neural/nn/tensor.h"

namespace gradatim::neural {
namespace {

constexpr std::int64_t kMostParts = 8;  // each needs gradients of its own

}  // namespace

void in_parallel(std::int64_t tasks, const std::function<void(std::int64_t)>& f) {
  if (at::get_num_threads() > 1) return parallel_tasks(tasks, f);
  for (std::int64_t task = 0; task < tasks; ++task) f(task);
}

void in_parts(std::int64_t blocks, std::span<float> gradients, std::vector<float>& partial,
              const std::function<void(std::int64_t, float*)>& f) {
  const std::int64_t parts = std::min(blocks, kMostParts);
  partial.assign(to_size(parts - 1) * gradients.size(), 0.0F);
  in_parallel(parts, [&](std::int64_t part) {
    float* own =
        part == 0 ? gradients.data() : partial.data() + to_size(part - 1) * gradients.size();
    for (std::int64_t k = part * blocks / parts; k < (part + 1) * blocks / parts; ++k) f(k, own);
  });
  for (std::size_t k = 0; k + 1 < to_size(parts); ++k) {
    const float* more = partial.data() + k * gradients.size();
    for (std::size_t i = 0; i < gradients.size(); ++i) gradients[i] += more[i];
  }
}

void lay(const float* rows, std::int64_t count, std::int64_t width, float* block) {
  if (count < kernel::kBlock) std::fill_n(block, width * kernel::kBlock, 0.0F);
  kernel::transpose(count, width, {rows, width}, {block, kernel::kBlock});
}

}  // namespace gradatim::neural
