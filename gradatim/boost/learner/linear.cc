// A regularised linear model, fitted by one pass of coordinate descent a round (XGBoost's
// gblinear).
//
// On the quadratic expansion sum g_i d_i + h_i d_i^2 / 2 with d = b + sum_j w_j x_j, coordinate j
// moves to T(H_j w_j - G_j) / (H_j + lambda), G_j = sum g x_j, H_j = sum h x_j^2, w_j its weight in
// this round, and T the soft threshold of L1; then g moves along. A missing cell adds nothing. A
// category is a coordinate of its own, with x = 1 on its rows.
// Sums are exact (core/exact_sum.h), so the model does not depend on threads.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradatim/api/export.h"
#include "gradatim/boost/learner/linear_member.h"
#include "gradatim/core/error.h"
#include "gradatim/core/exact_sum.h"
#include "gradatim/core/parallel.h"

namespace gradatim::boost {
namespace {

constexpr std::int64_t kBlock = 8192;

struct LinearConfig {
  double reg_lambda = 0.0;
  double reg_alpha = 0.0;
  std::int32_t max_bin = 255;
};

class LinearFitter final : public Fitter {
 public:
  LinearFitter(const LinearConfig& config, const FitContext& context)
      : config_(config),
        data_(*context.data),
        first_(first_coordinates(data_.features())),
        table_(*context.table) {
    for (const auto& feature : data_.features()) categorical_.push_back(feature.categorical());
  }

  std::unique_ptr<Member> fit(const Statistics& statistics, std::span<const std::uint32_t> rows,
                              std::span<const std::int32_t> features) override {
    rows = written_out(rows, data_.rows(), every_row_);
    g_.resize(rows.size());
    h_.resize(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      g_[i] = statistics.rows[rows[i]].fine.g * statistics.fine_units.g;
      h_[i] = statistics.rows[rows[i]].fine.h * statistics.fine_units.h;
    }
    auto member = std::make_unique<LinearMember>(first_, categorical_, 1);
    descend(*member, 0, rows, features);
    return member;
  }

  // One least-squares fit a class, to +1 on its rows and -1 elsewhere.
  std::unique_ptr<Member> fit_classes(const ClassStatistics& statistics,
                                      std::span<const std::uint32_t> rows,
                                      std::span<const std::int32_t> features) override {
    auto member = std::make_unique<LinearMember>(first_, categorical_, statistics.classes);
    g_.resize(rows.size());
    h_.resize(rows.size());
    for (int k = 0; k < statistics.classes; ++k) {
      for (std::size_t i = 0; i < rows.size(); ++i) {
        const double weight = statistics.weight[rows[i]] * statistics.unit;
        h_[i] = weight;
        g_[i] = statistics.label[rows[i]] == k ? -weight : weight;
      }
      for (int pass = 0; pass < kClassPasses; ++pass) descend(*member, k, rows, features);
    }
    return member;
  }

 private:
  static constexpr int kClassPasses = 10;

  double shrunk(double g) const {
    const double a = config_.reg_alpha;
    return g > a ? g - a : g < -a ? g + a : 0.0;
  }

  void descend(LinearMember& member, int k, std::span<const std::uint32_t> rows,
               std::span<const std::int32_t> features) {
    ones_.assign(rows.size(), 1.0);
    const auto [g, h] = sums(ones_);
    if (h > 0.0) move(member.bias(k), -g / h, ones_);
    for (const std::int32_t f : features) {
      if (categorical_[f])
        descend_category(member, k, f, rows);
      else
        descend_number(member, k, f, rows);
    }
  }

  void descend_number(LinearMember& member, int k, std::int32_t f,
                      std::span<const std::uint32_t> rows) {
    read(f, rows);
    const auto [g, h] = sums(x_);
    if (!(h + config_.reg_lambda > 0.0)) return;
    double& weight = member.weight(k, first_[f]);
    const double step = shrunk(h * weight - g) / (h + config_.reg_lambda) - weight;
    move(weight, step, x_);
  }

  // Categories do not overlap, so all of a feature's coordinates step at once.
  void descend_category(LinearMember& member, int k, std::int32_t f,
                        std::span<const std::uint32_t> rows) {
    const std::int64_t count = first_[f + 1] - first_[f];
    std::vector<ExactSum> g(count);
    std::vector<ExactSum> h(count);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::int32_t bin = data_.bin(f, rows[i]);
      if (bin >= count) continue;
      g[bin].add(g_[i]);
      h[bin].add(h_[i]);
    }
    std::vector<double> step(count);
    for (std::int64_t c = 0; c < count; ++c) {
      const double curvature = h[c].value() + config_.reg_lambda;
      if (!(curvature > 0.0)) continue;
      double& weight = member.weight(k, first_[f] + c);
      step[c] = shrunk(h[c].value() * weight - g[c].value()) / curvature - weight;
      weight += step[c];
    }
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::int32_t bin = data_.bin(f, rows[i]);
      if (bin < count) g_[i] += h_[i] * step[bin];
    }
  }

