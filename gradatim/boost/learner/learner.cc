#include "gradatim/boost/learner/learner.h"

#include <numeric>

#include "gradatim/boost/tree/growth.h"
#include "gradatim/core/error.h"

namespace gradatim::boost {

std::unique_ptr<Member> Fitter::fit_vector(const VectorStatistics& /*statistics*/, int /*outputs*/,
                                           bool /*sketched*/,
                                           std::span<const std::uint32_t> /*rows*/,
                                           std::span<const std::int32_t> /*features*/) {
  throw UsageError(1040,
                   "multi_strategy=multi_output_tree needs boost.learner.tree; take it, or "
                   "one_output_per_tree");
}

FeatureRules Learner::feature_rules(std::span<const FeatureBins> /*features*/) const { return {}; }

std::span<const std::uint32_t> written_out(std::span<const std::uint32_t> rows, std::int64_t count,
                                           std::vector<std::uint32_t>& all) {
  if (!rows.empty()) return rows;
  all.resize(count);
  std::iota(all.begin(), all.end(), 0U);
  return all;
}

}  // namespace gradatim::boost
