// The scores of a set of rows while an ensemble grows, and their update by its members.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "gradatim/boost/ensemble/training_data.h"
#include "gradatim/boost/learner/learner.h"
#include "gradatim/boost/loss/loss.h"
#include "gradatim/boost/metric/metric.h"

namespace gradatim::boost {

/// A member's value for every training row: by bins, or by raw values where it needs them.
void predict_training(const Member& member, const BinnedData& binned, const data::Table& features,
                      std::vector<double>& out);
/// A member's value for every row of aligned features.
void predict_values(const Member& member, const data::Table& features, std::vector<double>& out);
/// Calls `f(rows, first)` for blocks of aligned features, or, where `whole`, for all rows at once
/// on the caller's thread.
void each_row_block(const data::Table& features, bool whole,
                    const std::function<void(const RowBlock& rows, std::int64_t first)>& f);

class ScoredRows {
 public:
  /// Every score starts at the base score, plus the rows' margins, on the grid.
  ScoredRows(const LabelledRows& rows, std::span<const double> base_score, double grid_step);

  std::int64_t rows() const { return rows_.rows(); }
  const LabelledRows& data() const { return rows_; }
  /// Scores of one output.  // [rows]
  std::span<double> output(int k) { return std::span(scores_).subspan(k * rows(), rows()); }
  const double* scores() const { return scores_.data(); }

  /// Adds a member to every row, by bins or, where `binned` is null, by raw values; its first
  /// output is output `k`.
  void add(const Member& member, const BinnedData* binned, int k);
  /// The same with its values scaled by `to` instead of by `from`, on the grid; a scale of 0 is
  /// none.
  void rescale(const Member& member, const BinnedData* binned, int k, double from, double to,
               const Grid& grid);
  /// Adds members by raw values, reading every row once; the outputs take turns.
  void add_all(std::span<const std::unique_ptr<Member>> members, int outputs);
  /// Adds the fitter's last member, by leaves which together hold every row.
  void add_leaves(const Fitter& fitter, const Member& member, std::span<const Leaf> leaves, int k);
  /// Sums of grid values are exact below 2^52 steps. NumericError GRD-4002 where an output was
  /// beyond that, on any rank, after add(), rescale() or add_leaves() last changed it.
  void check_exact() const;

  /// Transformed scores of some rows.  // [rows, columns]
  std::vector<double> predictions(const Loss& loss, int outputs,
                                  std::span<const std::uint32_t> rows);
  /// Scores [rows, outputs] of a block to predictions [rows, columns].
  using Transform = std::function<void(std::span<const double> scores, std::span<double> out)>;
  /// Labels and transformed scores of all ranks' rows; valid until the next call.
  MetricInput metric_input(int outputs, int columns, const Transform& transform);
  MetricInput metric_input(const Loss& loss, int outputs);

 private:
  void predict(const Member& member, const BinnedData* binned);
  void begin_sums(int k, int outputs);
  void note(int k, bool exact);

  const LabelledRows& rows_;
  double limit_;                      // of exact sums
  std::vector<std::uint8_t> beyond_;  // [outputs], by the last sums
  std::vector<double> scores_;        // [outputs][rows]
  std::vector<double> predictions_;   // [rows, columns]
  std::vector<double> values_;        // of the last member
};

}  // namespace gradatim::boost
