// What fitted ensembles share: features matched by name, blocks of rows, evaluation, the file.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gradatim/boost/learner/learner.h"
#include "gradatim/boost/loss/loss.h"
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
};

class EnsembleModel : public data::Model {
 public:
  const data::ModelCard& card() const override { return card_; }
  data::Predictions predict(const data::Table& table,
                            const data::PredictOptions& options) const override;
  void predict_staged(
      const data::Table& table, const data::PredictOptions& options,
      const std::function<void(std::int64_t, const data::Predictions&)>& stage) const override;
  std::vector<std::pair<std::string, double>> evaluate(const data::Table& table,
                                                       const std::vector<std::string>& metrics,
                                                       const std::string& weight) const override;
  std::vector<data::Importance> importances() const override;
  std::string bytes() const override;

 protected:
  EnsembleModel(data::ModelCard card, EnsembleParts parts);

  /// Columns of what accumulate() keeps for a row, and of the finished predictions.
  virtual int state_columns() const = 0;
  virtual int prediction_columns(data::PredictKind kind) const = 0;
  /// Adds the members of round `round` to `state` [rows, state_columns].
  virtual void accumulate(const RowBlock& rows, std::int64_t round, double* state) const = 0;
  /// Turns states into predictions.
  virtual void finish(const double* state, std::int64_t rows, std::int64_t rounds,
                      data::PredictKind kind, double* out) const = 0;
  /// The states of no rounds.
  virtual void start(std::int64_t rows, double* state) const = 0;
  /// What it was fitted to, where that has a metric of its own.
  virtual const Loss* loss() const { return nullptr; }
  /// Arrays beyond the members.
  virtual void store_more(SafetensorsWriter& file) const = 0;

  const EnsembleParts& parts() const { return parts_; }
  std::int64_t rounds() const;

 private:
  struct Block;
  /// Rows that predict() takes at a time: all where a member is the caller's own code.
  std::int64_t block_rows(std::int64_t rows) const;
  void each_block(const data::Table& table, const data::PredictOptions& options,
                  const std::function<void(const Block&)>& f) const;

  data::ModelCard card_;
  EnsembleParts parts_;
};

/// Refuses numbers of a model file that are not finite. ModelError GRD-3010.
void check_finite(const SafetensorsFile& file, std::span<const double> numbers);
/// The features of a model file's schema, for loading members.
std::vector<FeatureBins> features_of(const data::Schema& schema);
/// The schema that a model keeps of its features: categories in order of bins.
data::Schema schema_of(const data::Table& features, std::span<const FeatureBins> bins);

}  // namespace gradatim::boost
