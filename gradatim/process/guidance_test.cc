// Guidance on a mixture, whose conditional fields are known exactly.
#include "gradatim/process/guidance.h"

#include <gtest/gtest.h>

#include <cmath>

#include "gradatim/process/sampler.h"
#include "gradatim/process/testing.h"

namespace gradatim::process {
namespace {

using namespace testing;

constexpr std::int64_t kDims = 5;

// Counts what a field is asked.
class Counted final : public Field {
 public:
  explicit Counted(std::shared_ptr<const Field> field) : field_(std::move(field)) {}
  const Prediction& prediction() const override { return field_->prediction(); }
  void eval(Space& space, const Query& query, std::span<const ConditionPtr> conditions,
            std::span<Vec> out) const override {
    ++calls;
    asked += query.x.rows() * static_cast<std::int64_t>(conditions.size());
    field_->eval(space, query, conditions, out);
  }
  Vec vjp(Space& space, const Query& query, const ConditionPtr& condition,
          const Vec& w) const override {
    return field_->vjp(space, query, condition, w);
  }
  mutable std::int64_t calls = 0, asked = 0;

 private:
  std::shared_ptr<const Field> field_;
};

struct Case {
  std::shared_ptr<const Path> path;
  std::shared_ptr<const Prediction> prediction;
  std::shared_ptr<const Counted> field;
  DenoiserPtr plain;
  std::shared_ptr<const Oracle> oracle;

  explicit Case(std::string_view path_name = "process.path.vp",
                std::string_view prediction_name = "process.prediction.v")
      : Case(make<Path>(path_name), make<Prediction>(prediction_name)) {}
  Case(std::shared_ptr<const Path> on, std::shared_ptr<const Prediction> as)
      : path(std::move(on)), prediction(std::move(as)) {
    oracle = std::make_shared<MixtureField>(test_mixture(kDims), path, prediction);
    field = std::make_shared<Counted>(oracle);
    plain = std::make_shared<FieldDenoiser>(field, path);
  }
};

// Three rows of states at a point.
std::vector<double> states(const PathPoint& p) {
  std::vector<double> x;
  for (int k = 0; k < 3 * kDims; ++k) {
    x.push_back(p.alpha * (0.3 * (k % 4) - 0.5) + p.sigma * std::sin(1.7 * k + 0.3));
  }
  return x;
}

std::vector<double> data_of(const Denoiser& denoiser, const std::vector<double>& x, double t,
                            const ConditionPtr& condition) {
  Ask ask(x, kDims, t);
  Form form;
  denoiser.data(ask.space, ask.query, {&condition, 1}, {&form, 1});
  return ask.out(ask.space.combine(form));
}

void expect_near(const std::vector<double>& a, const std::vector<double>& b, double tolerance) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_NEAR(a[i], b[i], tolerance * (1.0 + std::abs(b[i])));
  }
}

TEST(ClassifierFree, OneIsTheConditionAndZeroTheFieldWithoutIt) {
  const Case c;
  const auto x = states(c.path->at(0.4));
  const auto with = data_of(*c.plain, x, 0.4, label(1));
  const auto without = data_of(*c.plain, x, 0.4, nullptr);
  c.field->asked = 0;
  EXPECT_EQ(data_of(*classifier_free(c.plain, 1.0), x, 0.4, label(1)), with);
  EXPECT_EQ(data_of(*classifier_free(c.plain, 0.0), x, 0.4, label(1)), without);
  EXPECT_EQ(data_of(*classifier_free(c.plain, 3.0), x, 0.4, nullptr), without);
  EXPECT_EQ(c.field->asked, 9);  // three rows, once each: nothing is asked in vain
}

TEST(ClassifierFree, ItIsLinearAndOneBatch) {
  const Case c;
  const auto x = states(c.path->at(0.4));
  const auto with = data_of(*c.plain, x, 0.4, label(1));
  for (const ConditionPtr& negative : {ConditionPtr(), label(2)}) {
    const auto away = data_of(*c.plain, x, 0.4, negative);
    c.field->calls = 0;
    const auto guided = data_of(*classifier_free(c.plain, 2.5, negative), x, 0.4, label(1));
    EXPECT_EQ(c.field->calls, 1);
    for (std::size_t i = 0; i < x.size(); ++i) {
      EXPECT_NEAR(guided[i], away[i] + 2.5 * (with[i] - away[i]), 1e-13);
    }
  }
}

