#include "gradatim/boost/ensemble/additive_rounds.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "gradatim/boost/ensemble/sampling.h"
#include "gradatim/core/error.h"
#include "gradatim/core/parallel.h"
#include "gradatim/dist/collectives.h"

namespace gradatim::boost {

AdditiveRounds::AdditiveRounds(const AdditiveConfig& config, const Loss& loss,
                               const Learner& learner, const RoundRows& rows, const Grid& grid,
                               int outputs, std::uint64_t seed, std::vector<std::uint8_t> held_out)
    : config_(config),
      loss_(loss),
      learner_(learner),
      rows_(rows),
      grid_(grid),
      outputs_(outputs),
      trees_(config.vector_leaves ? 1 : outputs),
      width_(outputs / trees_),
      seed_(seed),
      held_out_(std::move(held_out)),
      fitter_(learner.start({rows.binned, &rows.train->data().features})),
      gradients_(config, loss, *rows.train, outputs, held_out_),
      sketch_(config.sketch, config.vector_leaves ? outputs : 1),
      outliers_(outputs) {
  if (learner.linear_leaves()) check_linear_leaves();
  for (std::size_t row = 0; row < held_out_.size(); ++row) {
    if (held_out_[row] == 0) learned_.push_back(static_cast<std::uint32_t>(row));
  }
}

void AdditiveRounds::check_linear_leaves() const {
  GRADATIM_CHECK(!config_.dropout.on(), UsageError, 1070,
                 "dropout rescales the values of leaves, and with linear_tree they are not fixed; "
                 "leave one out");
  GRADATIM_CHECK(!loss_.refits_leaves(), UsageError, 1071,
                 "linear_tree fits leaves to gradients and hessians, and this loss has leaves of "
                 "its own (quantiles, medians); take another loss, such as squared or "
                 "pseudo_huber, or leave linear_tree out");
  GRADATIM_CHECK(!config_.vector_leaves, UsageError, 1072,
                 "linear_tree has leaves of one output; use multi_strategy=one_output_per_tree");
}

void AdditiveRounds::begin_with(Members members, std::int64_t scaled, std::vector<double> weights,
                                std::vector<std::uint8_t> outliers) {
  members_ = std::move(members);
  loaded_ = static_cast<std::int64_t>(members_.size()) / members_per_round();
  scaled_ = scaled;
  weights_ = std::move(weights);
  if (config_.dropout.on() && weights_.empty()) weights_.assign(loaded_, 1.0);
  if (!outliers.empty()) outliers_ = std::move(outliers);
}

void AdditiveRounds::add_rounds(std::int64_t first, std::int64_t count) {
  if (config_.dropout.on()) {
    for (std::int64_t round = first; round < first + count; ++round) {
      const double to = factor(round, weights_[round]);
      rescale(round, *rows_.train, rows_.binned, 0.0, to);
      if (rows_.valid != nullptr) rescale(round, *rows_.valid, rows_.valid_bins, 0.0, to);
    }
    return;
  }
  const auto own =
      std::span(members_).subspan(first * members_per_round(), count * members_per_round());
  rows_.train->add_all(own, outputs_);
  if (rows_.valid != nullptr) rows_.valid->add_all(own, outputs_);
}

void AdditiveRounds::find_outliers(std::int64_t round) {
  gradients_.begin();
  const RowSample rows = sample(round, config_.num_parallel_tree - 1);
  weight_ = rows.weight.empty() ? rows_.train->data().weight : rows.weight;
  for (int tree = 0; tree < trees_; ++tree) quantise_tree(tree, round);
}

void AdditiveRounds::boost(std::int64_t round) {
  const std::int64_t parallel = config_.num_parallel_tree;
  const auto dropped = choose_drops(config_.dropout, weights_, seed_, round);
  const std::vector<double> before = weights_;
  drop(dropped);
  gradients_.begin();
  if (config_.dropout.on()) reweigh(config_.dropout, config_.learning_rate, dropped, weights_);
  Members fitted(members_per_round());
  const bool at_once = parallel == 1 && !config_.dropout.on();
  for (std::int64_t p = 0; p < parallel; ++p) {
    const RowSample rows = sample(round, p);
    weight_ = rows.weight.empty() ? rows_.train->data().weight : rows.weight;
    const bool every_row = rows.every;
    for (int tree = 0; tree < trees_; ++tree) {
      quantise_tree(tree, round);
      const auto draw = static_cast<std::uint32_t>((round * parallel + p) * trees_ + tree);
      auto& member = fitted[p * trees_ + tree];
      member = fit_member(tree, draw, rows.chosen());
      if (at_once) add(*member, tree, every_row);
    }
  }
  std::move(fitted.begin(), fitted.end(), std::back_inserter(members_));
  if (config_.dropout.on()) {
    restore(dropped, before);
    add_rounds(round, 1);
  } else if (!at_once) {
    for (int m = 0; m < members_per_round(); ++m) {
      add(*members_[round * members_per_round() + m], m % trees_, false);
    }
  }
  rows_.train->check_exact();
}

Members AdditiveRounds::take(std::int64_t rounds, std::span<const double> weights) {
  members_.resize(rounds * members_per_round());
  if (config_.dropout.on()) {
    for (std::int64_t m = 0; m < static_cast<std::int64_t>(members_.size()); ++m) {
      const std::int64_t round = m / members_per_round();
      members_[m]->shrink(factor(round, weights[round]), grid_);
    }
  }
  return std::move(members_);
}

// What a member's values count: the learning rate, shared among parallel trees, by the weight.
double AdditiveRounds::factor(std::int64_t round, double weight) const {
  if (round < scaled_) return weight;
  return config_.learning_rate * weight / static_cast<double>(config_.num_parallel_tree);
}

void AdditiveRounds::quantise_output(int k, std::uint32_t draw) {
  const bool wide = rows_.binned->exact() || config_.high_precision || outliers_[k] != 0;
  gradients_.quantise(k, weight_,
                      {.seed = seed_,
                       .draw = draw,
                       .force_wide = wide,
                       .constant_hessian = constant_hessian(),
                       .shard = shard()},
                      statistics_);
  outliers_[k] = statistics_.outliers;
}

// The statistics of a tree's outputs; with several, all of them are wide where one must be.
void AdditiveRounds::quantise_tree(int tree, std::int64_t round) {
  if (config_.vector_leaves) {
    const bool any = std::find(outliers_.begin(), outliers_.end(), 1) != outliers_.end();
    outliers_.assign(outputs_, any);
  }
  if (sketch_.on()) return quantise_sketch(round);
  for (int k = tree * width_; k < (tree + 1) * width_; ++k) {
    quantise_output(k, static_cast<std::uint32_t>(round * outputs_ + k));
    if (!config_.vector_leaves) continue;
    if (k == 0) vectors_.resize(rows_.train->rows(), outputs_, statistics_.wide);
    vectors_.set(k, statistics_);
  }
}

void AdditiveRounds::quantise_sketch(std::int64_t round) {
  const SampledGradients all = gradients_.all(weight_);
  const auto h = constant_hessian() ? std::span<const float>() : all.h;
  sketch_.make({all.g, h, weight_, all.rows, outputs_, shard()}, seed_,
               static_cast<std::uint32_t>(round));
  bool outliers = false;
  for (int j = 0; j < sketch_.outputs(); ++j) {
    quantise(sketch_.g(j), sketch_.h(j), weight_,
             {.seed = seed_,
              .draw = static_cast<std::uint32_t>(round * outputs_ + j),
              .force_wide = config_.high_precision || outliers_.front() != 0,
              .constant_hessian = constant_hessian(),
              .shard = shard()},
             statistics_);
    outliers = outliers || statistics_.outliers;
    if (j == 0) vectors_.resize(rows_.train->rows(), sketch_.outputs(), statistics_.wide);
    vectors_.set(j, statistics_);
  }
  outliers_.assign(outputs_, outliers);
}

RowSample AdditiveRounds::sample(std::int64_t round, std::int64_t parallel) const {
  const auto draw = static_cast<std::uint32_t>(round * config_.num_parallel_tree + parallel);
  if (!held_out_.empty()) return sample_learned(draw);
  SampledGradients gradients = gradients_.all(rows_.train->data().weight);
  gradients.shard = shard();
  return draw_rows(config_.sampling, gradients, seed_, draw);
}

// Of the rows that are not held out, as if there were no others.
RowSample AdditiveRounds::sample_learned(std::uint32_t draw) const {
  const auto gather = [&](std::span<const float> all, std::vector<float>& some) {
    for (const std::uint32_t row : learned_) some.push_back(all[row]);
  };
  std::vector<float> g, h, weight;
  for (int k = 0; k < outputs_; ++k) {
    gather(gradients_.g(k), g);
    gather(gradients_.h(k), h);
  }
  const std::span<const float> own = rows_.train->data().weight;
  if (!own.empty()) gather(own, weight);
  const auto count = static_cast<std::int64_t>(learned_.size());
  RowSample drawn = draw_rows(config_.sampling, {g, h, weight, count, outputs_}, seed_, draw);
  RowSample sample{.every = false};
  if (drawn.every) sample.rows = learned_;
  for (const std::uint32_t i : drawn.rows) sample.rows.push_back(learned_[i]);
  if (drawn.weight.empty()) return sample;
  sample.weight.assign(held_out_.size(), 0.0F);
  for (std::size_t i = 0; i < learned_.size(); ++i) sample.weight[learned_[i]] = drawn.weight[i];
  return sample;
}

std::unique_ptr<Member> AdditiveRounds::fit_member(int tree, std::uint32_t draw,
                                                   std::span<const std::uint32_t> rows) {
  const auto features =
      sample_features(static_cast<std::int32_t>(rows_.binned->features().size()),
                      learner_.colsample_bytree(), seed_, draw, fitter_->feature_weights());
  fitter_->draw_by(seed_, draw);
  auto member = config_.vector_leaves
                    ? fitter_->fit_vector(vectors_, outputs_, sketch_.on(), rows, features)
                    : fitter_->fit(statistics_, rows, features);
  if (sketch_.on() && !refits_leaves()) fill_outputs(*member);
  for (int j = 0; j < width_; ++j) refit_leaves(*member, tree * width_ + j, j);
  if (learner_.linear_leaves() && !members_.empty()) {  // LightGBM's first round has constants too
    fitter_->fit_slopes(*member, refits_leaves() ? step_statistics_ : statistics_,
                        !refits_leaves());
  }
  if (!config_.dropout.on()) {
    member->shrink(factor(loaded_, 1.0), grid_);
  } else {
    GRADATIM_CHECK(!member->needs_values(), UsageError, 1037,
                   "dropout rescales the leaves of trees, and the learner grows none; take another "
                   "learner, or rate_drop 0");
  }
  return member;
}

// Every output's own leaves, where splits were searched on a sketch.
void AdditiveRounds::fill_outputs(Member& member) {
  for (int k = 0; k < outputs_; ++k) {
    gradients_.quantise(
        k, weight_, {.force_wide = true, .constant_hessian = constant_hessian(), .shard = shard()},
        statistics_);
    fitter_->fill_output(member, k, statistics_);
  }
}

bool AdditiveRounds::refits_leaves() const {
  return loss_.refits_leaves() || (config_.first_order && !loss_.constant_hessian());
}

// Per-leaf optima: the loss's own, or (first order) a Newton step with its true hessians.
// `output` is the member's own number of output `k`.
void AdditiveRounds::refit_leaves(Member& member, int k, int output) {
  const auto leaves = fitter_->leaves();
  const bool newton_step = config_.first_order && !loss_.constant_hessian();
  if (leaves.empty() || !refits_leaves()) return;
  if (newton_step) {
    quantise(gradients_.g(k), gradients_.h(k), weight_, {.force_wide = true, .shard = shard()},
             step_statistics_);
  }
  const auto values = newton_step ? newton_values(leaves) : loss_values(leaves, k);
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    fitter_->set_leaf(member, leaves[i].id, output, values[i]);
  }
}

