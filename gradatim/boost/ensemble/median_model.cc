#include "gradatim/boost/ensemble/median_model.h"

#include <algorithm>

#include "gradatim/boost/ensemble/shard_data.h"
#include "gradatim/core/parallel.h"

namespace gradatim::boost {

double lower_median(const Votes& votes) {
  double total = 0.0;
  for (const auto& vote : votes) total += vote.second;
  double below = 0.0;
  for (const auto& vote : votes) {
    below += vote.second;
    if (below >= 0.5 * total) return vote.first;
  }
  return votes.back().first;
}

void MedianModel::start(std::int64_t rows, double* state) const {
  std::fill_n(state, rows * state_columns(), base_);
}

void MedianModel::accumulate(const RowBlock& rows, std::int64_t round, double* state) const {
  std::vector<double> values(rows.rows);
  parts().members[round]->predict(rows, values.data());
  for (std::int64_t i = 0; i < rows.rows; ++i) state[i * state_columns() + round] += values[i];
}

void MedianModel::accumulate_trees(const TreeRows& rows, std::int64_t first, std::int64_t last,
                                   double* state) const {
  for (std::int64_t round = first; round < last; ++round) {
    rows.trees.add(rows.strip, round, round + 1, 1, state + round * kStrip, rows.scratch);
  }
}

void MedianModel::accumulate_row(const Forest& trees, const double* features, std::int64_t first,
                                 std::int64_t last, double* state) const {
  trees.each_of_row(features, first, last,
                    [&](std::int64_t round, const auto* value) { state[round] += double{*value}; });
}

void MedianModel::finish(const double* state, std::int64_t rows, std::int64_t rounds,
                         data::PredictKind /*kind*/, double* out) const {
  Votes votes(rounds);
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t m = 0; m < rounds; ++m) {
      votes[m] = {state[i * state_columns() + m], weight_[m]};
    }
    std::sort(votes.begin(), votes.end());
    out[i] = lower_median(votes);
  }
}

void MedianModel::store_more(SafetensorsWriter& file) const {
  file.add("weight", std::span<const double>(weight_));
  file.add("base_score", std::span<const double>(&base_, 1));
}

void MedianRows::add(std::span<const double> values, double weight) {
  constexpr std::int64_t kBlock = 1024;
  parallel_for(rows_.rows(), kBlock, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const std::pair vote(values[row], weight);
      Votes& votes = votes_[row];
      votes.insert(std::upper_bound(votes.begin(), votes.end(), vote), vote);
      medians_[row] = lower_median(votes);
    }
  });
}

MetricInput MedianRows::metric_input() {
  all_medians_ = of_all_ranks(rows_, medians_);
  return {rows_.all().label, all_medians_, 1, rows_.all().weight};
}

}  // namespace gradatim::boost
