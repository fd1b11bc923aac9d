// Laws of every loss in the manifest, against its value written down once more, plainly.
#include "gradatim/boost/loss/loss.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <numeric>

#include "gradatim/api/registry.h"
#include "gradatim/boost/testing.h"

namespace gradatim::boost {
namespace {

using namespace testing;

/// L(label, scores): what the loss of that name minimises.
using Value = std::function<double(double label, std::span<const double> scores)>;

const std::map<std::string, Value>& values() {
  static const std::map<std::string, Value> kValues = {
      {"boost.loss.squared",
       [](double y, std::span<const double> f) { return 0.5 * (f[0] - y) * (f[0] - y); }},
      {"boost.loss.absolute",
       [](double y, std::span<const double> f) { return std::abs(f[0] - y); }},
      {"boost.loss.huber",  // delta = 1
       [](double y, std::span<const double> f) {
         const double r = std::abs(f[0] - y);
         return r <= 1.0 ? 0.5 * r * r : r - 0.5;
       }},
      {"boost.loss.logistic",
       [](double y, std::span<const double> f) { return std::log1p(std::exp(f[0])) - y * f[0]; }},
      {"boost.loss.softmax",
       [](double y, std::span<const double> f) {
         double sum = 0.0;
         for (const double x : f) sum += std::exp(x);
         return std::log(sum) - f[static_cast<std::size_t>(y)];
       }},
      {"boost.loss.one_vs_rest",
       [](double y, std::span<const double> f) {
         double sum = -f[static_cast<std::size_t>(y)];
         for (const double x : f) sum += std::log1p(std::exp(x));
         return sum;
       }},
      {"boost.loss.cross_entropy",
       [](double y, std::span<const double> f) { return std::log1p(std::exp(f[0])) - y * f[0]; }},
      {"boost.loss.exponential",
       [](double y, std::span<const double> f) { return std::exp((1.0 - 2.0 * y) * f[0]); }},
      {"boost.loss.quantile",  // level = 0.5
       [](double y, std::span<const double> f) { return 0.5 * std::abs(f[0] - y); }},
      {"boost.loss.pseudo_huber",  // delta = 1
       [](double y, std::span<const double> f) {
         return std::sqrt(1.0 + (f[0] - y) * (f[0] - y)) - 1.0;
       }},
      {"boost.loss.poisson",
       [](double y, std::span<const double> f) { return std::exp(f[0]) - y * f[0]; }},
      {"boost.loss.gamma",
       [](double y, std::span<const double> f) { return y * std::exp(-f[0]) + f[0]; }},
      {"boost.loss.tweedie",  // power = 1.5
       [](double y, std::span<const double> f) {
         return 2.0 * std::exp(0.5 * f[0]) + 2.0 * y * std::exp(-0.5 * f[0]);
       }},
  };
  return kValues;
}

Task task_of(const Loss& loss) {
  if (loss.task() == TaskKind::regression) return {};
  const Task two{TaskKind::classification, {"a", "b"}};
  const Task four{TaskKind::classification, {"a", "b", "c", "d"}};
  return code_of([&] { loss.check(four, {}); }) == 0 ? four : two;
}

// Labels that the loss takes: of either sign, else above 0, else in (0, 1).
std::vector<float> random_labels(const Loss& loss, const Task& task, std::size_t count, Random& r) {
  std::vector<float> label(count);
  if (task.classification()) {
    for (float& y : label) y = static_cast<float>(r.below(task.class_count()));
    return label;
  }
  const std::function<double()> kinds[] = {[&] { return 2.0 * r.normal(); },
                                           [&] { return 0.01 + 4.0 * r.uniform(); },
                                           [&] { return r.uniform(); }};
  for (const auto& kind : kinds) {
    for (float& y : label) y = static_cast<float>(kind());
    if (code_of([&] { loss.check(task, label); }) == 0) return label;
  }
  ADD_FAILURE() << "no kind of labels suits it";
  return label;
}

template <class F>
void for_every_loss(F f) {
  for (const api::Entry* entry : api::Registry::instance().list(Loss::kKind)) {
    const std::string name(entry->text.name);
    SCOPED_TRACE(name);
    ASSERT_TRUE(values().contains(name)) << "write its value down in values() above";
    const auto loss = api::build_as<Loss>({.component = name});
    f(*loss, task_of(*loss), values().at(name));
  }
}

struct Rows {
  std::vector<float> label;
  std::vector<double> score;  // [outputs][rows]
  std::vector<float> g, h;

