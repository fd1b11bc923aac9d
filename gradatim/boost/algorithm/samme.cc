// SAMME: members vote for a class, each with a weight. D_1 uniform; for m = 1, 2, ...:
//   fit h_m on rows weighted by D_m (reweight) or drawn by D_m (resample)
//   e_m = sum D_m [h_m(x) != y]; stop at e_m >= 1 - 1/K (a first member
//     stays even so, with alpha_1 = 1, since an empty vote predicts nothing)
//   alpha_m = 1/2 (ln((1 - e_m)/e_m) + ln(K - 1)), times the learning rate
//   D_{m+1} proportional to D_m exp(-alpha_m) where h_m is right and D_m exp(alpha_m) where wrong
// For two classes this is Freund and Schapire's algorithm to the letter; for K it is SAMME, with
// half its alpha, which votes the same.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <optional>

#include "gradatim/api/export.h"
#include "gradatim/boost/algorithm/algorithm.h"
#include "gradatim/boost/ensemble/row_distribution.h"
#include "gradatim/boost/ensemble/sampling.h"
#include "gradatim/boost/ensemble/scored_rows.h"
#include "gradatim/boost/ensemble/vote_model.h"
#include "gradatim/boost/ensemble/voted_rows.h"
#include "gradatim/boost/row_choice.h"
#include "gradatim/core/error.h"

namespace gradatim::boost {
namespace {

class SammeRounds final : public Rounds {
 public:
  explicit SammeRounds(const AdaBoostFit& fit)
      : fit_(fit),
        train_(fit.data.train),
        distribution_(train_.rows(), train_.weight, train_.shard),
        fitter_(fit.learner->start({&*fit.data.binned, &train_.features})),
        rows_(sample_rows(train_.rows(), 1.0, 0, 0)),
        train_votes_(train_, fit.classes()),
        wrong_(static_cast<std::size_t>(train_.rows())) {
    if (fit.valid() != nullptr) valid_votes_.emplace(*fit.valid(), fit.classes());
    statistics_.classes = fit.classes();
    statistics_.label.assign(train_.label.begin(), train_.label.end());
  }

  Round boost(std::int64_t round) override {
    auto member = fit_member(round);
    if (!member) {  // every draw had one class
      GRADATIM_CHECK(round > 0, DataError, 2029,
                     "{} draws in a row held a single class; use mode = reweight or more rows",
                     fit_.config.max_redraws + 1);
      return Round::none;
    }
    error_ = mark_wrong(*member);
    const bool useless = error_ >= 1.0 - 1.0 / fit_.classes();
    if (useless && round > 0) return Round::none;
    const double alpha = alpha_of(useless);
    train_votes_.add(voted_, alpha);
    if (valid_votes_) vote_on_valid(*member, alpha);
    members_.push_back(std::move(member));
    alpha_.push_back(alpha);
    if (useless || error_ <= 0.0) return Round::added_last;
    reweigh(alpha);
    return Round::added;
  }

  void note(Watch& watch) override {
    watch.note("train.error", train_votes_.error());
    if (fit_.classes() != 2) return;
    // sum D exp(-alpha y h), which at the optimal alpha is 2 sqrt(e (1 - e)); their product bounds
    // the training error.
    bound_ *= error_ * math::exp(alpha_.back()) + (1.0 - error_) * math::exp(-alpha_.back());
    watch.note("train.error_bound", bound_);
  }

  MetricInput watched() override { return valid_votes_->metric_input(); }

  std::shared_ptr<const data::Model> finish(data::ModelCard card, EnsembleParts parts) override {
    members_.resize(card.rounds);
    alpha_.resize(card.rounds);
    parts.members = std::move(members_);
    return std::make_shared<VoteModel>(std::move(card), std::move(parts), std::move(alpha_));
  }

 private:
  std::unique_ptr<Member> fit_member(std::int64_t round) {
    const auto number = static_cast<std::uint32_t>(round);
    fitter_->draw_by(fit_.seed, number);
    const auto features = features_of_member(fit_, *fitter_, number);
    if (fit_.config.mode == WeightMode::reweight) {
      statistics_.unit = distribution_.fixed_point(statistics_.weight);
      return fitter_->fit_classes(statistics_, rows_, features);
    }
    const std::int64_t attempts = fit_.config.max_redraws + std::int64_t{1};
    for (std::int64_t attempt = 0; attempt < attempts; ++attempt) {
      const auto drawn = draw(static_cast<std::uint32_t>(round * attempts + attempt));
      if (!drawn) continue;
      return fitter_->fit_classes(statistics_, drawn->empty() ? no_row() : *drawn, features);
    }
    return nullptr;
  }

