// The gradients of a round: made from scores, and turned into statistics.
//
// Where nothing but the statistics of one output is asked for, gradients are not kept: a block of
// them at a time goes from the loss into the statistics.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gradatim/boost/ensemble/additive_fit.h"
#include "gradatim/boost/ensemble/scored_rows.h"

namespace gradatim::boost {

class RoundGradients {
 public:
  /// `held_out` is empty, or not 0 for rows whose gradients are 0.
  RoundGradients(const AdditiveConfig& config, const Loss& loss, const ScoredRows& train,
                 int outputs, std::span<const std::uint8_t> held_out);

  /// A round begins: gradients are those at the scores of now, which stay until all are quantised.
  void begin();
  /// Of one output, where they are kept.  // [rows]
  std::span<const float> g(int k) const { return of_output(g_, k); }
  std::span<const float> h(int k) const { return of_output(h_, k); }
  /// Of all outputs; empty where they are not kept.
  SampledGradients all(std::span<const float> weight) const {
    return {g_, h_, weight, train_.rows(), outputs_};
  }
  /// Statistics of one output, with hessians of 1 where members are fitted to first order.
  void quantise(int k, std::span<const float> weight, const QuantiseOptions& options,
                Statistics& out) const;

 private:
  void make(std::int64_t begin, std::int64_t end, float* g, float* h) const;
  std::span<const float> of_output(const std::vector<float>& values, int k) const {
    return std::span(values).subspan(k * train_.rows(), train_.rows());
  }

  const AdditiveConfig& config_;
  const Loss& loss_;
  const ScoredRows& train_;
  int outputs_;
  std::span<const std::uint8_t> held_out_;
  bool kept_;
  std::vector<float> g_, h_;  // [outputs][rows]
};

}  // namespace gradatim::boost
