// Learned variances in sampling: of a Gaussian the reverse steps are Gaussian and known, so that a
// field which says their variances carries the marginals exactly, in any number of steps.
#include <gtest/gtest.h>

#include <functional>

#include "gradatim/process/guidance.h"
#include "gradatim/process/solver/certify_test.h"

namespace gradatim::process {
namespace {

using namespace testing;

constexpr Moments kData{0.3, 0.5};

/// The exact field of a Gaussian, or anything else, with variances of our own.
class WithVariance final : public Field {
 public:
  using Rule = std::function<double(double t, std::int64_t column, const Condition* condition)>;
  WithVariance(std::shared_ptr<const Field> field, Rule rule)
      : field_(std::move(field)), rule_(std::move(rule)) {}

  const Prediction& prediction() const override { return field_->prediction(); }
  void eval(Space& space, const Query& query, std::span<const ConditionPtr> conditions,
            std::span<Vec> out) const override {
    const std::vector<ConditionPtr> anything(conditions.size());
    field_->eval(space, query, anything, out);
  }
  bool learns_variance() const override { return true; }
  void eval_with_variance(Space& space, const Query& query,
                          std::span<const ConditionPtr> conditions, std::span<Vec> out,
                          std::span<Vec> variance) const override {
    ++asked;
    eval(space, query, conditions, out);
    for (std::size_t i = 0; i < conditions.size(); ++i) {
      std::vector<double> v;
      for (const double t : query.t) {
        for (std::int64_t k = 0; k < query.x.dims(); ++k) {
          v.push_back(rule_(t, k, conditions[i].get()));
        }
      }
      variance[i] = space.from(v, query.x.rows(), query.x.dims());
    }
  }

  mutable int asked = 0;