  std::vector<double> scores_of(std::size_t row, int outputs) const {
    std::vector<double> scores;
    for (int k = 0; k < outputs; ++k) scores.push_back(score[k * label.size() + row]);
    return scores;
  }
};

Rows random_rows(const Loss& loss, const Task& task, std::size_t count) {
  Random r(3);
  Rows rows;
  const int outputs = loss.outputs(task);
  rows.label = random_labels(loss, task, count, r);
  for (std::size_t i = 0; i < count * outputs; ++i) rows.score.push_back(2.0 * r.normal());
  rows.g.resize(count * outputs);
  rows.h.resize(count * outputs);
  loss.gradients({static_cast<std::int64_t>(count), rows.label.data(), rows.score.data(),
                  rows.g.data(), rows.h.data(), static_cast<std::int64_t>(count), outputs});
  return rows;
}

TEST(Losses, GradientIsTheCentralDifferenceOfTheValue) {
  for_every_loss([](const Loss& loss, const Task& task, const Value& value) {
    const int outputs = loss.outputs(task);
    const Rows rows = random_rows(loss, task, 1500);
    constexpr double kStep = 1e-5;
    for (std::size_t row = 0; row < rows.label.size(); ++row) {
      for (int k = 0; k < outputs; ++k) {
        auto scores = rows.scores_of(row, outputs);
        scores[k] += kStep;
        const double above = value(rows.label[row], scores);
        scores[k] -= 2.0 * kStep;
        const double below = value(rows.label[row], scores);
        const double kink = std::abs(rows.scores_of(row, outputs)[k] - rows.label[row]);
        if (kink < 2.0 * kStep) continue;
        EXPECT_NEAR(rows.g[k * rows.label.size() + row], (above - below) / (2.0 * kStep),
                    2e-5 * std::max(1.0, std::abs(above - below) / (2.0 * kStep)));
      }
    }
  });
}

TEST(Losses, HessiansAreNotNegativeAndOneWhereConstant) {
  for_every_loss([](const Loss& loss, const Task& task, const Value&) {
    for (const float h : random_rows(loss, task, 500).h) {
      EXPECT_GT(h, 0.0F);
      if (loss.constant_hessian()) {
        EXPECT_EQ(h, 1.0F);
      }
    }
  });
}

// Most hessians are second derivatives; softmax takes twice it, an upper bound, and Poisson that at
// F + 0.7.
TEST(Losses, HessianIsTheSecondDifferenceOfTheValue) {
  const std::map<std::string, double> factors = {
      {"boost.loss.squared", 1.0},           {"boost.loss.logistic", 1.0},
      {"boost.loss.softmax", 2.0},           {"boost.loss.exponential", 1.0},
      {"boost.loss.poisson", std::exp(0.7)}, {"boost.loss.gamma", 1.0},
      {"boost.loss.tweedie", 1.0},           {"boost.loss.one_vs_rest", 1.0},
      {"boost.loss.cross_entropy", 1.0}};
  for (const auto& [name, factor] : factors) {
    SCOPED_TRACE(name);
    const auto loss = api::build_as<Loss>({.component = name});
    const Task task = task_of(*loss);
    const int outputs = loss->outputs(task);
    const Rows rows = random_rows(*loss, task, 400);
    const Value& value = values().at(name);
    constexpr double kStep = 1e-3;
    for (std::size_t row = 0; row < rows.label.size(); ++row) {
      for (int k = 0; k < outputs; ++k) {
        auto scores = rows.scores_of(row, outputs);
        const double here = value(rows.label[row], scores);
        scores[k] += kStep;
        const double above = value(rows.label[row], scores);
        scores[k] -= 2.0 * kStep;
        const double below = value(rows.label[row], scores);
        const double second = (above - 2.0 * here + below) / (kStep * kStep);
        EXPECT_NEAR(rows.h[k * rows.label.size() + row], factor * second,
                    1e-5 * std::max(1.0, second));
      }
    }
  }
}

double total(const Value& value, const Rows& rows, std::span<const float> weight,
             std::span<const double> scores) {
  double sum = 0.0;
  for (std::size_t i = 0; i < rows.label.size(); ++i) {
    sum += (weight.empty() ? 1.0 : double{weight[i]}) * value(rows.label[i], scores);
  }
  return sum;
}

TEST(Losses, BaseScoreIsTheConstantOfLeastLoss) {
  for_every_loss([](const Loss& loss, const Task& task, const Value& value) {
    const Rows rows = random_rows(loss, task, 301);
    std::vector<float> weight;
    Random r(9);
    for (std::size_t i = 0; i < rows.label.size(); ++i)
      weight.push_back(static_cast<float>(r.uniform()));
    for (const std::span<const float> w :
         {std::span<const float>(), std::span<const float>(weight)}) {
      const auto base = loss.base_score(task, rows.label, w);
      ASSERT_EQ(static_cast<int>(base.size()), loss.outputs(task));
      const double least = total(value, rows, w, base);
      // Huber takes Friedman's one step from the median, which is near the minimum, not at it.
      const double slack = loss.refits_leaves() ? 2e-3 * least : 0.0;
      for (std::size_t k = 0; k < base.size(); ++k) {
        for (const double step : {-0.1, -1e-3, 1e-3, 0.1}) {
          auto other = base;
          other[k] += step;
          EXPECT_GE(total(value, rows, w, other) + slack, least) << k << " " << step;
        }
      }
    }
  });
}

TEST(Losses, TransformGivesProbabilitiesThatSumToOne) {
  for_every_loss([](const Loss& loss, const Task& task, const Value&) {
    if (!task.classification()) return;
    const int outputs = loss.outputs(task);
    const int columns = loss.predictions(outputs);
    EXPECT_EQ(columns, task.class_count());
    Random r(4);
    std::vector<double> scores;
    for (int i = 0; i < 200 * outputs; ++i)
      scores.push_back(r.normal() * (i % 5 == 0 ? 500.0 : 2.0));
    std::vector<double> p(200 * columns);
    loss.transform(scores, outputs, p);
    for (int row = 0; row < 200; ++row) {
      double sum = 0.0;
      for (int k = 0; k < columns; ++k) {
        EXPECT_GE(p[row * columns + k], 0.0);
        sum += p[row * columns + k];
      }
      EXPECT_NEAR(sum, 1.0, 1e-15);
    }
  });
}

// A loss of numbers learns several targets as if each were alone.
TEST(Losses, SeveralTargetsAreAsManyLosses) {
  int several = 0;
  for_every_loss([&](const Loss& loss, const Task& task, const Value&) {
    if (task.classification() || loss.outputs({.targets = 2}) != 2) return;
    ++several;
    Random r(8);
    const std::size_t rows = 1500;
    const auto label = random_labels(loss, task, 2 * rows, r);  // [targets][rows]
    std::vector<double> score(2 * rows);
    for (double& f : score) f = r.normal();
    std::vector<float> g(2 * rows), h(2 * rows);
    loss.gradients({static_cast<std::int64_t>(rows), label.data(), score.data(), g.data(), h.data(),
                    static_cast<std::int64_t>(rows), 2, 2});
    const auto base = loss.base_score({.targets = 2}, label, {});
    for (std::size_t k = 0; k < 2; ++k) {
      const std::span own = std::span(label).subspan(k * rows, rows);
      EXPECT_EQ(base[k], loss.base_score(task, own, {}).front());
      std::vector<float> own_g(rows), own_h(rows);
      loss.gradients({static_cast<std::int64_t>(rows), own.data(), score.data() + k * rows,
                      own_g.data(), own_h.data(), static_cast<std::int64_t>(rows)});
      EXPECT_TRUE(std::equal(own_g.begin(), own_g.end(), g.begin() + k * rows));
      EXPECT_TRUE(std::equal(own_h.begin(), own_h.end(), h.begin() + k * rows));
    }
  });
  EXPECT_GE(several, 8);
}

TEST(Losses, ATargetOfTheOtherKindIsRefused) {
  for_every_loss([](const Loss& loss, const Task& task, const Value&) {
    const Task other = task.classification() ? Task{} : Task{TaskKind::classification, {"a", "b"}};
    EXPECT_EQ(code_of([&] { loss.check(task, {}); }), 0);
    EXPECT_EQ(code_of([&] { loss.check(other, {}); }), 2020);
  });
  const auto logistic = api::build_as<Loss>({.component = "boost.loss.logistic"});
  EXPECT_EQ(code_of([&] {
              logistic->check({TaskKind::classification, {"a", "b", "c"}}, {});
            }),
            2020);
}

}  // namespace
}  // namespace gradatim::boost
