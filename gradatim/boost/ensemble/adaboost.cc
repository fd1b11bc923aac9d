// AdaBoost. D_1 uniform; for m = 1, 2, ...:
//   fit h_m on rows weighted by D_m (reweight) or drawn by D_m (resample)
//   e_m = sum D_m [h_m(x) != y]; stop at e_m >= 1 - 1/K
//   alpha_m = 1/2 (ln((1 - e_m)/e_m) + ln(K - 1)), times the learning rate
//   D_{m+1} proportional to D_m exp(-alpha_m) where h_m is right and D_m exp(alpha_m) where wrong
// For two classes this is Freund and Schapire's algorithm to the letter; for K it is SAMME, with
// half its alpha, which votes the same.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradatim/api/export.h"
#include "gradatim/boost/ensemble/row_distribution.h"
#include "gradatim/boost/ensemble/sampling.h"
#include "gradatim/boost/ensemble/scored_rows.h"
#include "gradatim/boost/ensemble/training_data.h"
#include "gradatim/boost/ensemble/vote_model.h"
#include "gradatim/boost/ensemble/watch.h"
#include "gradatim/core/error.h"
#include "gradatim/core/parallel.h"
#include "gradatim/data/convert.h"

namespace gradatim::boost {
namespace {

enum class Mode { reweight, resample };

struct AdaBoostConfig {
  std::int64_t n_estimators = 50;
  double learning_rate = 1.0;
  Mode mode = Mode::reweight;
  std::int32_t max_redraws = 10;
};

class AdaBoostFit {
 public:
  AdaBoostFit(const AdaBoostConfig& config, const Learner& learner, const data::FitRequest& request)
      : config_(config),
        request_(request),
        data_(prepare(request, data::TaskHint::classification)),
        options_(learner.bin_options(data_.train.rows())),
        binned_(data_.train.features, data_.train.weight, options_),
        distribution_(data_.train.rows(), data_.train.weight),
        fitter_(learner.start({&binned_, &data_.train.features, data_.train.label, request.seed})),
        features_(sample_features(static_cast<std::int32_t>(binned_.features().size()), 1.0, 0, 0)),
        wrong_(data_.train.rows()) {
    data_.train.features =
        data::align(data_.train.features, schema_of(data_.train.features, binned_.features()));
    statistics_.classes = data_.task.class_count();
    statistics_.label.assign(data_.train.label.begin(), data_.train.label.end());
    train_votes_.resize(data_.train.rows() * statistics_.classes);
  }

  /// Fits rounds until one of the rules stops; false from `watch` hears of each.
  void run() {
    const double classes = statistics_.classes;
    for (std::int64_t round = 0; round < config_.n_estimators; ++round) {
      check_interrupt();
      auto member = fit_member(round);
      if (!member) break;  // every draw had one class
      const double error = mark_wrong(*member);
      const bool useless = error >= 1.0 - 1.0 / classes;
      if (useless && round > 0) break;
      const double alpha = alpha_of(error, useless);
      add(std::move(member), alpha, error);
      report(round);
      if (useless || error <= 0.0) break;
      distribution_.tilt([&](std::int64_t row) { return wrong_[row] ? alpha : -alpha; });
    }
    GRADATIM_CHECK(!members_.empty(), DataError, 2029,
                   "{} draws in a row held a single class; use mode = reweight or more rows",
                   config_.max_redraws + 1);
  }

  std::shared_ptr<const data::Model> finish(const api::Settings& settings,
                                            std::shared_ptr<const Learner> learner) {
    data::ModelCard card;
    card.settings = settings;
    card.features = schema_of(data_.train.features, binned_.features());
    card.target = request_.target;
    card.classification = true;
    card.classes = data_.task.classes;
    card.notes = request_.notes;
    card.rounds = static_cast<std::int64_t>(members_.size());
    card.history = {{"train.error", errors_}, {"train.error_bound", bounds_}};
    EnsembleParts parts;
    parts.task = data_.task;
    parts.features.assign(binned_.features().begin(), binned_.features().end());
    parts.learner = std::move(learner);
    parts.members = std::move(members_);
    return std::make_shared<VoteModel>(std::move(card), std::move(parts), std::move(alpha_));
  }

 private:
  std::unique_ptr<Member> fit_member(std::int64_t round) {
    const auto rows = sample_rows(data_.train.rows(), 1.0, 0, 0);
    if (config_.mode == Mode::reweight) {
      statistics_.weight = distribution_.fixed_point(statistics_.unit);
      return fitter_->fit_classes(statistics_, rows, features_);
    }
    for (std::int32_t attempt = 0; attempt <= config_.max_redraws; ++attempt) {
      const auto number = static_cast<std::uint32_t>(round * (config_.max_redraws + 1) + attempt);
      statistics_.weight = distribution_.draw(request_.seed, number);
      statistics_.unit = 1.0;
      std::vector<std::uint32_t> drawn;
      std::vector<bool> seen(statistics_.classes);
      for (const std::uint32_t row : rows) {
        if (statistics_.weight[row] == 0) continue;
        drawn.push_back(row);
        seen[statistics_.label[row]] = true;
      }
      if (std::count(seen.begin(), seen.end(), true) < 2) continue;
      return fitter_->fit_classes(statistics_, drawn, features_);
    }
    return nullptr;
  }

  // The weighted error on the full set, whatever the member was fitted on.
  double mark_wrong(const Member& member) {
    predict_training(member, binned_, data_.train.features, votes_);
    for (std::int64_t row = 0; row < data_.train.rows(); ++row) {
      wrong_[row] = votes_[row] != double{data_.train.label[row]};
    }
    return distribution_.mean([&](std::int64_t row) { return wrong_[row] ? 1.0 : 0.0; });
  }

