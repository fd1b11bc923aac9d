// The votes that a set of rows has collected while an ensemble of classifiers grows.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gradatim/boost/ensemble/training_data.h"
#include "gradatim/boost/metric/metric.h"

namespace gradatim::boost {

/// The share of all ranks' rows that are marked, by weight.
double marked_share(std::span<const std::uint8_t> marked, const LabelledRows& rows);

class VotedRows {
 public:
  VotedRows(const LabelledRows& rows, int classes);

  /// `voted` [rows]: the class that a member chose for each row.
  void add(std::span<const double> voted, double alpha);
  /// The weighted share of rows whose winner is another class than theirs.
  double error() const { return marked_share(wrong_, rows_); }
  /// Labels and probabilities of all ranks' rows; valid until the next call.
  MetricInput metric_input();

 private:
  const LabelledRows& rows_;
  int classes_;
  std::vector<double> votes_;          // [rows, classes]
  std::vector<double> probabilities_;  // [rows, classes]
  std::vector<std::uint8_t> wrong_;    // [rows], with the votes so far
};

}  // namespace gradatim::boost
