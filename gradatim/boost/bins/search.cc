#include "gradatim/boost/bins/search.h"

#include <hwy/contrib/sort/vqsort.h>

#include <algorithm>
#include <bit>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gradatim/boost/bins/search.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace gradatim::boost::HWY_NAMESPACE {

// All rows of a block take a step of the binary search together: the steps of one row depend on
// each other, those of different rows do not.
void search_block(const double* cuts, std::int32_t size, const double* x, std::int64_t n,
                  std::int32_t* at) {
  for (std::int64_t i = 0; i < n; ++i) at[i] = 0;
  for (std::int32_t half = (size + 1) / 2; half > 0; half /= 2) {
    for (std::int64_t i = 0; i < n; ++i) at[i] += cuts[at[i] + half - 1] <= x[i] ? half : 0;
  }
}

}  // namespace gradatim::boost::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradatim::boost {

HWY_EXPORT(search_block);

CutSearch::CutSearch(std::span<const double> cuts)
    : padded_(std::bit_ceil(cuts.size() + 1) - 1, std::numeric_limits<double>::infinity()),
      count_(static_cast<std::int32_t>(cuts.size())) {
  std::copy(cuts.begin(), cuts.end(), padded_.begin());
}

bool CutSearch::find(std::span<const double> x, std::int32_t missing, std::int32_t* out) const {
  constexpr std::size_t kBlock = 256;
  bool any_missing = false;
  for (std::size_t begin = 0; begin < x.size(); begin += kBlock) {
    const std::size_t count = std::min(kBlock, x.size() - begin);
    HWY_DYNAMIC_DISPATCH(search_block)
    (padded_.data(), static_cast<std::int32_t>(padded_.size()), x.data() + begin,
     static_cast<std::int64_t>(count), out + begin);
    for (std::size_t i = begin; i < begin + count; ++i) {
      const bool absent = x[i] != x[i];
      any_missing = any_missing || absent;
      // Padding is infinite, so an infinite value would count it.
      out[i] = absent ? missing : std::min(out[i], count_);
    }
  }
  return any_missing;
}

void sort_ascending(std::span<double> values) {
  hwy::Sorter()(values.data(), values.size(), hwy::SortAscending());
}

}  // namespace gradatim::boost
#endif
