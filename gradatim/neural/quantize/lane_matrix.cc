#include "gradatim/neural/quantize/lane_matrix.h"

#include <algorithm>

#include "gradatim/core/parallel.h"
#include "gradatim/neural/nn/kernel/lanes.h"
#include "gradatim/neural/nn/mlp_blocks.h"
#include "gradatim/neural/size.h"

namespace gradatim::neural {
namespace {

// Rows of a panel: whole tiles of the product, on any processor.
constexpr std::int64_t kPanel = 12;
// Inner numbers of a product at a time, so that what they multiply stays in the first cache.
constexpr std::int64_t kInner = 256;
constexpr std::int64_t kMostLanes = 4 * kernel::kGroup;
// That a block may keep, unless it is one of the fewest lanes: 256 MB.
constexpr std::int64_t kMostNumbers = std::int64_t{1} << 26;

}  // namespace

LaneMatrix::LaneMatrix(const Tensor& matrix, const Tensor& bias)
    : out_(matrix.size(0)), in_(matrix.size(1)), panels_(to_size(out_ * in_)) {
  const Tensor numbers = in_memory(matrix);
  const float* from = numbers.data_ptr<float>();
  for (std::int64_t row = 0; row < out_; row += kPanel) {
    const std::int64_t rows = std::min(kPanel, out_ - row);
    kernel::transpose(rows, in_, {from + row * in_, in_}, {panels_.data() + row * in_, rows});
  }
  if (!bias.defined()) return;
  const Tensor added = in_memory(bias);
  bias_.assign(added.data_ptr<float>(), added.data_ptr<float>() + out_);
}

void LaneMatrix::run(const float* x, float* y, std::int64_t lanes, bool there) const {
  for (std::int64_t k = 0; k < in_; k += kInner) {
    const std::int64_t inner = std::min(kInner, in_ - k);
    for (std::int64_t row = 0; row < out_; row += kPanel) {
      const std::int64_t rows = std::min(kPanel, out_ - row);
      const kernel::Left left{panels_.data() + row * in_ + k * rows, 1, rows};
      const float* bias = k == 0 && !bias_.empty() ? bias_.data() + row : nullptr;
      kernel::product({rows, inner, lanes}, left, {x + k * lanes, lanes}, {y + row * lanes, lanes},
                      {.there = there || k > 0, .bias = bias});
    }
  }
}

void in_lane_blocks(std::int64_t rows, std::int64_t numbers,
                    const std::function<void(const LaneBlock&)>& f) {
  // Weights are read once a block, so wide ones are faster, unless they leave threads without any.
  std::int64_t lanes = kMostLanes;
  while (lanes > kernel::kGroup &&
         (rows <= lanes / 2 * at::get_num_threads() || numbers > kMostNumbers / lanes)) {
    lanes /= 2;
  }
  in_parallel((rows + lanes - 1) / lanes, [&](std::int64_t block) {
    check_interrupt();
    f({block * lanes, std::min(lanes, rows - block * lanes), lanes});
  });
}

void look_up(const float* table, std::int64_t width, const std::int64_t* numbers,
             const LaneBlock& block, float* x) {
  if (block.rows < block.lanes) std::fill_n(x, width * block.lanes, 0.0F);
  for (std::int64_t row = 0; row < block.rows; ++row) {
    const float* from = table + numbers[row] * width;
    for (std::int64_t k = 0; k < width; ++k) x[k * block.lanes + row] = from[k];
  }
}

Tensor in_memory(const Tensor& parameter) {
  return parameter.detach().to(at::kCPU, at::kFloat).contiguous();
}

}  // namespace gradatim::neural
