// ScoreAlgorithm: members add real scores, F <- F + rate * f, and the weights follow from F alone.
//
// Two classes have one score, that of the second class; K have one each. An algorithm of this kind
// is a file of its own that says
//  - what members a round fits, given the scores before it (fit(), composed from RoundWork),
//  - how much of a member is added at full rate (step()),
//  - what the training rows lose (loss()), and the probabilities of scores.
// Rounds, model and file are written once, in score_rounds.cc and score_model.cc.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "gradatim/boost/algorithm/algorithm.h"
#include "gradatim/boost/algorithm/round_work.h"

namespace gradatim::boost {

class ScoreAlgorithm : public Algorithm, public std::enable_shared_from_this<ScoreAlgorithm> {
 public:
  static int outputs(int classes) { return classes == 2 ? 1 : classes; }

  std::unique_ptr<Rounds> start(const AdaBoostFit& fit) const final;
  std::shared_ptr<const data::Model> load(const SafetensorsFile& file, const data::ModelCard& card,
                                          EnsembleParts parts) const final;
  std::string_view default_metric() const override { return "boost.metric.log_loss"; }

  /// For messages: "gentle".
  virtual std::string_view name() const = 0;
  /// Outputs of a member; a round has outputs / width of them.
  virtual int width(int /*classes*/) const { return 1; }
  /// The members of a round, in order of outputs; full steps, not scaled.
  virtual Members fit(RoundWork& work) const = 0;
  virtual double step(int /*classes*/) const { return 1.0; }
  /// Whether scores mean what they are above the row's average.
  virtual bool centred(int /*classes*/) const { return false; }
  /// The mean over training rows of what the algorithm lowers.
  virtual double loss(RoundWork& work) const = 0;
  /// Scores [rows, outputs] to probabilities [rows, classes].
  virtual void probabilities(std::span<const double> scores, int classes,
                             std::span<double> out) const = 0;
};

/// p = 1/(1 + e^{-2 F}) for two classes; for more that of each class against the others, over their
/// sum.
void one_vs_rest_probabilities(std::span<const double> scores, int classes, std::span<double> out);
/// p_k proportional to e^{scale F_k}.
void softmax_probabilities(std::span<const double> scores, int classes, double scale,
                           std::span<double> out);

}  // namespace gradatim::boost
