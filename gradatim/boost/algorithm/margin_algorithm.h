// What Real and Gentle AdaBoost share: the exponential loss, and K classes as K problems of one
// class (+1) against the others (-1), each with weights of its own (AdaBoost.MH).
//
// J(F) = mean over rows and outputs of e^{-y F}; its minimum is F = 1/2 ln(p/(1 - p)).
// Friedman, Hastie and Tibshirani (2000), algorithm 5 and result 5.
#pragma once

#include "gradatim/boost/algorithm/score_algorithm.h"

namespace gradatim::boost {

class MarginAlgorithm : public ScoreAlgorithm {
 public:
  using Interface = Algorithm;

  Members fit(RoundWork& work) const final {
    Members members;
    for (int k = 0; k < work.outputs(); ++k) {
      work.weigh([&](std::int64_t row) { return -work.sign(row, k) * work.score(row, k); });
      members.push_back(fit_output(work, k));
    }
    return members;
  }
  double loss(RoundWork& work) const override {
    double sum = 0.0;
    for (int k = 0; k < work.outputs(); ++k) {
      sum += work.mean(
          [&](std::int64_t row) { return math::exp(-work.sign(row, k) * work.score(row, k)); });
    }
    return sum / work.outputs();
  }
  void probabilities(std::span<const double> scores, int classes,
                     std::span<double> out) const override {
    one_vs_rest_probabilities(scores, classes, out);
  }

 protected:
  /// The member of one output, by D.
  virtual std::unique_ptr<Member> fit_output(RoundWork& work, int output) const = 0;
};

}  // namespace gradatim::boost