  void read(std::int32_t f, std::span<const std::uint32_t> rows) {
    cells_.resize(data_.rows());
    table_.columns()[f].read(0, cells_);
    x_.resize(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const double x = cells_[rows[i]];
      x_[i] = std::isnan(x) ? 0.0 : x;
    }
  }

  // sum g x and sum h x^2, exactly.
  std::pair<double, double> sums(const std::vector<double>& x) const {
    const auto rows = static_cast<std::int64_t>(x.size());
    std::vector<std::pair<ExactSum, ExactSum>> blocks((rows + kBlock - 1) / kBlock);
    parallel_for(rows, kBlock, [&](std::int64_t begin, std::int64_t end) {
      auto& [g, h] = blocks[begin / kBlock];
      for (std::int64_t i = begin; i < end; ++i) {
        g.add(g_[i] * x[i]);
        h.add(h_[i] * x[i] * x[i]);
      }
    });
    ExactSum g;
    ExactSum h;
    for (const auto& block : blocks) {
      g.add(block.first);
      h.add(block.second);
    }
    return {g.value(), h.value()};
  }

  void move(double& weight, double step, const std::vector<double>& x) {
    weight += step;
    parallel_for(static_cast<std::int64_t>(x.size()), kBlock,
                 [&](std::int64_t begin, std::int64_t end) {
                   for (std::int64_t i = begin; i < end; ++i) g_[i] += h_[i] * step * x[i];
                 });
  }

  const LinearConfig& config_;
  const BinnedData& data_;
  std::vector<std::int64_t> first_;
  const data::Table& table_;
  std::vector<bool> categorical_;
  std::vector<std::uint32_t> every_row_;
  std::vector<double> g_, h_, x_, ones_, cells_;
};

class LinearLearner final : public Learner {
 public:
  using Interface = Learner;
  explicit LinearLearner(const LinearConfig& config) : config_(config) {}

  BinOptions bin_options(std::int64_t /*rows*/) const override {
    return {.max_bin = config_.max_bin};
  }
  std::unique_ptr<Fitter> start(const FitContext& context) const override {
    return std::make_unique<LinearFitter>(config_, context);
  }

  void store(std::span<const std::unique_ptr<Member>> members,
             SafetensorsWriter& file) const override {
    store_linear(members, file);
  }
  Members load(const SafetensorsFile& file, std::span<const FeatureBins> features) const override {
    return load_linear(file, features);
  }
  void check_classes(const SafetensorsFile& file, std::span<const std::unique_ptr<Member>> members,
                     int classes) const override {
    for (const auto& member : members) {
      const int outputs = static_cast<const LinearMember&>(*member).scores();
      GRADATIM_CHECK(
          outputs == std::max(1, classes), ModelError, 3010,
          "{}: a linear member has {} sets of weights for {} classes; the file is damaged",
          file.source(), outputs, classes);
    }
  }

  /// Gain is the sum of |weight|, a category's included; there are no splits.
  void importances(std::span<const std::unique_ptr<Member>> members, std::span<double> gain,
                   std::span<double> /*cover*/, std::span<double> /*count*/) const override {
    for (const auto& member : members) {
      const auto& linear = static_cast<const LinearMember&>(*member);
      const std::int64_t coordinates = linear.first(gain.size());
      for (int k = 0; k < linear.scores(); ++k) {
        for (std::size_t f = 0; f < gain.size(); ++f) {
          for (std::int64_t c = linear.first(f); c < linear.first(f + 1); ++c) {
            gain[f] += std::abs(linear.weights()[k * coordinates + c]);
          }
        }
      }
    }
  }

 private:
  LinearConfig config_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&LinearConfig::reg_lambda>(
        {.doc = "L2 regularisation of a round's weights.", .range = api::at_least(0.0)}),
    api::setting<&LinearConfig::reg_alpha>(
        {.doc = "L1 regularisation of a round's weights.", .range = api::at_least(0.0)}),
    api::setting<&LinearConfig::max_bin>(
        {.doc = "Most bins of a numeric feature; bins only carry categories here.",
         .range = api::between(2, 65534)}),
};

constexpr api::Text kText = {
    .name = "boost.learner.linear",
    .summary = "Linear model, one pass of coordinate descent a round.",
    .detail =
        "A missing cell adds nothing; each category has a weight of its own. Importances are "
        "sums of absolute weights.",
    .source =
        "Friedman, Hastie and Tibshirani (2010), Regularization paths for generalized linear "
        "models via coordinate descent; Chen and Guestrin (2016), XGBoost",
    .shape = "gradients, hessians: [rows]",
};

}  // namespace
}  // namespace gradatim::boost

GRADATIM_EXPORT(boost_learner_linear) =
    gradatim::api::component<gradatim::boost::LinearLearner, gradatim::boost::LinearConfig>(
        gradatim::boost::kText, gradatim::boost::kSettings);
