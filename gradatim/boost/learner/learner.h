// Learner: what an ensemble adds every round.
//
// The life of a learner in a fit:
//  1. bin_options() says how the data must be binned, and the ensemble bins it once.
//  2. start() makes a Fitter, which owns every buffer of the fit.
//  3. Each round fit() sees statistics (gradients as integers) or fit_classes() sees weighted
//     classes, on the sampled rows and features, and gives a Member.
//  4. Where members are constant on groups of training rows, leaves() names the groups of the last
//     one and set_leaf() replaces their values (per-leaf optima); fit_slopes() then adds slopes.
//  5. store() and load() put members into a model file.
// Learners of your own derive from Learner; nothing else needs to know them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "gradatim/boost/bins/binned_data.h"
#include "gradatim/boost/learner/member.h"
#include "gradatim/boost/statistics.h"
#include "gradatim/core/safetensors.h"

namespace gradatim::boost {

struct FeatureRules;  // tree/growth.h

/// Weighted classes as integers: [rows] labels and weights, weight = lane * unit.
struct ClassStatistics {
  std::vector<std::int32_t> label;
  std::vector<std::int32_t> weight;
  double unit = 1.0;
  int classes = 2;
};

/// A group of training rows with one value.
struct Leaf {
  std::int32_t id = 0;
  std::span<const std::uint32_t> rows;
};

using Members = std::vector<std::unique_ptr<Member>>;

class Fitter {
 public:
  virtual ~Fitter() = default;
  /// `rows` and `features` are ascending; no rows are every row. The member's values are the
  /// learner's own step.
  virtual std::unique_ptr<Member> fit(const Statistics& statistics,
                                      std::span<const std::uint32_t> rows,
                                      std::span<const std::int32_t> features) = 0;
  /// The member predicts the index of a class.
  virtual std::unique_ptr<Member> fit_classes(const ClassStatistics& statistics,
                                              std::span<const std::uint32_t> rows,
                                              std::span<const std::int32_t> features) = 0;
  /// A member that predicts `outputs` numbers. Where the statistics are of others than these, of a
  /// sketch, its values are zero until fill_output() is called for each. UsageError GRD-1040 where
  /// the learner has none.
  virtual std::unique_ptr<Member> fit_vector(const VectorStatistics& statistics, int outputs,
                                             bool sketched, std::span<const std::uint32_t> rows,
                                             std::span<const std::int32_t> features);
  /// The last member's values of one output, from that output's statistics.
  virtual void fill_output(Member& /*member*/, int /*output*/,
                           const Statistics& /*statistics*/) const {}
  /// What the member's own random draws are functions of; said before each fit.
  virtual void draw_by(std::uint64_t /*seed*/, std::uint32_t /*draw*/) {}
  /// [features], of being drawn for a member; empty where all are equal.
  virtual std::span<const double> feature_weights() const { return {}; }
  /// Groups of the last member; empty where it has none.
  virtual std::vector<Leaf> leaves() const { return {}; }
  /// scores[row] += the last member's value of one output, for some rows of one of its leaves.
  /// Gives whether the size of all these scores is then below `limit`.
  virtual bool add_leaf(const Member& /*member*/, const Leaf& /*part*/, int /*output*/,
                        double /*limit*/, std::span<double> /*scores*/) const {
    return true;
  }
  virtual void set_leaf(Member& /*member*/, std::int32_t /*id*/, int /*output*/,
                        double /*value*/) const {}
  /// Gives every leaf of the last member room for so many values, to be set by set_leaf().
  virtual void widen(Member& /*member*/, int /*outputs*/) const {}
  /// Where the learner has linear leaves: gives those of the last member their slopes.
  /// `regularised` says whether their constants are.
  virtual void fit_slopes(Member& /*member*/, const Statistics& /*statistics*/,
                          bool /*regularised*/) {}
};

/// `rows`, or, where they are none and mean every row, all `count` of them, written to `all`.
std::span<const std::uint32_t> written_out(std::span<const std::uint32_t> rows, std::int64_t count,
                                           std::vector<std::uint32_t>& all);

/// What a learner may look at beyond the bins.
struct FitContext {
  const BinnedData* data = nullptr;
  const data::Table* table = nullptr;  // the features, raw
};

class Learner {
 public:
  static constexpr std::string_view kKind = "boost.learner";
  virtual ~Learner() = default;

  virtual BinOptions bin_options(std::int64_t rows) const = 0;
  virtual std::unique_ptr<Fitter> start(const FitContext& context) const = 0;
  /// The share of features that each member sees.
  virtual double colsample_bytree() const { return 1.0; }
  /// What its settings say of single features; nothing by default. UsageError where one is not
  /// there.
  virtual FeatureRules feature_rules(std::span<const FeatureBins> features) const;
  /// Whether several ranks fit a member together, each on a part of the rows, where bins are not
  /// exact.
  virtual bool joins_ranks() const { return false; }
  /// Whether leaves hold linear models, which ensembles ask for by Fitter::fit_slopes().
  virtual bool linear_leaves() const { return false; }

  virtual void store(std::span<const std::unique_ptr<Member>> members,
                     SafetensorsWriter& file) const = 0;
  /// ModelError GRD-3010 where an index, a child or a size is wrong.
  virtual Members load(const SafetensorsFile& file,
                       std::span<const FeatureBins> features) const = 0;
  /// Refuses loaded members that do not vote for one of `classes`, or, where that is 0, do not
  /// predict one number. ModelError GRD-3010.
  virtual void check_classes(const SafetensorsFile& file,
                             std::span<const std::unique_ptr<Member>> members,
                             int classes) const = 0;
  /// Adds to each feature's gain, cover and number of splits (all [features]).
  virtual void importances(std::span<const std::unique_ptr<Member>> /*members*/,
                           std::span<double> /*gain*/, std::span<double> /*cover*/,
                           std::span<double> /*count*/) const {}
};

}  // namespace gradatim::boost