  // A perfect member outvotes all before it; the only member of a hopeless fit votes alone.
  double alpha_of(double error, bool useless) const {
    if (useless) return 1.0;
    if (error <= 0.0) {
      double sum = 1.0;
      for (const double alpha : alpha_) sum += alpha;
      return sum;
    }
    return config_.learning_rate * 0.5 *
           (math::log((1.0 - error) / error) + math::log(statistics_.classes - 1.0));
  }

  // The ensemble's training error, and for two classes the bound prod 2 sqrt(e (1 - e)) on it.
  void add(std::unique_ptr<Member> member, double alpha, double error) {
    members_.push_back(std::move(member));
    alpha_.push_back(alpha);
    const int classes = statistics_.classes;
    ExactSum wrong;
    ExactSum total;
    for (std::int64_t row = 0; row < data_.train.rows(); ++row) {
      double* votes = train_votes_.data() + row * classes;
      votes[static_cast<std::int64_t>(votes_[row])] += alpha;
      const auto best = std::max_element(votes, votes + classes) - votes;
      const double weight = data_.train.weight.empty() ? 1.0 : double{data_.train.weight[row]};
      total.add(weight);
      if (best != statistics_.label[row]) wrong.add(weight);
    }
    errors_.push_back(wrong.value() / total.value());
    // sum D exp(-alpha y h) over rows: at the optimal alpha it is 2 sqrt(e (1 - e)).
    bound_ *= error * math::exp(alpha) + (1.0 - error) * math::exp(-alpha);
    bounds_.push_back(bound_);
  }

  void report(std::int64_t round) {
    if (request_.observer == nullptr) return;
    StepDone event;
    event.step = round + 1;
    event.steps = config_.n_estimators;
    event.metrics = {{"train.error", errors_.back()}};
    request_.observer->on_step(event);
  }

  const AdaBoostConfig& config_;
  const data::FitRequest& request_;
  TrainingData data_;
  BinOptions options_;
  BinnedData binned_;
  RowDistribution distribution_;
  std::unique_ptr<Fitter> fitter_;
  std::vector<std::int32_t> features_;
  ClassStatistics statistics_;
  std::vector<double> votes_;        // of the last member
  std::vector<std::uint8_t> wrong_;  // of the last member
  std::vector<double> train_votes_;  // [rows, classes]
  Members members_;
  std::vector<double> alpha_, errors_, bounds_;
  double bound_ = 1.0;
};

class AdaBoost final : public data::Trainer {
 public:
  using Interface = data::Trainer;
  AdaBoost(const AdaBoostConfig& config, std::span<const api::Made> parts)
      : config_(config), learner_(std::static_pointer_cast<const Learner>(parts[0])) {}

  std::shared_ptr<const data::Model> fit(const data::FitRequest& request,
                                         const api::Settings& settings) const override {
    AdaBoostFit fit(config_, *learner_, request);
    fit.run();
    return fit.finish(settings, learner_);
  }

  std::shared_ptr<const data::Model> load(const SafetensorsFile& file,
                                          const data::ModelCard& card) const override {
    EnsembleParts parts;
    parts.task = {TaskKind::classification, card.classes};
    parts.features = features_of(card.features);
    parts.learner = learner_;
    parts.members = learner_->load(file, parts.features);
    auto alpha = file.read<double>("alpha");
    GRADATIM_CHECK(alpha.size() == parts.members.size() && !alpha.empty() &&
                       card.rounds == static_cast<std::int64_t>(alpha.size()),
                   ModelError, 3010, "{}: it has {} members and {} votes; it is damaged",
                   file.source(), parts.members.size(), alpha.size());
    learner_->check_classes(file, parts.members, static_cast<int>(card.classes.size()));
    return std::make_shared<VoteModel>(card, std::move(parts), std::move(alpha));
  }

 private:
  AdaBoostConfig config_;
  std::shared_ptr<const Learner> learner_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&AdaBoostConfig::n_estimators>(
        {.doc = "Rounds at most; a perfect member or one no better than chance stops the fit.",
         .range = api::between(1, 1000000),
         .unit = "rounds"}),
    api::setting<&AdaBoostConfig::learning_rate>(
        {.doc = "Factor on every alpha; 1 is the textbook.", .range = api::above(0.0)}),
    api::setting<&AdaBoostConfig::mode>(
        {.doc =
             "reweight gives the weak learner the weights D_m; resample gives it rows drawn by D_m "
             "with replacement."}),
    api::setting<&AdaBoostConfig::max_redraws>(
        {.doc = "Further draws where one holds a single class.", .range = api::between(0, 1000)}),
};

constexpr api::Part kParts[] = {
    {"learner", "boost.learner", "boost.learner.stump", "The weak learner."},
};

constexpr api::Text kText = {
    .name = "boost.adaboost",
    .aliases = "boost.samme",
    .summary = "Adaptive boosting of weak classifiers, for two classes or more.",
    .detail =
        "Its history holds the training error after each round and, for two classes, the bound "
        "on it.",
    .source =
        "Freund and Schapire (1997), A decision-theoretic generalization of on-line learning; "
        "Zhu, Zou, Rosset and Hastie (2009), Multi-class AdaBoost",
    .shape = "features: [rows, columns]; target: classes [rows]",
    .errors = "GRD-2022 the target has one class; GRD-2029 every draw held a single class",
    .tags = "classifier python:AdaBoost",
};

}  // namespace
}  // namespace gradatim::boost

GRADATIM_EXPORT(boost_ensemble_adaboost) =
    gradatim::api::component<gradatim::boost::AdaBoost, gradatim::boost::AdaBoostConfig>(
        gradatim::boost::kText, gradatim::boost::kSettings, gradatim::boost::kParts);