std::vector<double> AdditiveRounds::newton_values(std::span<const Leaf> leaves) const {
  std::vector<std::int64_t> sums(2 * leaves.size());  // g and h
  parallel_tasks(std::ssize(leaves), [&](std::int64_t i) {
    for (const std::uint32_t row : leaves[i].rows) {
      sums[2 * i] += step_statistics_.rows[row].fine.g;
      sums[2 * i + 1] += step_statistics_.rows[row].fine.h;
    }
  });
  shard().group->all_reduce(std::span(sums), dist::Reduction::sum);
  std::vector<double> values(leaves.size());
  // Scores of chances, whose links are at their ends by 40; others are in units of the label.
  const bool chances = loss_.task() == TaskKind::classification || loss_.predicts_chances();
  const double most = chances ? 1024.0 : std::numeric_limits<double>::infinity();
  const Units& unit = step_statistics_.fine_units;
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    const std::int64_t g = sums[2 * i], h = sums[2 * i + 1];
    if (h == 0) continue;
    // Where chances are 0 or 1 and wrong, h is next to nothing: any large step does.
    const double step = -(static_cast<double>(g) * unit.g) / (static_cast<double>(h) * unit.h);
    values[i] = std::clamp(step, -most, most);
  }
  return values;
}

// Adds the numbers of the other ranks to those of each part, all parts at once.
template <class Parts, class Numbers>
static void each_of_all_ranks(dist::Group& group, Parts& parts, const Numbers& numbers) {
  using T = std::remove_reference_t<decltype(numbers(parts[0]))>::value_type;
  std::vector<T> flat;
  std::vector<std::int64_t> sizes;
  for (auto& part : parts) {
    auto& own = numbers(part);
    sizes.push_back(std::ssize(own));
    flat.insert(flat.end(), own.begin(), own.end());
    own.clear();
  }
  const auto all = dist::gather_values<T>(group, flat);
  const auto all_sizes = dist::gather_values<std::int64_t>(group, sizes);
  auto at = all.begin();
  for (std::size_t i = 0; i < all_sizes.size(); ++i) {
    auto& own = numbers(parts[i % parts.size()]);
    own.insert(own.end(), at, at + all_sizes[i]);
    at += all_sizes[i];
  }
}