  // The rows that a draw hit, their hits in the statistics; none where they are all of one class.
  std::optional<std::vector<std::uint32_t>> draw(std::uint32_t number) {
    statistics_.weight = distribution_.draw(fit_.seed, number);
    statistics_.unit = 1.0;
    std::vector<std::uint32_t> drawn;
    std::vector<std::int64_t> seen(statistics_.classes);
    for (const std::uint32_t row : rows_) {
      if (statistics_.weight[row] == 0) continue;
      drawn.push_back(row);
      seen[statistics_.label[row]] = 1;
    }
    train_.shard.group->all_reduce(std::span(seen), dist::Reduction::max);
    if (std::count(seen.begin(), seen.end(), 1) < 2) return std::nullopt;
    return drawn;
  }

  // The weighted error on the full set, whatever the member was fitted on.
  double mark_wrong(const Member& member) {
    predict_training(member, *fit_.data.binned, train_.features, voted_);
    return distribution_.share([&](std::int64_t row) {
      wrong_[row] = voted_[row] != double{train_.label[row]};
      return wrong_[row] != 0;
    });
  }

  // A perfect member outvotes all before it; the only member of a hopeless fit votes alone.
  double alpha_of(bool useless) const {
    if (useless) return 1.0;
    if (error_ <= 0.0) return std::accumulate(alpha_.begin(), alpha_.end(), 1.0);
    return fit_.config.learning_rate * 0.5 *
           (math::log((1.0 - error_) / error_) + math::log(fit_.classes() - 1.0));
  }

  void vote_on_valid(const Member& member, double alpha) {
    if (fit_.data.valid_bins) {
      predict_training(member, *fit_.data.valid_bins, fit_.valid()->features, voted_);
    } else {
      predict_values(member, fit_.valid()->features, voted_);
    }
    valid_votes_->add(voted_, alpha);
  }

  // D exp(+-alpha) / Z, with the Z that follows from the error.
  void reweigh(double alpha) {
    const double up = math::exp(alpha);
    const double down = math::exp(-alpha);
    const double z = error_ * up + (1.0 - error_) * down;
    const double factor[] = {down / z, up / z};
    distribution_.multiply([&](std::int64_t row) { return factor[wrong_[row]]; });
  }

  const AdaBoostFit fit_;
  const LabelledRows& train_;
  RowDistribution distribution_;
  std::unique_ptr<Fitter> fitter_;
  std::vector<std::uint32_t> rows_;
  ClassStatistics statistics_;
  VotedRows train_votes_;
  std::optional<VotedRows> valid_votes_;
  std::vector<double> voted_;        // by the last member
  std::vector<std::uint8_t> wrong_;  // the last member
  double error_ = 0.0;               // of the last member
  Members members_;
  std::vector<double> alpha_;
  double bound_ = 1.0;
};

class Samme final : public Algorithm {
 public:
  using Interface = Algorithm;

  std::unique_ptr<Rounds> start(const AdaBoostFit& fit) const override {
    return std::make_unique<SammeRounds>(fit);
  }
  std::shared_ptr<const data::Model> load(const SafetensorsFile& file, const data::ModelCard& card,
                                          EnsembleParts parts) const override {
    parts.members = parts.learner->load(file, parts.features);
    auto alpha = file.read<double>("alpha");
    GRADATIM_CHECK(alpha.size() == parts.members.size() && !alpha.empty() &&
                       card.rounds == static_cast<std::int64_t>(alpha.size()),
                   ModelError, 3010, "{}: it has {} members and {} votes; it is damaged",
                   file.source(), parts.members.size(), alpha.size());
    check_finite(file, alpha);
    check_single(file, parts.members);
    parts.learner->check_classes(file, parts.members, parts.task.class_count());
    return std::make_shared<VoteModel>(card, std::move(parts), std::move(alpha));
  }
  std::string_view default_metric() const override { return "boost.metric.accuracy"; }
};

constexpr api::Text kText = {
    .name = "boost.algorithm.samme",
    .summary = "Members vote for classes; the weight of a vote follows from the member's error.",
    .detail = "For two classes it is Freund and Schapire's AdaBoost (Discrete AdaBoost).",
    .source =
        "Freund and Schapire (1997), A decision-theoretic generalization of on-line learning; "
        "Zhu, Zou, Rosset and Hastie (2009), Multi-class AdaBoost",
    .shape = "target: classes [rows]",
    .errors = "GRD-2029 every draw held a single class",
};

}  // namespace
}  // namespace gradatim::boost

GRADATIM_EXPORT(boost_algorithm_samme) =
    gradatim::api::component<gradatim::boost::Samme, gradatim::api::NoSettings>(
        gradatim::boost::kText);
