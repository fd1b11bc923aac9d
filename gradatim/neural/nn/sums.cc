#include "gradatim/neural/nn/sums.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "gradatim/core/error.h"
#include "gradatim/core/parallel.h"
#include "gradatim/neural/size.h"

namespace gradatim::neural {
namespace {

constexpr std::int64_t kSumBlock = 1 << 17;

// As many sums as fill the vectors of any processor, each over every kLanes-th element.
double dot_of(const float* a, const float* b, std::int64_t count) {
  constexpr std::int64_t kLanes = 16;
  double sums[kLanes] = {};
  std::int64_t k = 0;
  for (; k + kLanes <= count; k += kLanes) {
    for (std::int64_t j = 0; j < kLanes; ++j) sums[j] += double{a[k + j]} * double{b[k + j]};
  }
  for (; k < count; ++k) sums[k % kLanes] += double{a[k]} * double{b[k]};
  return std::accumulate(std::begin(sums), std::end(sums), 0.0);
}

}  // namespace

double sum_of_products(const Tensor& a, const Tensor& b) {
  if (!a.is_cpu()) return at::dot(a.flatten(), b.flatten()).item<double>();
  GRADATIM_ASSERT(a.is_contiguous() && b.is_contiguous() && a.numel() == b.numel());
  const auto *x = a.const_data_ptr<float>(), *y = b.const_data_ptr<float>();
  std::vector<double> parts(to_size((a.numel() + kSumBlock - 1) / kSumBlock));
  parallel_for(a.numel(), kSumBlock, [&](std::int64_t begin, std::int64_t end) {
    parts[to_size(begin / kSumBlock)] = dot_of(x + begin, y + begin, end - begin);
  });
  return std::accumulate(parts.begin(), parts.end(), 0.0);
}

}  // namespace gradatim::neural
