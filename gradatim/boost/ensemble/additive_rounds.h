// One round of gradient or Newton boosting after the other: gradients, members, scores.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "gradatim/boost/ensemble/additive_fit.h"
#include "gradatim/boost/ensemble/round_gradients.h"
#include "gradatim/boost/ensemble/scored_rows.h"

namespace gradatim::boost {

/// Rows that learn and rows that are watched, in every form that a round needs.
struct RoundRows {
  const BinnedData* binned = nullptr;
  ScoredRows* train = nullptr;
  ScoredRows* valid = nullptr;             // or null
  const BinnedData* valid_bins = nullptr;  // null: raw values
};

class AdditiveRounds {
 public:
  /// `held_out` is empty, or not 0 for rows of `rows.train` that are scored and not learned from.
  AdditiveRounds(const AdditiveConfig& config, const Loss& loss, const Learner& learner,
                 const RoundRows& rows, const Grid& grid, int outputs, std::uint64_t seed,
                 std::vector<std::uint8_t> held_out = {});

  /// Members [rounds][parallel][trees] that the fit begins with; the values of the first `scaled`
  /// rounds have the learning rate. Adds them to no scores.
  void begin_with(Members members, std::int64_t scaled, std::vector<double> weights,
                  std::vector<std::uint8_t> outliers);
  /// Members of rounds [first, first + count) are added to every score.
  void add_rounds(std::int64_t first, std::int64_t count);
  /// What fitting this round would have found out about outliers.
  void find_outliers(std::int64_t round);
  /// Fits round `round` and adds it to the scores: one member an output (or for all of them) and
  /// parallel tree, all of them fitted to the gradients at the scores before.
  void boost(std::int64_t round);

  const Members& members() const { return members_; }
  int members_per_round() const { return trees_ * static_cast<int>(config_.num_parallel_tree); }
  /// Of each output in the last round.
  const std::vector<std::uint8_t>& outliers() const { return outliers_; }
  /// With dropout, of each round.
  const std::vector<double>& weights() const { return weights_; }
  /// The first so many rounds' members, their values as they count; with dropout by these weights.
  Members take(std::int64_t rounds, std::span<const double> weights);

 private:
  double factor(std::int64_t round, double weight) const;
  void quantise_output(int k, std::uint32_t draw);
  void quantise_tree(int tree, std::int64_t round);
  void quantise_sketch(std::int64_t round);
  void fill_outputs(Member& member);
  void check_linear_leaves() const;
  const dist::Shard& shard() const { return rows_.binned->shard(); }
  bool constant_hessian() const { return config_.first_order || loss_.constant_hessian(); }
  /// Whether leaves take another value than that of their gradients and hessians.
  bool refits_leaves() const;
  RowSample sample(std::int64_t round, std::int64_t parallel) const;
  RowSample sample_learned(std::uint32_t draw) const;
  std::unique_ptr<Member> fit_member(int tree, std::uint32_t draw,
                                     std::span<const std::uint32_t> rows);
  void refit_leaves(Member& member, int k, int output);
  std::vector<double> newton_values(std::span<const Leaf> leaves) const;
  std::vector<double> loss_values(std::span<const Leaf> leaves, int k) const;
  void add(const Member& member, int tree, bool every_row);
  void drop(std::span<const std::int64_t> rounds);
  void restore(std::span<const std::int64_t> rounds, std::span<const double> before);
  void rescale(std::int64_t round, ScoredRows& rows, const BinnedData* bins, double from,
               double to);

  const AdditiveConfig& config_;
  const Loss& loss_;
  const Learner& learner_;
  RoundRows rows_;
  Grid grid_;
  int outputs_;
  int trees_;  // that share the outputs
  int width_;  // outputs of a tree
  std::uint64_t seed_;
  std::vector<std::uint8_t> held_out_;
  std::vector<std::uint32_t> learned_;  // the rows that are not held out, where some are
  std::unique_ptr<Fitter> fitter_;
  Members members_;
  std::int64_t loaded_ = 0;        // rounds whose members came from a file: no bins
  std::int64_t scaled_ = 0;        // rounds whose values have the learning rate
  std::vector<double> weights_;    // [rounds] with dropout
  std::span<const float> weight_;  // of the rows in this sample; empty or [rows]
  RoundGradients gradients_;
  Statistics statistics_;
  Statistics step_statistics_;
  VectorStatistics vectors_;
  OutputSketch sketch_;
  std::vector<std::uint8_t> outliers_;  // [outputs]
};

}  // namespace gradatim::boost