TEST(ClassifierFree, ItsDerivativeIsThatOfWhatItPredicts) {
  const Case c;
  const auto guided = classifier_free(c.plain, 2.5, label(0));
  const auto x = states(c.path->at(0.4));
  Ask ask(x, kDims, 0.4);
  std::vector<double> w(x.size());
  for (std::size_t i = 0; i < w.size(); ++i) w[i] = std::cos(2.0 * double(i));
  const auto product =
      ask.out(guided->vjp(ask.space, ask.query, label(1), ask.space.from(w, 3, kDims)));
  for (std::size_t i = 0; i < x.size(); ++i) {
    double slope = 0.0;
    for (const double side : {-1.0, 1.0}) {
      auto moved = x;
      moved[i] += side * 1e-5;
      const auto data = data_of(*guided, moved, 0.4, label(1));
      for (std::size_t j = 0; j < x.size(); ++j) slope += side * w[j] * data[j] / 2e-5;
    }
    EXPECT_NEAR(product[i], slope, 1e-7);
  }
}

std::shared_ptr<const Energy> energy_of(const Case& c, std::int64_t wanted) {
  return exact_classifier(c.oracle->mixture(), c.path,
                          std::make_shared<Labels>(std::vector{wanted}));
}

TEST(Classifier, TheExactOneTurnsTheFieldIntoTheConditionalOne) {
  for (const auto& [path_name, path] : all_paths()) {
    for (const auto& [name, prediction] : all_predictions()) {
      const Case c(path, prediction);
      const auto guided = classifier(c.plain, energy_of(c, 1), 1.0);
      for (const double part : {0.05, 0.5, 0.9}) {
        SCOPED_TRACE(path_name + ", " + name + " at " + std::to_string(part));
        const double t = part * path->last();
        const auto x = states(path->at(t));
        expect_near(data_of(*guided, x, t, nullptr), data_of(*c.plain, x, t, label(1)), 1e-9);
      }
    }
  }
}

TEST(Classifier, PureNoiseIsGuidedToTheMeanOfTheLabel) {
  for (const char* path : {"process.path.rectified", "process.path.trigonometric"}) {
    const Case c(path, "process.prediction.velocity");
    const auto guided = classifier(c.plain, energy_of(c, 2), 1.0);
    const auto x = states(c.path->at(1.0));
    expect_near(data_of(*guided, x, 1.0, nullptr), data_of(*c.plain, x, 1.0, label(2)), 1e-3);
  }
}

TEST(Classifier, ItsWeightIsThePowerOfTheClassifier) {
  const Case c("process.path.rectified", "process.prediction.noise");
  const auto guided = classifier(c.plain, energy_of(c, 0), 2.0);
  const PathPoint p = c.path->at(0.6);
  auto x = states(p);
  const auto data = data_of(*guided, x, p.t, nullptr);
  const auto log_density = [&](std::vector<double>& at) {  // of the first row
    double any = 0.0, with = 0.0;
    c.oracle->log_prob(*c.path, {at.data(), kDims}, p.t, {&any, 1});
    c.oracle->log_prob(*c.path, {at.data(), kDims}, p.t, {&with, 1}, 0);
    return any + 2.0 * (with - any);
  };
  for (std::size_t i = 0; i < kDims; ++i) {
    auto up = x, down = x;
    up[i] += 1e-5;
    down[i] -= 1e-5;
    const double score = (log_density(up) - log_density(down)) / 2e-5;
    EXPECT_NEAR(data[i], (x[i] + p.sigma * p.sigma * score) / p.alpha, 1e-7);
  }
}

// ln e(D) = D . pull: tilts a normal distribution to another mean, exactly.
class Tilt final : public DataEnergy {
 public:
  explicit Tilt(std::vector<double> pull) : pull_(std::move(pull)) {}
  Vec gradient(Space& space, const Vec& data, std::span<const std::int64_t>) const override {
    std::vector<double> all;
    for (std::int64_t row = 0; row < data.rows(); ++row) {
      all.insert(all.end(), pull_.begin(), pull_.end());
    }
    return space.from(all, data.rows(), data.dims());
  }

 private:
  std::vector<double> pull_;
};