// Of the rows of all ranks; the order of rows means nothing to a loss.
std::vector<double> AdditiveRounds::loss_values(std::span<const Leaf> leaves, int k) const {
  const LabelledRows& data = rows_.train->data();
  const auto scores = rows_.train->output(k);
  const std::size_t first = data.targets > 1 ? k * scores.size() : 0;
  struct LeafRows {
    std::vector<float> label;
    std::vector<double> score;
    std::vector<float> weight;
  };
  std::vector<LeafRows> rows(leaves.size());
  parallel_tasks(std::ssize(leaves), [&](std::int64_t i) {
    for (const std::uint32_t row : leaves[i].rows) {
      rows[i].label.push_back(data.label[first + row]);
      rows[i].score.push_back(scores[row]);
      if (!weight_.empty()) rows[i].weight.push_back(weight_[row]);
    }
  });
  if (shard().split()) {
    each_of_all_ranks(
        *shard().group, rows, [](LeafRows & leaf) -> auto& { return leaf.label; });
    each_of_all_ranks(
        *shard().group, rows, [](LeafRows & leaf) -> auto& { return leaf.score; });
    each_of_all_ranks(
        *shard().group, rows, [](LeafRows & leaf) -> auto& { return leaf.weight; });
  }
  std::vector<double> values(leaves.size());
  parallel_tasks(std::ssize(leaves), [&](std::int64_t i) {
    values[i] = loss_.leaf_value({rows[i].label, rows[i].score, rows[i].weight, k});
  });
  return values;
}