 private:
  std::shared_ptr<const Field> field_;
  Rule rule_;
};

/// The v of the true reverse step from a to b, of data of deviation c: its variance is the
/// posterior's times (1 / c^2 + SNR_b) / (1 / c^2 + SNR_a).
double exact_v(const PathPoint& a, const PathPoint& b, double c) {
  const auto precision = [&](const PathPoint& p) {
    return 1.0 / (c * c) + std::pow(p.alpha / p.sigma, 2.0);
  };
  const double f = std::log(precision(b) / precision(a)) / (2.0 * std::log(a.sigma / b.sigma));
  return 2.0 * f - 1.0;
}

// A field that knows the grid it is sampled on.
std::shared_ptr<const Field> knowing(const std::shared_ptr<const Path>& path,
                                     const std::vector<double>& times) {
  return std::make_shared<WithVariance>(
      gaussian(path, kData), [=](double t, std::int64_t, const Condition*) {
        const auto next = std::ranges::find_if(times, [&](double s) { return s < t; });
        if (next == times.end() || *next == 0.0) return 5.0;  // nobody may use it
        return exact_v(path->at(t), path->at(*next), kData.deviation);
      });
}

// A field that learned the steps of a table of a thousand.
std::shared_ptr<const Field> trained(const std::shared_ptr<const Path>& path) {
  return std::make_shared<WithVariance>(gaussian(path, kData), [=](double t, std::int64_t,
                                                                   const Condition*) {
    const double last = path->last();
    return exact_v(path->at(t), path->at(std::max(t - 1e-3 * last, 1e-4 * last)), kData.deviation);
  });
}

double error(const char* variance, const std::shared_ptr<const Path>& path,
             const std::vector<double>& times, const std::shared_ptr<const Field>& field) {
  const auto method = solver("ddpm", {{"variance", variance}});
  const auto end = affine(*method, path, times, field).of(marginal(path->at(times[0]), kData));
  return distance(end, marginal(path->at(times.back()), kData));
}

TEST(LearnedVariance, OfAGaussianEveryStepHasItsMarginalExactly) {
  for (const NamedPath& named : all_paths()) {
    for (const int steps : {2, 3, 5, 20}) {
      auto times = grid("trailing", *named.path, steps);
      const auto field = knowing(named.path, times);
      times.pop_back();  // the step to data draws nothing
      for (; times.size() >= 2; times.pop_back()) {
        const double size = marginal(named.path->at(times[0]), kData).deviation;
        EXPECT_LT(error("learned", named.path, times, field), 1e-12 * size)
            << named.name << ", " << steps << ", t = " << times.back();
      }
    }
  }
}

TEST(LearnedVariance, ItsChainIsNearerToAGaussianThanEitherFixedVariance) {
  for (const char* name : {"scaled_linear", "cosine", "rectified"}) {
    const auto path = make<Path>(std::string("process.path.") + name);
    for (const int steps : {4, 8, 16}) {
      auto times = grid("trailing", *path, steps);
      times.pop_back();
      const auto field = trained(path);
      const double learned = error("learned", path, times, field);
      EXPECT_LT(learned, 0.7 * error("fixed_small", path, times, field)) << name << ", " << steps;
      EXPECT_LT(learned, 0.7 * error("fixed_large", path, times, field)) << name << ", " << steps;
      EXPECT_LT(error("learned", path, times, knowing(path, times)), 1e-12);
    }
  }
}

// One row of columns whose v differ, by the same draws.
std::vector<double> drawn(const char* variance, const std::vector<double>& times,
                          const WithVariance::Rule& rule) {
  const auto path = anchor_path();
  const auto inner =
      std::make_shared<MixtureField>(Mixture{{1.0}, {0.3, 0.3, 0.3}, {0.5, 0.5, 0.5}, 3}, path,
                                     make<Prediction>("process.prediction.v"));
  const FieldDenoiser denoiser(std::make_shared<WithVariance>(inner, rule), path);
  HostSpace<double> space(make<Noise>("process.noise.philox")->source(1));
  const std::vector<std::int64_t> rows = {0};
  std::vector<double> x(3);
  space.copy_out(solver("ddpm", {{"variance", variance}})
                     ->solve({space, denoiser, nullptr, times, rows},
                             space.from(std::vector<double>{1.0, 1.0, 1.0}, 1, 3)),
                 x);
  return x;
}

TEST(LearnedVariance, GoesFromFixedSmallToFixedLargeNumberByNumber) {
  const auto ends = [](double, std::int64_t column, const Condition*) {
    return static_cast<double>(column) - 1.0;  // -1, 0, 1
  };
  const std::vector<double> times = {1.0, 0.5, 0.1};
  const auto learned = drawn("learned", times, ends);
  const auto small = drawn("fixed_small", times, ends);
  const auto large = drawn("fixed_large", times, ends);
  EXPECT_NEAR(learned[0], small[0], 1e-12);
  EXPECT_NEAR(learned[2], large[2], 1e-12);
  EXPECT_GT(std::abs(learned[1] - small[1]), 1e-3);
  EXPECT_GT(std::abs(learned[1] - large[1]), 1e-3);
  EXPECT_GT(std::abs(small[2] - large[2]), 1e-3);
}

TEST(LearnedVariance, TheStepToExactDataDrawsNothing) {
  const auto huge = [](double, std::int64_t, const Condition*) { return 50.0; };
  EXPECT_EQ(drawn("learned", {0.5, 0.0}, huge), drawn("fixed_small", {0.5, 0.0}, huge));
  const auto program = *solver("ddpm", {{"variance", "learned"}})
                            ->program(*anchor_path(), std::vector<double>{0.5, 0.0});
  EXPECT_FALSE(program.stages[0].asks_variance());
}

TEST(LearnedVariance, OfAFieldWithoutOneIsRefused) {
  const auto path = anchor_path();
  const auto method = solver("ddpm", {{"variance", "learned"}});
  EXPECT_EQ(code_of([&] { affine(*method, path, {1.0, 0.5}, kData); }), 1145);
  EXPECT_EQ(code_of([&] { affine(*method, path, {1.0, 0.5}, trained(path)); }), 0);
  Ask ask({0.1}, 1, 0.5);
  const ConditionPtr any;
  Vec out, variance;
  EXPECT_EQ(code_of([&] {
              gaussian(path, kData)
                  ->eval_with_variance(ask.space, ask.query, {&any, 1}, {&out, 1}, {&variance, 1});
            }),
            1145);
}

TEST(LearnedVariance, OtherSolversDoNotAskForIt) {
  const auto path = anchor_path();
  const auto field = std::make_shared<WithVariance>(
      gaussian(path, kData), [](double, std::int64_t, const Condition*) { return NAN; });
  const auto times = grid("trailing", *path, 5);
  for (const char* name : {"ddpm", "ddim", "dpm_solver_pp_2m", "heun", "euler_ancestral"}) {
    const Affine own = affine(*solver(name), path, times, field);
    EXPECT_EQ(own.start, affine(*solver(name), path, times, kData).start) << name;
  }
  EXPECT_EQ(field->asked, 0);
}

// v is a quarter of the label, and -1 without one.
TEST(LearnedVariance, GuidanceKeepsThatOfTheCondition) {
  const auto path = anchor_path();
  const auto field = std::make_shared<WithVariance>(
      gaussian(path, kData), [](double, std::int64_t, const Condition* condition) {
        const auto* labels = dynamic_cast<const Labels*>(condition);
        return labels == nullptr ? -1.0 : 0.25 * static_cast<double>(labels->of(0));
      });
  const DenoiserPtr plain = std::make_shared<FieldDenoiser>(field, path);
  const auto two = [&](const DenoiserPtr& denoiser) {
    Ask ask({0.2, -0.7, 0.4}, 1, 0.3);
    ask.t = {0.2, 0.8, 0.5};  // inside and outside of the interval
    ask.query.t = ask.t;
    const std::vector<ConditionPtr> conditions = {label(3), label(4)};
    std::vector<Form> out(2);
    std::vector<Vec> variance(2);
    denoiser->data_and_aside(ask.space, ask.query, conditions, out, {.variance = variance});
    auto numbers = ask.out(variance[0]);
    for (const double v : ask.out(variance[1])) numbers.push_back(v);
    return numbers;
  };
  const std::vector<double> expected = {0.75, 0.75, 0.75, 1.0, 1.0, 1.0};
  const auto guided = classifier_free(plain, 3.0);
  for (const auto& denoiser :
       {plain, guided, classifier_free(plain, 1.0), rescaled(guided, 0.7),
        dynamic_threshold(guided, {}), limited(guided, plain, {IntervalMeasure::time, 0.1, 0.6}),
        classifier(guided,
                   exact_classifier({{1.0}, {0.3}, {0.5}, 1}, path,
                                    std::make_shared<Labels>(std::vector<std::int64_t>{0})),
                   1.0)}) {
    EXPECT_EQ(two(denoiser), expected);
  }
  EXPECT_EQ(two(classifier_free(plain, 0.0)), std::vector<double>(6, -1.0));
}

}  // namespace
}  // namespace gradatim::process