TEST(Classifier, AnEnergyOfTheDataTiltsANormalDistributionExactly) {
  const std::vector<double> pull = {0.7, -1.2};
  const Mixture data{{1.0}, {0.3, -0.2}, {0.5, 0.8}, 2};
  Mixture tilted = data;
  for (std::size_t i = 0; i < 2; ++i) {
    tilted.means[i] += 2.0 * pull[i] * data.deviations[i] * data.deviations[i];
  }
  for (const auto& [path_name, path] : all_paths()) {
    for (const char* name : {"process.prediction.v", "process.prediction.noise"}) {
      SCOPED_TRACE(path_name + ", " + name);
      const auto as = make<Prediction>(name);
      const auto denoiser = [&](const Mixture& of) {
        return std::make_shared<FieldDenoiser>(std::make_shared<MixtureField>(of, path, as), path);
      };
      const auto plain = denoiser(data), wanted = denoiser(tilted);
      const auto guided = classifier(plain, of_data(plain, std::make_shared<Tilt>(pull)), 2.0);
      // Rows at times of their own: forms borrow factors there, which the energy's question
      // changes.
      std::vector<double> x, t;
      for (const double part : {0.2, 0.7, 1.0}) {
        const PathPoint p = path->at(part * path->last());
        if (p.alpha == 0.0 && std::string_view(name).ends_with("noise")) continue;
        x.insert(x.end(), {0.4 * p.alpha - 0.7 * p.sigma, 0.3 * p.sigma});
        t.push_back(p.t);
      }
      Ask ask(x, 2, 0.0);
      ask.t = t;
      ask.query.t = ask.t;
      const ConditionPtr any;
      Form form;
      guided->data(ask.space, ask.query, {&any, 1}, {&form, 1});
      const auto together = ask.out(ask.space.combine(form));
      wanted->data(ask.space, ask.query, {&any, 1}, {&form, 1});
      const auto expected = ask.out(ask.space.combine(form));
      for (std::size_t i = 0; i < x.size(); ++i) {
        const double tolerance = path->at(t[i / 2]).ratio() > 1e4 ? 1e-3 : 1e-9;
        EXPECT_NEAR(together[i], expected[i], tolerance) << i / 2;
      }
    }
  }
}

TEST(Classifier, AnErrorOfGuessedDataCountsByItsToleranceAndTheNoise) {
  const Case c("process.path.cosine");
  const auto pull = std::make_shared<Tilt>(std::vector<double>(kDims, 1.0));
  const auto exact = of_data(c.plain, pull), guessed = of_guess(c.plain, pull, 0.5);
  for (const double t : {0.1, 0.6}) {
    const PathPoint p = c.path->at(t);
    Ask ask(states(p), kDims, t);
    Form data;
    const ConditionPtr any;
    c.plain->data(ask.space, ask.query, {&any, 1}, {&data, 1});
    const auto all = ask.out(exact->gradient(ask.space, ask.query, any, data));
    const auto part = ask.out(guessed->gradient(ask.space, ask.query, any, data));
    const double noise = p.sigma * p.sigma / (p.alpha * p.alpha + p.sigma * p.sigma);
    for (std::size_t i = 0; i < all.size(); ++i) {
      EXPECT_NEAR(part[i], all[i] / (0.25 + noise), 1e-12);
    }
  }
}

double deviation(std::span<const double> x) {
  double mean = 0.0, sum = 0.0;
  for (const double v : x) mean += v / static_cast<double>(x.size());
  for (const double v : x) sum += (v - mean) * (v - mean);
  return std::sqrt(sum / static_cast<double>(x.size() - 1));
}

// The field's own output that a denoiser's data stand for.
std::vector<double> output(const Prediction& prediction, const PathPoint& p,
                           const std::vector<double>& x, const std::vector<double>& data) {
  const Target target = prediction.target(p);
  std::vector<double> f(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    f[i] = target.data * data[i] + target.noise * (x[i] - p.alpha * data[i]) / p.sigma;
  }
  return f;
}

TEST(Rescaled, RowsGetTheDeviationOfTheUnguidedOutput) {
  for (const auto& [name, prediction] : all_predictions()) {
    SCOPED_TRACE(name);
    const Case c(make<Path>("process.path.scaled_linear"), prediction);
    const PathPoint p = c.path->at(0.5);
    const auto x = states(p);
    const auto guided = classifier_free(c.plain, 4.0);
    const auto plain = output(*prediction, p, x, data_of(*c.plain, x, p.t, label(1)));
    const auto before = output(*prediction, p, x, data_of(*guided, x, p.t, label(1)));
    c.field->calls = 0;
    for (const double strength : {1.0, 0.7}) {
      const auto after =
          output(*prediction, p, x, data_of(*rescaled(guided, strength), x, p.t, label(1)));
      for (std::size_t row = 0; row < 3; ++row) {
        const auto part = [&](const std::vector<double>& f) {
          return std::span(f).subspan(row * kDims, kDims);
        };
        const double factor =
            strength * deviation(part(plain)) / deviation(part(before)) + 1.0 - strength;
        for (std::size_t i = 0; i < kDims; ++i) {
          EXPECT_NEAR(part(after)[i], factor * part(before)[i], 1e-9);
        }
      }
    }
    EXPECT_EQ(c.field->calls, 2);  // the plain output costs no evaluation of its own
  }
}