// To the scores; the last member whose leaves hold every row, by these leaves.
void AdditiveRounds::add(const Member& member, int tree, bool every_row) {
  const int k = tree * width_;
  const auto leaves = fitter_->leaves();
  if (every_row && !leaves.empty()) {
    rows_.train->add_leaves(*fitter_, member, leaves, k);
  } else {
    rows_.train->add(member, rows_.binned, k);
  }
  if (rows_.valid != nullptr) rows_.valid->add(member, rows_.valid_bins, k);
}

void AdditiveRounds::drop(std::span<const std::int64_t> rounds) {
  for (const std::int64_t round : rounds) {
    rescale(round, *rows_.train, rows_.binned, factor(round, weights_[round]), 0.0);
  }
}

void AdditiveRounds::restore(std::span<const std::int64_t> rounds, std::span<const double> before) {
  for (const std::int64_t round : rounds) {
    const double to = factor(round, weights_[round]);
    rescale(round, *rows_.train, rows_.binned, 0.0, to);
    if (rows_.valid == nullptr) continue;
    rescale(round, *rows_.valid, rows_.valid_bins, factor(round, before[round]), to);
  }
}

void AdditiveRounds::rescale(std::int64_t round, ScoredRows& rows, const BinnedData* bins,
                             double from, double to) {
  for (int m = 0; m < members_per_round(); ++m) {
    rows.rescale(*members_[round * members_per_round() + m], round < loaded_ ? nullptr : bins,
                 m % trees_ * width_, from, to, grid_);
  }
}

}  // namespace gradatim::boost
