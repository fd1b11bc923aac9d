// Contributions of features, and of pairs of them, to the scores of a sum of trees: tree by tree
// (tree_shap.h). What was split on a target statistic is of the features that it is made from, in
// equal parts.
#include <algorithm>
#include <functional>
#include <numeric>
#include <optional>
#include <span>
#include <vector>

#include "gradatim/boost/ensemble/ensemble_model.h"
#include "gradatim/boost/explain/tree_shap.h"
#include "gradatim/boost/tree/tree_member.h"
#include "gradatim/core/parallel.h"

namespace gradatim::boost {
namespace {

/// Trees in turns over the scores, and what their features stand for. Only features that a tree
/// asks for have places in buffers; batches of trees bound what is kept of them.
class Explainer {
 public:
  Explainer(const Forest& forest, std::span<const std::unique_ptr<Member>> members, int scores,
            std::span<const FeatureBins> features, std::int64_t columns, TreeShap::Of of)
      : forest_(forest),
        members_(members),
        scores_(scores),
        columns_(columns),
        of_(of),
        places_(features.size()) {
    for (const std::int32_t f : forest.features()) {
      places_[f] = static_cast<std::int32_t>(sources_.size());
      sources_.push_back(f < columns ? std::vector{f} : features[f].sources);
    }
  }

  /// Of contributions to a score: the columns, and the base value.
  std::int64_t numbers() const { return columns_ + 1; }

  /// Makes the next trees ready; false where there are no more.
  bool next() {
    constexpr std::int64_t kMost = 1 << 23;  // doubles
    first_ += std::ssize(trees_);
    trees_.clear();
    std::int64_t count = 0, size = 0;
    for (; first_ + count < std::ssize(members_) && size < kMost; ++count) {
      size += TreeShap::size_of(tree(first_ + count));
    }
    trees_.resize(count);
    parallel_tasks(count, [&](std::int64_t i) {
      check_interrupt();
      trees_[i].emplace(tree(first_ + i), places_, of_);
    });
    return count > 0;
  }

  double expected(int score) const {
    double sum = 0.0;
    each_tree(score, [&](const TreeShap& tree, int output) { sum += tree.expected(output); });
    return sum;
  }

  Strip strip(std::span<const data::Column> columns, std::int64_t begin, std::int64_t end) const {
    Strip strip(std::ssize(columns));
    strip.rows = static_cast<int>(end - begin);
    for (const std::int32_t f : forest_.features()) columns[f].read(begin, strip.column(f));
    return strip;
  }

  /// Adds contributions to one score; a row's lie so far apart.  // out: [rows][numbers]
  void explain(const Strip& strip, int score, std::int64_t row_size, double* out) const {
    TreeShap::Scratch scratch;
    std::vector<double> phi(sources_.size() * kStrip);
    each_tree(score, [&](const TreeShap& tree, int output) {
      tree.add(strip, output, phi.data(), scratch);
    });
    for (std::size_t p = 0; p < sources_.size(); ++p) {
      const double part = 1.0 / static_cast<double>(sources_[p].size());
      for (const std::int32_t s : sources_[p]) {
        for (int i = 0; i < strip.rows; ++i) out[i * row_size + s] += part * phi[p * kStrip + i];
      }
    }
  }

  /// Adds half of what pairs do together on either side of the diagonal; at most TreeShap::kRows
  /// rows.  // out: [rows][numbers, numbers]
  void explain_pairs(const Strip& strip, int score, std::int64_t row_size, double* out) const {
    TreeShap::Scratch scratch;
    const std::size_t places = sources_.size();
    std::vector<double> pairs(places * places * TreeShap::kRows);
    each_tree(score, [&](const TreeShap& tree, int output) {
      tree.add_pairs(strip, 0, output, pairs.data(), scratch);
    });
    for (std::size_t a = 0; a < places; ++a) {
      for (std::size_t b = a + 1; b < places; ++b) {
        const double* pair = pairs.data() + (a * places + b) * TreeShap::kRows;
        for (int i = 0; i < strip.rows; ++i) share_out(a, b, pair[i] / 2, out + i * row_size);
      }
    }
  }

 private:
  const Tree& tree(std::int64_t member) const {
    return static_cast<const TreeMember&>(*members_[member]).tree();
  }

  template <class F>
  void each_tree(int score, const F& f) const {
    const std::int64_t outputs = forest_.outputs();
    for (std::int64_t i = 0; i < std::ssize(trees_); ++i) {
      const auto output = score - (first_ + i) * outputs % scores_;
      if (output < 0 || output >= outputs) continue;
      check_interrupt();
      f(*trees_[i], static_cast<int>(output));
    }
  }

  void share_out(std::size_t a, std::size_t b, double value, double* matrix) const {
    const double part = value / static_cast<double>(sources_[a].size() * sources_[b].size());
    for (const std::int32_t s : sources_[a]) {
      for (const std::int32_t t : sources_[b]) {
        if (s == t) continue;
        matrix[s * numbers() + t] += part;
        matrix[t * numbers() + s] += part;
      }
    }
  }