TEST(Rescaled, AFieldOfAnotherPathIsMeasuredInItsOwnOutput) {
  const auto trained = make<Path>("process.path.scaled_linear");
  const auto velocity = make<Prediction>("process.prediction.velocity");
  const Case home(trained, velocity);
  const auto edm = make<Path>("process.path.edm");
  const auto away = std::make_shared<FieldDenoiser>(home.field, edm, trained);
  const PathPoint p = trained->at(0.5);
  const auto x = states(p);
  auto scaled = x;
  for (double& v : scaled) v /= p.alpha;
  const auto here = data_of(*rescaled(classifier_free(home.plain, 4.0), 1.0), x, p.t, label(1));
  const auto there = data_of(*rescaled(classifier_free(away, 4.0), 1.0), scaled,
                             edm->time_of(p.ratio()), label(1));
  expect_near(there, here, 1e-9);
}

TEST(Rescaled, NothingChangesWithoutGuidanceOrWithoutStrength) {
  const Case c;
  const auto x = states(c.path->at(0.4));
  const auto guided = classifier_free(c.plain, 4.0);
  const auto expected = data_of(*guided, x, 0.4, label(1));
  EXPECT_EQ(data_of(*rescaled(guided, 0.0), x, 0.4, label(1)), expected);
  expect_near(data_of(*rescaled(c.plain, 1.0), x, 0.4, label(1)),
              data_of(*c.plain, x, 0.4, label(1)), 1e-13);
}

TEST(DynamicThreshold, RowsAreClippedToTheirQuantileAndScaledBack) {
  const Case c;
  const auto x = states(c.path->at(0.1));
  const auto data = data_of(*c.plain, x, 0.1, nullptr);
  const auto clipped =
      data_of(*dynamic_threshold(c.plain, {.level = 0.75, .range = 0.2}), x, 0.1, nullptr);
  bool changed = false;
  for (std::size_t row = 0; row < 3; ++row) {
    std::vector<double> sizes;
    for (std::size_t i = 0; i < kDims; ++i) sizes.push_back(std::abs(data[row * kDims + i]));
    std::sort(sizes.begin(), sizes.end());
    const double s = std::max(sizes[3], 0.2);  // 0.75 of five numbers' four gaps
    changed |= s > 0.2;
    for (std::size_t i = 0; i < kDims; ++i) {
      EXPECT_NEAR(clipped[row * kDims + i], std::clamp(data[row * kDims + i], -s, s) * 0.2 / s,
                  1e-14);
    }
  }
  EXPECT_TRUE(changed);
  EXPECT_EQ(data_of(*dynamic_threshold(c.plain, {.range = 10.0}), x, 0.1, nullptr), data);
}

TEST(DynamicThreshold, ABoundOfTheRangeClipsStatically) {
  const Case c;
  const auto x = states(c.path->at(0.1));
  auto data = data_of(*c.plain, x, 0.1, nullptr);
  for (double& v : data) v = std::clamp(v, -0.4, 0.4);
  EXPECT_EQ(data_of(*dynamic_threshold(c.plain, {.range = 0.4, .most = 0.4}), x, 0.1, nullptr),
            data);
}

TEST(IntervalGuidance, OutsideOnlyTheFieldIsEvaluated) {
  const Case c;
  const auto guided = classifier_free(c.plain, 4.0);
  const std::pair<IntervalMeasure, double> measures[] = {
      {IntervalMeasure::ratio, c.path->at(0.4).ratio()},
      {IntervalMeasure::log_snr, c.path->at(0.4).log_snr()},
      {IntervalMeasure::time, 0.4}};
  for (const auto& [measure, value] : measures) {
    const auto around = limited(guided, c.plain, {measure, value - 0.05, value + 0.05});
    for (const double t : {0.3, 0.4, 0.5}) {
      const auto x = states(c.path->at(t));
      c.field->asked = 0;
      const auto data = data_of(*around, x, t, label(1));
      EXPECT_EQ(c.field->asked, t == 0.4 ? 6 : 3);
      EXPECT_EQ(data, data_of(t == 0.4 ? *guided : *c.plain, x, t, label(1)));
    }
  }
}

