// Contributions of features to the scores of a sum of trees: tree by tree (tree_shap.h).
#include <algorithm>

#include "gradatim/boost/ensemble/ensemble_model.h"
#include "gradatim/boost/explain/tree_shap.h"
#include "gradatim/boost/tree/tree_member.h"
#include "gradatim/core/parallel.h"

namespace gradatim::boost {
namespace {

/// A strip's contributions to one score, and what they are made with.
struct StripValues {
  StripValues(const Forest& trees, std::int64_t features)
      : strip(features), asked(trees.features()), phi(features * kStrip) {}
  Strip strip;
  std::span<const std::int32_t> asked;
  std::vector<double> phi;  // [features][kStrip]
  TreeShap::Scratch scratch;

  void clear() {
    for (const std::int32_t f : asked) std::fill_n(phi.data() + f * kStrip, kStrip, 0.0);
  }
};

}  // namespace

std::vector<TreeShap> EnsembleModel::shaps(std::int64_t rounds) const {
  const auto count = rounds * parts_.members_per_round;
  std::vector<TreeShap> shaps;
  shaps.reserve(count);
  for (std::int64_t m = 0; m < count; ++m) {
    const Tree& tree = static_cast<const TreeMember&>(*parts_.members[m]).tree();
    if (tree.slopes.any()) cannot("has no contributions of features: its leaves are linear");
    shaps.emplace_back(tree);
  }
  return shaps;
}

data::Contributions EnsembleModel::contributions(const data::Table& table,
                                                 const data::PredictOptions& options) const {
  const Forest* trees = forest();
  if (trees == nullptr || !sums_members()) return Model::contributions(table, options);
  const Columns columns = columns_of(table, options);
  const auto shaps = this->shaps(rounds(options));
  const int width = state_columns();
  data::Contributions made{.outputs = width, .features = std::ssize(card_.features.columns)};
  const std::int64_t places = made.features + 1, row_size = width * places;
  made.values.resize(columns.rows * row_size);
  std::vector<double> expected(width);
  for (std::size_t m = 0; m < shaps.size(); ++m) {
    for (int j = 0; j < trees->outputs(); ++j) {
      expected[(m * trees->outputs() + j) % width] += shaps[m].expected(j);
    }
  }
  parallel_for(columns.rows, kStrip, [&](std::int64_t begin, std::int64_t end) {
    check_interrupt();
    StripValues values(*trees, std::ssize(columns.features));
    values.strip.rows = static_cast<int>(end - begin);
    for (const std::int32_t f : values.asked) {
      columns.features[f].read(begin, values.strip.column(f));
    }
    const std::vector<double> start = started(columns, begin, end - begin);
    double* rows = made.values.data() + begin * row_size;
    for (int k = 0; k < width; ++k) {
      values.clear();
      for (std::size_t m = 0; m < shaps.size(); ++m) {
        const int output = k - static_cast<int>(m) * trees->outputs() % width;
        if (output < 0 || output >= trees->outputs()) continue;
        shaps[m].add(values.strip, output, values.phi.data(), values.scratch);
      }
      for (std::int64_t i = 0; i < end - begin; ++i) {
        double* row = rows + i * row_size + k * places;
        row[made.features] = start[i * width + k] + expected[k];
        for (const std::int32_t f : values.asked) share_out(f, values.phi[f * kStrip + i], row);
      }
    }
    for (std::int64_t i = 0; i < end - begin; ++i)
      adjust_contributions(places, rows + i * row_size);
  });
  return made;
}

// To the feature, or in equal parts to those that a target statistic is made from.
void EnsembleModel::share_out(std::int32_t feature, double value, double* row) const {
  if (feature < std::ssize(card_.features.columns)) {
    row[feature] += value;
    return;
  }
  const auto& sources = parts_.features[feature].sources;
  for (const std::int32_t source : sources) {
    row[source] += value / static_cast<double>(sources.size());
  }
}

// As margins are, which are linear in them.  // row: [state_columns, places]
void EnsembleModel::adjust_contributions(std::int64_t places, double* row) const {
  std::vector<double> scores(state_columns());
  for (std::int64_t f = 0; f < places; ++f) {
    for (std::size_t k = 0; k < scores.size(); ++k) scores[k] = row[k * places + f];
    adjust_margins(scores.data());
    for (std::size_t k = 0; k < scores.size(); ++k) row[k * places + f] = scores[k];
  }
}

}  // namespace gradatim::boost
