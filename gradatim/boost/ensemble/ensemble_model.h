// What fitted ensembles share: features matched by name, blocks of rows, evaluation, the file.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "gradatim/boost/category/target_statistics.h"
#include "gradatim/boost/learner/learner.h"
#include "gradatim/boost/loss/loss.h"
#include "gradatim/boost/predict/forest.h"
#include "gradatim/boost/task.h"
#include "gradatim/data/model.h"

namespace gradatim::boost {

/// Members of an ensemble and how their features are binned; rounds come one after the other, each
/// with `members_per_round` members.
struct EnsembleParts {
  Task task;
  std::vector<FeatureBins> features;  // names, types and categories; cuts only while training
  std::shared_ptr<const Learner> learner;
  Members members;
  int members_per_round = 1;
  std::shared_ptr<const TargetStatistics> statistics;  // the last features, or null
};

/// A strip of rows, the trees that are asked about it, and what they keep of it.
struct TreeRows {
  const Forest& trees;
  const Strip& strip;
  Forest::Scratch& scratch;
};

class EnsembleModel : public data::Model {
 public:
  const data::ModelCard& card() const override { return card_; }
  data::Predictions predict(const data::Table& table,
                            const data::PredictOptions& options) const override;
  void predict_staged(
      const data::Table& table, const data::PredictOptions& options,
      const std::function<void(std::int64_t, const data::Predictions&)>& stage) const override;
  /// Where every member is a tree, scores are sums and there are no target statistics, this
  /// allocates nothing. UsageError GRD-1043 where the model was fitted with base margins.
  std::int64_t predict_row(std::span<const double> features, std::span<double> out,
                           data::PredictKind kind) const override;
  std::vector<std::pair<std::string, double>> evaluate(const data::Table& table,
                                                       const std::vector<std::string>& metrics,
                                                       const std::string& weight) const override;
  std::vector<std::pair<std::string, double>> evaluate_ranks(
      dist::Group& group, const data::Table& table, const std::vector<std::string>& metrics,
      const std::string& weight) const override;
  data::Contributions contributions(const data::Table& table,
                                    const data::PredictOptions& options) const override;
  data::Contributions interactions(const data::Table& table,
                                   const data::PredictOptions& options) const override;
  std::vector<data::Importance> importances() const override;
  std::string bytes() const override;

 protected:
  EnsembleModel(data::ModelCard card, EnsembleParts parts);

  /// Columns of what accumulate() keeps for a row, and of the finished predictions.
  virtual int state_columns() const = 0;
  virtual int prediction_columns(data::PredictKind kind) const = 0;
  /// Adds the members of round `round` to `state` [rows, state_columns].
  virtual void accumulate(const RowBlock& rows, std::int64_t round, double* state) const = 0;
  /// The same for rounds [first, last) of an ensemble of trees: of a strip of rows, and of one row
  /// of features.  // state: Forest::sums(state_columns), [state_columns]
  virtual void accumulate_trees(const TreeRows& rows, std::int64_t first, std::int64_t last,
                                double* state) const = 0;
  virtual void accumulate_row(const Forest& trees, const double* features, std::int64_t first,
                              std::int64_t last, double* state) const = 0;
  /// Turns states into predictions.
  virtual void finish(const double* state, std::int64_t rows, std::int64_t rounds,
                      data::PredictKind kind, double* out) const = 0;
  /// Whether a state is the sum of what members predict, in turns over the columns.
  virtual bool sums_members() const { return false; }
  /// Whether finish() does something to the margins of a row, which must be linear, and that.
  // values: [state_columns]
  virtual bool adjusts_margins() const { return false; }
  virtual void adjust_margins(double* /*values*/) const {}
  /// The states of no rounds.
  virtual void start(std::int64_t rows, double* state) const = 0;
  /// What it was fitted to, where that has a metric of its own.
  virtual const Loss* loss() const { return nullptr; }
  /// Arrays beyond the members.
  virtual void store_more(SafetensorsWriter& file) const = 0;

  const EnsembleParts& parts() const { return parts_; }
  std::int64_t rounds() const;

 private:
  struct Columns {
    std::vector<data::Column> features;
    std::vector<data::Column> margins;
    std::int64_t rows = 0;
  };
  struct StripRows;
  /// That the options ask for.
  std::int64_t rounds(const data::PredictOptions& options) const;
  /// UsageError GRD-1043 where the model was fitted with base margins and none are given.
  void check_margins(std::size_t given) const;
  /// The model's features and the base margins; UsageError GRD-1020, GRD-1043.
  Columns columns_of(const data::Table& table, const data::PredictOptions& options) const;
  /// States of no rounds and base margins of rows [begin, begin + rows).  // [rows, state_columns]
  std::vector<double> started(const Columns& columns, std::int64_t begin, std::int64_t rows) const;
  void load(const Columns& columns, const Forest& trees, std::int64_t begin, StripRows& rows) const;
  void finish_strip(const StripRows& rows, const Forest& trees, std::int64_t rounds,
                    data::PredictKind kind, double* out) const;

  void predict_trees(const Columns& columns, const Forest& trees, std::int64_t rounds,
                     data::PredictKind kind, data::Predictions& predictions) const;
  void predict_members(const Columns& columns, std::int64_t rounds, data::PredictKind kind,
                       data::Predictions& predictions) const;
  using Stage = std::function<void(std::int64_t, const data::Predictions&)>;
  void stage_trees(const Columns& columns, const Forest& trees, data::PredictKind kind,
                   data::Predictions& predictions, const Stage& stage) const;
  void stage_members(const Columns& columns, data::PredictKind kind, data::Predictions& predictions,
                     const Stage& stage) const;
  /// Rows that members other than trees take at a time: all where they are the caller's own code.
  std::int64_t block_rows(std::int64_t rows) const;
  /// Trees with constant leaves that add up to the scores. UsageError GRD-1162.
  const Forest& explained() const;
  RowBlock block_of(const Columns& columns, std::int64_t begin, std::int64_t rows) const;

  /// The members as a forest, made when it is first asked for; null where one is no tree.
  const Forest* forest() const;

  data::ModelCard card_;
  EnsembleParts parts_;
  mutable std::once_flag forest_made_;
  mutable std::unique_ptr<const Forest> forest_;
};

/// Refuses numbers of a model file that are not finite. ModelError GRD-3010.
void check_finite(const SafetensorsFile& file, std::span<const double> numbers);
/// Refuses members of a model file that predict several numbers a row. ModelError GRD-3010.
void check_single(const SafetensorsFile& file, const Members& members);
/// The features of a model file's schema, for loading members.
std::vector<FeatureBins> features_of(const data::Schema& schema,
                                     const TargetStatistics* statistics = nullptr);
/// The schema that a model keeps of its features: categories in order of bins.
data::Schema schema_of(const data::Table& features, std::span<const FeatureBins> bins);

}  // namespace gradatim::boost