TEST(IntervalGuidance, RowsInsideAndOutsideAreTreatedAlone) {
  const Case c;
  const auto guided = classifier_free(c.plain, 4.0);
  const auto around = limited(guided, c.plain, {IntervalMeasure::time, 0.35, 0.45});
  const auto x = states(c.path->at(0.4));
  Ask ask(x, kDims, 0.4);
  ask.t = {0.3, 0.4, 0.5};
  ask.query.t = ask.t;
  const ConditionPtr one = label(1);
  Form form;
  around->data(ask.space, ask.query, {&one, 1}, {&form, 1});
  const auto data = ask.out(ask.space.combine(form));
  const Vec w = ask.query.x;
  const auto product = ask.out(around->vjp(ask.space, ask.query, one, w));
  for (std::size_t row = 0; row < 3; ++row) {
    const std::vector<double> alone(x.begin() + row * kDims, x.begin() + (row + 1) * kDims);
    const Denoiser& side = row == 1 ? *guided : *c.plain;
    const auto expected = data_of(side, alone, ask.t[row], one);
    Ask single(alone, kDims, ask.t[row]);
    const auto slope = single.out(side.vjp(single.space, single.query, one, single.query.x));
    for (std::size_t i = 0; i < kDims; ++i) {
      EXPECT_NEAR(data[row * kDims + i], expected[i], 1e-13);
      EXPECT_NEAR(product[row * kDims + i], slope[i], 1e-13);
    }
  }
}

TEST(Guidance, KindsNestByName) {
  const Case c;
  const auto named =
      make<Guidance>("process.guidance.interval", {{"low", "0.1"},
                                                   {"high", "3"},
                                                   {"inner", "rescaled"},
                                                   {"inner.strength", "0.6"},
                                                   {"inner.inner", "classifier_free"},
                                                   {"inner.inner.weight", "4"}});
  const auto written = limited(rescaled(classifier_free(c.plain, 4.0, label(2)), 0.6), c.plain,
                               {IntervalMeasure::ratio, 0.1, 3.0});
  const auto around = named->around(c.plain, {.negative = label(2)});
  for (const double t : {0.02, 0.3, 0.9}) {
    const auto x = states(c.path->at(t));
    EXPECT_EQ(data_of(*around, x, t, label(1)), data_of(*written, x, t, label(1))) << t;
  }
}

TEST(Guidance, WhatCannotBeIsOneLine) {
  const Case c;
  const auto x = states(c.path->at(0.4));
  for (const auto& guided : {classifier(c.plain, energy_of(c, 1), 1.0), rescaled(c.plain, 0.5),
                             dynamic_threshold(c.plain, {})}) {
    Ask ask(x, kDims, 0.4);
    EXPECT_EQ(code_of([&] { guided->vjp(ask.space, ask.query, nullptr, ask.query.x); }), 1131);
  }
  const auto needy = make<Guidance>("process.guidance.rescaled", {{"inner", "classifier"}});
  EXPECT_TRUE(needy->needs_energy());
  EXPECT_EQ(code_of([&] { needy->around(c.plain, {}); }), 1134);
  EXPECT_EQ(code_of([] {
              make<Guidance>("process.guidance.interval", {{"low", "1"}, {"high", "1"}});
            }),
            1132);
}

TEST(Guidance, AnOraclesClassifierSamplesItsLabel) {
  const auto samples = [](std::vector<api::Option> options) {
    options.insert(options.end(), {{"oracle", "two_moons"}, {"steps", "12"}, {"path", "vp"}});
    const auto sampler = make<Sampler>("process.sampler", options);
    return sampler->sample({}, {.rows = 20, .dims = 2, .seed = 5, .condition = label(1)});
  };
  const auto with = samples({});
  const auto guided = samples({{"guidance", "classifier"}});
  const auto free = samples({{"guidance", "classifier_free"}, {"guidance.weight", "1"}});
  EXPECT_EQ(with, free);
  for (std::size_t i = 0; i < with.size(); ++i) EXPECT_NEAR(guided[i], with[i], 1e-4);
  EXPECT_NE(samples({{"guidance", "classifier_free"}, {"guidance.weight", "2"}}), with);
}

}  // namespace
}  // namespace gradatim::process