  const Forest& forest_;
  std::span<const std::unique_ptr<Member>> members_;
  int scores_;
  std::int64_t columns_;
  TreeShap::Of of_;
  std::vector<std::int32_t> places_;                // [features]
  std::vector<std::vector<std::int32_t>> sources_;  // [places] columns
  std::int64_t first_ = 0;                          // of the trees that are ready
  std::vector<std::optional<TreeShap>> trees_;
};

// Does to every number of a row what is done to its margins.  // row: [scores, numbers]
void adjust(const std::function<void(double*)>& margins, int scores, std::int64_t numbers,
            double* row) {
  std::vector<double> own(scores);
  for (std::int64_t i = 0; i < numbers; ++i) {
    for (int k = 0; k < scores; ++k) own[k] = row[k * numbers + i];
    margins(own.data());
    for (int k = 0; k < scores; ++k) row[k * numbers + i] = own[k];
  }
}

// Rows of a task: a strip, or less where there would be fewer tasks than threads want.
std::int64_t rows_a_task(std::int64_t rows, std::int64_t most) {
  const std::int64_t even = rows / (4 * current_threads());
  return std::clamp<std::int64_t>(even / TreeShap::kRows * TreeShap::kRows, TreeShap::kRows, most);
}

}  // namespace

// Where there are such, the forest that they are of.
const Forest& EnsembleModel::explained() const {
  if (forest() == nullptr || !sums_members()) {
    cannot("has no contributions of features: it is no sum of trees");
  }
  for (const auto& member : parts_.members) {
    if (!static_cast<const TreeMember&>(*member).tree().slopes.any()) continue;
    cannot("has no contributions of features: its leaves are linear");
  }
  return *forest();
}

data::Contributions EnsembleModel::contributions(const data::Table& table,
                                                 const data::PredictOptions& options) const {
  const Forest& trees = explained();
  const Columns columns = columns_of(table, options);
  const auto members = std::span(parts_.members).first(rounds(options) * parts_.members_per_round);
  const int scores = state_columns();
  Explainer explainer(trees, members, scores, parts_.features, std::ssize(card_.features.columns),
                      TreeShap::Of::features);
  const std::int64_t numbers = explainer.numbers(), row_size = scores * numbers;
  data::Contributions made{.outputs = scores, .features = numbers - 1};
  made.values.resize(columns.rows * row_size);
  const auto each_rows = [&](const auto& f) {
    parallel_for(columns.rows, rows_a_task(columns.rows, kStrip),
                 [&](std::int64_t begin, std::int64_t end) {
                   f(begin, end, made.values.data() + begin * row_size);
                 });
  };
  each_rows([&](std::int64_t begin, std::int64_t end, double* out) {
    const std::vector<double> start = started(columns, begin, end - begin);
    for (std::size_t i = 0; i < start.size(); ++i) out[(i + 1) * numbers - 1] = start[i];
  });
  while (explainer.next()) {
    each_rows([&](std::int64_t begin, std::int64_t end, double* out) {
      const Strip strip = explainer.strip(columns.features, begin, end);
      for (int k = 0; k < scores; ++k) {
        explainer.explain(strip, k, row_size, out + k * numbers);
        const double expected = explainer.expected(k);
        for (std::int64_t i = 0; i < end - begin; ++i) {
          out[i * row_size + (k + 1) * numbers - 1] += expected;
        }
      }
    });
  }
  if (!adjusts_margins()) return made;
  each_rows([&](std::int64_t begin, std::int64_t end, double* out) {
    for (std::int64_t i = 0; i < end - begin; ++i) {
      adjust([&](double* own) { adjust_margins(own); }, scores, numbers, out + i * row_size);
    }
  });
  return made;
}

data::Contributions EnsembleModel::interactions(const data::Table& table,
                                                const data::PredictOptions& options) const {
  const data::Contributions single = contributions(table, options);
  const Columns columns = columns_of(table, options);
  const auto members = std::span(parts_.members).first(rounds(options) * parts_.members_per_round);
  Explainer explainer(explained(), members, single.outputs, parts_.features, single.features,
                      TreeShap::Of::pairs);
  const std::int64_t numbers = explainer.numbers(), size = numbers * numbers;
  const std::int64_t row_size = single.outputs * size;
  data::Contributions made{.outputs = single.outputs, .features = single.features};
  made.values.resize(columns.rows * row_size);
  while (explainer.next()) {
    parallel_for(columns.rows, TreeShap::kRows, [&](std::int64_t begin, std::int64_t end) {
      const Strip strip = explainer.strip(columns.features, begin, end);
      double* out = made.values.data() + begin * row_size;
      for (int k = 0; k < single.outputs; ++k) {
        explainer.explain_pairs(strip, k, row_size, out + k * size);
      }
    });
  }
  parallel_for(columns.rows, TreeShap::kRows, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      double* own = made.values.data() + row * row_size;
      if (adjusts_margins()) {
        adjust([&](double* scores) { adjust_margins(scores); }, single.outputs, size, own);
      }
      const double* whole = single.values.data() + row * single.outputs * numbers;
      for (std::int64_t i = 0; i < single.outputs * numbers; ++i) {
        double* line = own + i * numbers;  // its diagonal is what the others leave
        line[i % numbers] = whole[i] - std::accumulate(line, line + numbers, 0.0);
      }
    }
  });
  return made;
}

}  // namespace gradatim::boost
