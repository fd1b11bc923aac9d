#include "gradatim/boost/ensemble/voted_rows.h"

#include <algorithm>

#include "gradatim/boost/ensemble/shard_data.h"
#include "gradatim/boost/ensemble/vote_model.h"
#include "gradatim/core/exact_sum.h"
#include "gradatim/core/parallel.h"
#include "gradatim/dist/collectives.h"

namespace gradatim::boost {
namespace {

constexpr std::int64_t kBlock = 4096;

}  // namespace

double marked_share(std::span<const std::uint8_t> marked, const LabelledRows& labelled) {
  const auto rows = static_cast<std::int64_t>(marked.size());
  const auto& weight = labelled.weight;
  dist::Group& group = *labelled.shard.group;
  if (labelled.all().weight.empty()) {
    const std::int64_t count = std::count(marked.begin(), marked.end(), std::uint8_t{1});
    return static_cast<double>(dist::sum(group, count)) /
           static_cast<double>(labelled.shard.rows(rows));
  }
  struct Sums {
    ExactSum some, all;
  };
  std::vector<Sums> blocks((rows + kBlock - 1) / kBlock);
  parallel_for(rows, kBlock, [&](std::int64_t begin, std::int64_t end) {
    Sums& sums = blocks[begin / kBlock];
    for (std::int64_t row = begin; row < end; ++row) {
      sums.all.add(weight[row]);
      if (marked[row] != 0) sums.some.add(weight[row]);
    }
  });
  Sums sums;
  for (const Sums& block : blocks) {
    sums.some.add(block.some);
    sums.all.add(block.all);
  }
  return dist::sum(group, sums.some).value() / dist::sum(group, sums.all).value();
}

VotedRows::VotedRows(const LabelledRows& rows, int classes)
    : rows_(rows),
      classes_(classes),
      votes_(rows.rows() * classes),
      wrong_(static_cast<std::size_t>(rows.rows())) {}

void VotedRows::add(std::span<const double> voted, double alpha) {
  parallel_for(rows_.rows(), kBlock, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      double* votes = votes_.data() + row * classes_;
      votes[static_cast<std::int64_t>(voted[row])] += alpha;
      const auto best = std::max_element(votes, votes + classes_) - votes;
      wrong_[row] = static_cast<float>(best) != rows_.label[row];
    }
  });
}

MetricInput VotedRows::metric_input() {
  probabilities_ = votes_;
  parallel_for(rows_.rows(), kBlock, [&](std::int64_t begin, std::int64_t end) {
    votes_to_probabilities(
        std::span(probabilities_).subspan(begin * classes_, (end - begin) * classes_), classes_);
  });
  probabilities_ = of_all_ranks(rows_, std::move(probabilities_));
  return {rows_.all().label, probabilities_, classes_, rows_.all().weight};
}

}  // namespace gradatim::boost
