// RoundWork: what a round of a score algorithm is composed of: rows with labels and scores, the
// distribution over rows, and members fitted to classes or to numbers.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "gradatim/boost/algorithm/algorithm.h"
#include "gradatim/boost/ensemble/row_distribution.h"
#include "gradatim/boost/ensemble/scored_rows.h"
#include "gradatim/core/parallel.h"

namespace gradatim::boost {

/// What a member should say of a row, and how much the row counts.
struct Response {
  double target = 0.0;
  double weight = 1.0;
};

/// The chance of a class, and of all others.
struct Chance {
  double own = 0.0;
  double others = 0.0;
};

class RoundWork {
 public:
  /// `scores` are those of the training rows; `algorithm` is for messages.
  RoundWork(const AdaBoostFit& fit, ScoredRows& scores, int outputs, std::string_view algorithm);

  int classes() const { return fit_.classes(); }
  int outputs() const { return outputs_; }
  std::int64_t rows() const { return train_.rows(); }
  int label(std::int64_t row) const { return static_cast<int>(train_.label[row]); }
  double score(std::int64_t row, int output) const { return scores_[output * rows() + row]; }
  /// +1 where the row is of the class whose score the output is, -1 elsewhere.
  double sign(std::int64_t row, int output) const {
    return label(row) == (classes() == 2 ? 1 : output) ? 1.0 : -1.0;
  }

  /// softmax of the scores as they are now, for chance().
  void find_chances();
  Chance chance(std::int64_t row, int output) const {
    Chance chance{chances_[output * rows() + row], 0.0};
    for (int k = 0; k < outputs_; ++k) {
      if (k != output) chance.others += chances_[k * rows() + row];
    }
    return chance;
  }

  /// D proportional to the sample weights times e^{exponent(row)}.
  template <class F>
  void weigh(F&& exponent) {
    distribution_.set(train_.weight, exponent);
  }
  /// The mean of f over rows, by sample weight.
  template <class F>
  double mean(F&& f) const {
    return start_.mean(f);
  }
  /// A classifier of the classes label(row) in [0, classes), by D.
  template <class F>
  std::unique_ptr<Member> classify(int classes, F&& label) {
    each_row([&](std::int64_t row) { class_statistics_.label[row] = label(row); });
    return fit_classes(classes);
  }
  /// Least squares to target(row), by D.
  template <class F>
  std::unique_ptr<Member> regress(F&& target) {
    distribution_.weights(weight_);
    each_row([&](std::int64_t row) { g_[row] = static_cast<float>(-target(row)); });
    return fit_numbers();
  }
  /// Least squares to responses, by their weights times the sample weights.
  template <class F>
  std::unique_ptr<Member> regress_responses(F&& response) {
    weight_.resize(static_cast<std::size_t>(rows()));
    each_row([&](std::int64_t row) {
      const Response r = response(row);
      const double weight = train_.weight.empty() ? 1.0 : double{train_.weight[row]};
      g_[row] = static_cast<float>(-r.target);
      weight_[row] = static_cast<float>(r.weight * weight);
    });
    return fit_numbers();
  }
  /// Gives each leaf of the last classifier `outputs` values, f(shares of D by class, values).
  /// UsageError GRD-1060 where the learner has no leaves.
  template <class F>
  void set_leaves(Member& member, int outputs, F&& f) {
    fitter_->widen(member, outputs);
    std::vector<double> values(outputs);
    for (const Leaf& leaf : leaves()) {
      f(std::span<const double>(shares(leaf)), std::span(values));
      for (int k = 0; k < outputs; ++k) fitter_->set_leaf(member, leaf.id, k, values[k]);
    }
  }

 private:
  static constexpr std::int64_t kBlock = 4096;

  template <class F>
  void each_row(F&& f) const {
    parallel_for(rows(), kBlock, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) f(row);
    });
  }
  std::vector<std::int32_t> begin_member();
  std::unique_ptr<Member> fit_classes(int classes);
  std::unique_ptr<Member> fit_numbers();
  std::vector<Leaf> leaves() const;
  std::vector<double> shares(const Leaf& leaf) const;

  const AdaBoostFit& fit_;
  const LabelledRows& train_;
  const double* scores_;  // [outputs][rows]
  int outputs_;
  std::string_view algorithm_;
  std::unique_ptr<Fitter> fitter_;
  std::vector<std::uint32_t> all_rows_;
  const RowDistribution start_;  // by the sample weights
  RowDistribution distribution_;
  ClassStatistics class_statistics_;
  std::vector<float> g_, h_, weight_;
  Statistics statistics_;
  std::vector<double> chances_;  // [outputs][rows]
  std::uint32_t members_ = 0;    // fitted so far
};

}  // namespace gradatim::boost
