#include "gradatim/boost/algorithm/round_work.h"

#include <fmt/format.h>

#include <numeric>

#include "gradatim/boost/ensemble/sampling.h"
#include "gradatim/core/error.h"

namespace gradatim::boost {

RoundWork::RoundWork(const AdaBoostFit& fit, ScoredRows& scores, int outputs,
                     std::string_view algorithm)
    : fit_(fit),
      train_(fit.data.train),
      scores_(scores.scores()),
      outputs_(outputs),
      algorithm_(algorithm),
      fitter_(fit.learner->start({&*fit.data.binned, &train_.features})),
      all_rows_(sample_rows(train_.rows(), 1.0, 0, 0)),
      start_(train_.rows(), train_.weight, train_.shard),
      distribution_(train_.rows(), train_.weight, train_.shard),
      g_(static_cast<std::size_t>(train_.rows())),
      h_(static_cast<std::size_t>(train_.rows()), 1.0F) {
  class_statistics_.label.resize(g_.size());
}

std::vector<std::int32_t> RoundWork::begin_member() {
  fitter_->draw_by(fit_.seed, members_);
  return features_of_member(fit_, *fitter_, members_++);
}

std::unique_ptr<Member> RoundWork::fit_classes(int classes) {
  const auto features = begin_member();
  class_statistics_.classes = classes;
  class_statistics_.unit = distribution_.fixed_point(class_statistics_.weight);
  return fitter_->fit_classes(class_statistics_, all_rows_, features);
}

std::unique_ptr<Member> RoundWork::fit_numbers() {
  const auto draw = members_;
  const auto features = begin_member();
  quantise(g_, h_, weight_,
           {.seed = fit_.seed, .draw = draw, .force_wide = true, .shard = train_.shard},
           statistics_);
  return fitter_->fit(statistics_, all_rows_, features);
}

void RoundWork::find_chances() {
  chances_.resize(static_cast<std::size_t>(rows() * outputs_));
  parallel_for(rows(), kBlock, [&](std::int64_t begin, std::int64_t end) {
    std::vector<double> most(scores_ + begin, scores_ + end);
    std::vector<double> sum(most.size());
    const auto count = static_cast<std::int64_t>(most.size());
    for (int k = 1; k < outputs_; ++k) {
      for (std::int64_t i = 0; i < count; ++i) most[i] = std::max(most[i], score(begin + i, k));
    }
    for (int k = 0; k < outputs_; ++k) {
      const auto chance = std::span(chances_).subspan(k * rows() + begin, count);
      for (std::int64_t i = 0; i < count; ++i) chance[i] = score(begin + i, k) - most[i];
      math::exp_all(chance);
      for (std::int64_t i = 0; i < count; ++i) sum[i] += chance[i];
    }
    for (int k = 0; k < outputs_; ++k) {
      double* chance = chances_.data() + k * rows() + begin;
      for (std::int64_t i = 0; i < count; ++i) chance[i] /= sum[i];
    }
  });
}

std::vector<Leaf> RoundWork::leaves() const {
  auto leaves = fitter_->leaves();
  GRADATIM_CHECK(!leaves.empty(), UsageError, 1060,
                 "algorithm={} gives each leaf the chances of its classes, and the learner has no "
                 "leaves; take learner stump, cart or tree, or algorithm samme, gentle or "
                 "logitboost",
                 algorithm_);
  return leaves;
}

// Of D by class; even where none of it is in the leaf.
std::vector<double> RoundWork::shares(const Leaf& leaf) const {
  const int classes = class_statistics_.classes;
  const auto rows = static_cast<std::int64_t>(leaf.rows.size());
  std::vector<std::int64_t> blocks((rows + kBlock - 1) / kBlock * classes);
  parallel_for(rows, kBlock, [&](std::int64_t begin, std::int64_t end) {
    std::int64_t* sums = blocks.data() + begin / kBlock * classes;
    for (std::int64_t i = begin; i < end; ++i) {
      const std::uint32_t row = leaf.rows[i];
      sums[class_statistics_.label[row]] += class_statistics_.weight[row];
    }
  });
  std::vector<std::int64_t> sums(classes);
  for (std::size_t i = 0; i < blocks.size(); ++i) sums[i % classes] += blocks[i];
  train_.shard.group->all_reduce(std::span(sums), dist::Reduction::sum);
  const std::int64_t total = std::accumulate(sums.begin(), sums.end(), std::int64_t{0});
  std::vector<double> shares(classes, 1.0 / classes);
  if (total == 0) return shares;
  for (int k = 0; k < classes; ++k) {
    shares[k] = static_cast<double>(sums[k]) / static_cast<double>(total);
  }
  return shares;
}

}  // namespace gradatim::boost
