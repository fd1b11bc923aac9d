#include "gradatim/boost/ensemble/held_out_fit.h"

#include "gradatim/boost/ensemble/additive_rounds.h"
#include "gradatim/boost/ensemble/shard_data.h"
#include "gradatim/boost/metric/find.h"
#include "gradatim/boost/tree/growth.h"
#include "gradatim/core/error.h"

namespace gradatim::boost {
namespace {

using Indices = std::vector<std::uint32_t>;

Indices rows_where(const std::vector<std::uint8_t>& held_out, bool held) {
  Indices rows;
  for (std::size_t row = 0; row < held_out.size(); ++row) {
    if ((held_out[row] != 0) == held) rows.push_back(static_cast<std::uint32_t>(row));
  }
  return rows;
}

template <class T>
std::vector<T> gather(const std::vector<T>& all, const Indices& rows) {
  std::vector<T> some;
  if (all.empty()) return some;
  for (const std::uint32_t row : rows) some.push_back(all[row]);
  return some;
}

// Of columns that lie one after the other.
std::vector<float> gather_columns(const std::vector<float>& all, const Indices& rows, int columns) {
  const std::size_t size = all.size() / static_cast<std::size_t>(columns);
  std::vector<float> some;
  for (int k = 0; k < columns; ++k) {
    for (const std::uint32_t row : rows) some.push_back(all[k * size + row]);
  }
  return some;
}

class HeldOutFit final : public data::SteppedFit {
 public:
  HeldOutFit(const AdditiveConfig& config, std::shared_ptr<const Loss> loss,
             std::shared_ptr<const Learner> learner, std::shared_ptr<const AdditiveData> data,
             const data::FitRequest& request, std::vector<std::uint8_t> held_out)
      : config_(config),
        loss_(std::move(loss)),
        learner_(std::move(learner)),
        data_(std::move(data)),
        train_(data_->train),
        outputs_(loss_->outputs(data_->task)),
        metrics_(metrics_of(request)),
        watched_(rows_where(held_out, true)),
        label_(gather_columns(data_->train.label, watched_, data_->task.targets)),
        weight_(gather(data_->train.weight, watched_)) {
    const Indices learned = rows_where(held_out, false);
    LabelledRows rows;
    rows.label = gather_columns(data_->train.label, learned, data_->task.targets);
    rows.weight = gather(data_->train.weight, learned);
    rows.base_margin = data_->train.base_margin;
    loss_->check(data_->task, rows.label);
    rows.weight = balanced(config_.balance, request.class_weights, data_->task, rows.label,
                           std::move(rows.weight));
    weigh(learned, rows.weight);
    if (config_.statistics.on()) add_statistics(request, held_out);
    const Grid grid = grid_of(*loss_, rows.label, data_->task.targets);
    scores_.emplace(train_, base_score_of(*loss_, data_->task, rows, grid), grid.step);
    rounds_.emplace(config_, *loss_, *learner_,
                    RoundRows{own_bins_ ? &*own_bins_ : &*data_->binned, &*scores_}, grid, outputs_,
                    request.seed, std::move(held_out));
  }

  void step() override { rounds_->boost(round_++); }

  std::vector<std::pair<std::string, double>> held_out() override {
    const auto predictions = scores_->predictions(*loss_, outputs_, watched_);
    const MetricInput input{label_, predictions, loss_->predictions(outputs_), weight_,
                            data_->task.targets};
    std::vector<std::pair<std::string, double>> values;
    for (const auto& metric : metrics_) values.emplace_back(metric->short_name(), (*metric)(input));
    return values;
  }

  bool maximises() const override { return metrics_.front()->maximise(); }

 private:
  // Held-out rows count nothing while learning.
  void weigh(const Indices& learned, const std::vector<float>& weight) {
    train_.weight.assign(weight.empty() ? 0 : train_.rows(), 0.0F);
    for (std::size_t i = 0; i < weight.size(); ++i) train_.weight[learned[i]] = weight[i];
  }

  // The held-out rows have statistics of the others' targets, so every fit has columns of its own.
  void add_statistics(const data::FitRequest& request, std::span<const std::uint8_t> held_out) {
    const auto fitted = fit_statistics({.config = config_.statistics,
                                        .task = data_->task,
                                        .features = data_->train.features,
                                        .rules = rules_of(*learner_, data_->train.features),
                                        .label = train_.label,
                                        .weight = train_.weight,
                                        .held_out = held_out,
                                        .seed = request.seed});
    if (fitted.statistics == nullptr) return;
    const auto sources = fitted.statistics->sources();
    train_.features =
        with_columns(train_.features, fitted.columns,
                     fitted.statistics->names(fitted.schema, data_->task, request.target_names()));
    BinOptions options = seeded(learner_->bin_options(train_.rows()), request.seed);
    options.sources = sources;
    own_bins_.emplace(train_.features, data_->train.weight, options);
  }

  std::vector<std::shared_ptr<const Metric>> metrics_of(const data::FitRequest& request) const {
    auto names = request.metrics;
    if (names.empty()) names.emplace_back(loss_->default_metric());
    const int columns = loss_->predictions(outputs_) / data_->task.targets;
    return find_metrics(names, {data_->task, columns, loss_.get()}, request.own_metrics);
  }

  const AdditiveConfig config_;
  std::shared_ptr<const Loss> loss_;
  std::shared_ptr<const Learner> learner_;
  std::shared_ptr<const AdditiveData> data_;
  LabelledRows train_;  // with the weights of this fit
  int outputs_;
  std::vector<std::shared_ptr<const Metric>> metrics_;
  Indices watched_;
  std::vector<float> label_, weight_;   // of the watched rows
  std::optional<BinnedData> own_bins_;  // with target statistics
  std::optional<ScoredRows> scores_;
  std::optional<AdditiveRounds> rounds_;
  std::int64_t round_ = 0;
};

}  // namespace

std::shared_ptr<const data::PreparedData> prepare_additive(const Loss* loss, const Learner& learner,
                                                           const data::FitRequest& request) {
  require_one_process(request, "folds are fitted by one process");
  auto data = std::make_shared<AdditiveData>(request, loss);
  data->bin(learner, request.seed);
  return data;
}

std::unique_ptr<data::SteppedFit> start_additive(const AdditiveConfig& config,
                                                 std::shared_ptr<const Loss> loss,
                                                 std::shared_ptr<const Learner> learner,
                                                 std::shared_ptr<const data::PreparedData> data,
                                                 const data::FitRequest& request,
                                                 std::vector<std::uint8_t> held_out) {
  auto own = std::static_pointer_cast<const AdditiveData>(std::move(data));
  if (!loss) loss = automatic_loss(own->task);
  return std::make_unique<HeldOutFit>(config, std::move(loss), std::move(learner), std::move(own),
                                      request, std::move(held_out));
}

}  // namespace gradatim::boost
