// The likelihood of oracles, whose density is known.
#include "gradatim/process/likelihood.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "gradatim/process/guidance.h"
#include "gradatim/process/testing.h"

namespace gradatim::process {
namespace {

using namespace testing;

DenoiserPtr denoiser_of(const Mixture& mixture, const std::shared_ptr<const Path>& path,
                        std::string_view prediction = "process.prediction.v") {
  return std::make_shared<FieldDenoiser>(
      std::make_shared<MixtureField>(mixture, path, make<Prediction>(prediction)), path);
}

Likelihood of(const Denoiser& denoiser, const std::vector<double>& x, std::int64_t dims,
              const LikelihoodOptions& options, const ConditionPtr& condition = nullptr) {
  Ask ask(x, dims, 0.0);
  return log_prob(ask.space, denoiser, condition, ask.query.x, ask.rows, options);
}

std::vector<double> exact(const Mixture& mixture, const std::vector<double>& x,
                          std::int64_t asked = kAnyLabel) {
  const auto path = make<Path>("process.path.vp");
  const MixtureField field(mixture, path, make<Prediction>("process.prediction.v"));
  std::vector<double> result(x.size() / static_cast<std::size_t>(mixture.dims));
  field.log_prob(*path, x, 0.0, result, asked);
  return result;
}

std::vector<double> rows_of(const Mixture& mixture, std::size_t count) {
  std::vector<double> x(count * static_cast<std::size_t>(mixture.dims));
  draw(mixture, 7, 0, kAnyLabel, x);
  return x;
}

TEST(Likelihood, ItIsTheOraclesOnEveryPath) {
  for (const std::int64_t dims : {1, 2, 8}) {
    const Mixture mixture = test_mixture(dims);
    const auto x = rows_of(mixture, 4);
    const auto expected = exact(mixture, x);
    auto paths = all_paths();
    std::string betas = "0.2";
    for (int k = 1; k < 40; ++k) betas += ",0.2";
    paths.push_back(
        {"process.path.given betas", make<Path>("process.path.given", {{"betas", betas}})});
    for (const auto& [name, path] : paths) {
      if (name == "process.path.given") continue;  // its two betas do not reach noise
      SCOPED_TRACE(name + " in " + std::to_string(dims));
      const auto got = of(*denoiser_of(mixture, path), x, dims, {.end = EndDensity::field});
      for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_NEAR(got.log_prob[i], expected[i], 1e-4);
        EXPECT_EQ(got.standard_error[i], 0.0);
        EXPECT_GT(got.evaluations[i], 6);
      }
    }
  }
}

TEST(Likelihood, EveryPredictionGivesTheSame) {
  const Mixture mixture = test_mixture(2);
  const auto x = rows_of(mixture, 3);
  const auto expected = exact(mixture, x);
  for (const char* path : {"process.path.rectified", "process.path.edm"}) {
    for (const auto& [name, prediction] : all_predictions()) {
      SCOPED_TRACE(std::string(path) + ", " + name);
      const auto got =
          of(*denoiser_of(mixture, make<Path>(path), name), x, 2, {.end = EndDensity::field});
      for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(got.log_prob[i], expected[i], 1e-4);
    }
  }
}

TEST(Likelihood, WhereNoSignalIsLeftBothEndsAgree) {
  const Mixture mixture = test_mixture(2);
  const auto x = rows_of(mixture, 4);
  const auto expected = exact(mixture, x);
  for (const char* path : {"process.path.rectified", "process.path.trigonometric"}) {
    const auto got = of(*denoiser_of(mixture, make<Path>(path)), x, 2, {});
    for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(got.log_prob[i], expected[i], 1e-3);
  }
}

TEST(Likelihood, AtTheStartItIsTheDensityOfWhatIsSampled) {
  // N(0, sigma_T^2) through the exact flow is normal again: mean m - alpha m c, deviation sigma c,
  // with c = s / sqrt(v_T).
  const double m = 0.8, s = 0.4;
  const auto path = make<Path>("process.path.scaled_linear");
  const PathPoint p = path->at(1.0);
  const double c = s / std::hypot(p.alpha * s, p.sigma);
  const std::vector<double> x = {0.1, 0.8, 1.3};
  const auto got = of(*denoiser_of({{1.0}, {m}, {s}, 1}, path), x, 1, {});
  for (std::size_t i = 0; i < 3; ++i) {
    const double z = (x[i] - m + p.alpha * m * c) / (p.sigma * c);
    EXPECT_NEAR(got.log_prob[i],
                -0.5 * z * z - std::log(p.sigma * c) - 0.5 * std::log(2.0 * std::numbers::pi),
                1e-5);
  }
}

TEST(Likelihood, ALabelHasItsOwn) {
  const Mixture mixture = test_mixture(2);
  const auto x = rows_of(mixture, 3);
  const auto expected = exact(mixture, x, 1);
  const auto got = of(*denoiser_of(mixture, make<Path>("process.path.rectified")), x, 2,
                      {.end = EndDensity::field}, label(1));
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(got.log_prob[i], expected[i], 1e-4);
}

TEST(Likelihood, OfAGuidedFieldItStillAddsUpToOne) {
  const auto path = make<Path>("process.path.rectified");
  const auto guided = classifier_free(denoiser_of(test_mixture(1), path), 2.0);
  std::vector<double> x;
  for (int k = -300; k <= 300; ++k) x.push_back(0.02 * k);
  const auto got = of(*guided, x, 1, {}, label(1));
  double total = 0.0;
  for (const double value : got.log_prob) total += 0.02 * std::exp(value);
  EXPECT_NEAR(total, 1.0, 1e-4);
}

TEST(Likelihood, ProbesAgreeWithTheTraceWithinTheirStandardError) {
  const Mixture mixture = test_mixture(8);
  const auto path = make<Path>("process.path.rectified");
  const auto denoiser = denoiser_of(mixture, path);
  const auto x = rows_of(mixture, 6);
  const auto expected = of(*denoiser, x, 8, {});
  for (const Probe probe : {Probe::rademacher, Probe::normal}) {
    double ratio = 0.0;
    std::vector<double> error;
    for (const int probes : {8, 128}) {
      const auto got = of(*denoiser, x, 8, {.probes = probes, .probe = probe, .seed = 3});
      for (std::size_t i = 0; i < 6; ++i) {
        EXPECT_GT(got.standard_error[i], 0.0);
        EXPECT_NEAR(got.log_prob[i], expected.log_prob[i], 4.0 * got.standard_error[i]);
      }
      if (!error.empty()) {
        for (std::size_t i = 0; i < 6; ++i) ratio += error[i] / got.standard_error[i] / 6.0;
      }
      error = got.standard_error;
    }
    EXPECT_NEAR(ratio, 4.0, 1.2);  // sqrt(128 / 8), of deviations estimated from 8
  }
}

TEST(Likelihood, InOneDimensionASignIsExact) {
  const Mixture mixture = test_mixture(1);
  const auto x = rows_of(mixture, 3);
  const auto path = make<Path>("process.path.rectified");
  const auto trace = of(*denoiser_of(mixture, path), x, 1, {});
  const auto got = of(*denoiser_of(mixture, path), x, 1, {.probes = 2});
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(got.log_prob[i], trace.log_prob[i], 1e-5);  // the steps see one column more
    EXPECT_EQ(got.standard_error[i], 0.0);
  }
}

TEST(Likelihood, ARowIsTheSameInEveryBatch) {
  const Mixture mixture = test_mixture(3);
  const auto x = rows_of(mixture, 4);
  const auto denoiser = denoiser_of(mixture, make<Path>("process.path.vp"));
  const LikelihoodOptions options{.probes = 3};
  const auto all = of(*denoiser, x, 3, options);
  Ask ask({x.begin() + 6, x.begin() + 9}, 3, 0.0);
  ask.rows = {2};
  const auto alone = log_prob(ask.space, *denoiser, nullptr, ask.query.x, ask.rows, options);
  EXPECT_EQ(alone.log_prob[0], all.log_prob[2]);
  EXPECT_EQ(alone.standard_error[0], all.standard_error[2]);
}

TEST(Likelihood, StatesInFloat32CostFewDigits) {
  const Mixture mixture = test_mixture(8);
  const auto x = rows_of(mixture, 4);
  const auto expected = exact(mixture, x);
  const std::vector<std::int64_t> rows = {0, 1, 2, 3};
  for (const auto& [name, path] : all_paths()) {
    if (name == "process.path.given") continue;
    for (const char* prediction : {"process.prediction.v", "process.prediction.noise"}) {
      SCOPED_TRACE(name + ", " + prediction);
      HostSpace<float> space;
      const auto got = log_prob(space, *denoiser_of(mixture, path, prediction), nullptr,
                                space.from(x, 4, 8), rows, {.end = EndDensity::field});
      for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(got.log_prob[i], expected[i], 2e-3);
    }
  }
}

// The velocity of a mixture on a path, as a field and no more.
class PlainVelocity final : public Field {
 public:
  PlainVelocity(const Mixture& mixture, const std::shared_ptr<const Path>& path)
      : inner_(mixture, path, make<Prediction>("process.prediction.velocity")) {}
  const Prediction& prediction() const override { return inner_.prediction(); }
  bool differentiable() const override { return true; }
  bool independent_noise() const override { return false; }
  void eval(Space& space, const Query& query, std::span<const ConditionPtr> conditions,
            std::span<Vec> out) const override {
    inner_.eval(space, query, conditions, out);
  }
  Vec vjp(Space& space, const Query& query, const ConditionPtr& condition,
          const Vec& w) const override {
    return inner_.vjp(space, query, condition, w);
  }

 private:
  MixtureField inner_;
};

Likelihood plainly(const Field& field, const Path& path, const std::vector<double>& x,
                   std::int64_t dims, const LikelihoodOptions& options) {
  Ask ask(x, dims, 0.0);
  return velocity_log_prob(ask.space, field, path, nullptr, ask.query.x, ask.rows, options);
}

TEST(Likelihood, InPlainTimeItIsTheOraclesAndThatByTheAngle) {
  for (const char* name : {"rectified", "trigonometric"}) {
    const auto path = make<Path>(std::string("process.path.") + name);
    for (const std::int64_t dims : {1, 2, 8}) {
      SCOPED_TRACE(std::string(name) + " in " + std::to_string(dims));
      const Mixture mixture = test_mixture(dims);
      const auto x = rows_of(mixture, 4);
      const auto expected = exact(mixture, x);
      const PlainVelocity field(mixture, path);
      const auto got = plainly(field, *path, x, dims, {});
      const auto by_angle = of(*denoiser_of(mixture, path, "process.prediction.velocity"), x, dims,
                               {.end = EndDensity::field});
      for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_NEAR(got.log_prob[i], expected[i], 1e-3);
        EXPECT_NEAR(got.log_prob[i], by_angle.log_prob[i], 1e-3);
        EXPECT_EQ(got.standard_error[i], 0.0);
        EXPECT_GT(got.evaluations[i], 6);
      }
    }
  }
}

TEST(Likelihood, InPlainTimeProbesAgreeWithTheTraceWithinTheirStandardError) {
  const Mixture mixture = test_mixture(8);
  const auto path = make<Path>("process.path.rectified");
  const PlainVelocity field(mixture, path);
  const auto x = rows_of(mixture, 6);
  const auto expected = plainly(field, *path, x, 8, {});
  const auto got = plainly(field, *path, x, 8, {.probes = 64, .seed = 3});
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_GT(got.standard_error[i], 0.0);
    EXPECT_NEAR(got.log_prob[i], expected.log_prob[i], 4.0 * got.standard_error[i]);
  }
}

// dx/dt = a x + b, which no independent noise gives: exact data hold noise here.
class Straight final : public Field {
 public:
  static constexpr double kGrowth = 0.7, kShift = -0.4;
  const Prediction& prediction() const override { return *velocity_; }
  bool differentiable() const override { return true; }
  bool independent_noise() const override { return false; }
  void eval(Space& space, const Query& query, std::span<const ConditionPtr>,
            std::span<Vec> out) const override {
    std::vector<double> x(static_cast<std::size_t>(query.x.rows() * query.x.dims()));
    space.copy_out(query.x, x);
    for (double& number : x) number = kGrowth * number + kShift;
    out[0] = space.from(x, query.x.rows(), query.x.dims());
  }
  Vec vjp(Space& space, const Query&, const ConditionPtr&, const Vec& w) const override {
    Form form;
    form.add(kGrowth, w);
    return space.combine(form);
  }

 private:
  std::shared_ptr<const Prediction> velocity_ = make<Prediction>("process.prediction.velocity");
};

TEST(Likelihood, OfAFlowThatNoIndependentNoiseGivesBothWaysAgree) {
  const auto path = make<Path>("process.path.rectified");
  const auto field = std::make_shared<Straight>();
  const std::vector<double> x = {0.3, -0.5, 1.0, 2.0};
  const auto plain = plainly(*field, *path, x, 2, {});
  const auto by_angle = of(FieldDenoiser(field, path), x, 2, {});
  const double growth = std::exp(Straight::kGrowth);
  for (std::size_t i = 0; i < 2; ++i) {
    double expected = 2.0 * Straight::kGrowth - std::log(2.0 * std::numbers::pi);
    for (std::size_t j = 2 * i; j < 2 * i + 2; ++j) {
      const double z = growth * x[j] + Straight::kShift * (growth - 1.0) / Straight::kGrowth;
      expected -= 0.5 * z * z;
    }
    EXPECT_NEAR(plain.log_prob[i], expected, 1e-5);
    EXPECT_NEAR(by_angle.log_prob[i], expected, 1e-3);  // it ends a little before the noise
    EXPECT_LT(by_angle.evaluations[i], 200);
  }
  EXPECT_EQ(code_of([&] { plainly(*field, *path, {1e200, 0.0}, 2, {}); }), 4031);
}

TEST(Likelihood, BitsAreNatsOfACellADimension) {
  // An even density over 256 cells of [-1, 1]^3 is 8 bits a dimension.
  EXPECT_NEAR(bits_per_dim(3.0 * std::log(0.5), 3, 2.0 / 256.0), 8.0, 1e-12);
  EXPECT_NEAR(bits_per_dim(-2.0 * std::numbers::ln2, 2), 1.0, 1e-12);
}

class Blunt final : public Field {
 public:
  const Prediction& prediction() const override { return *data_; }
  void eval(Space&, const Query& query, std::span<const ConditionPtr>,
            std::span<Vec> out) const override {
    out[0] = query.x;
  }
  std::shared_ptr<const Prediction> data_ = make<Prediction>("process.prediction.data");
};

class OtherSource final : public Path {
 public:
  PathPoint at(double t) const override { return {t, 1.0 - t, t, -1.0, 1.0}; }
  double time_of(double ratio) const override { return ratio / (1.0 + ratio); }
  bool gaussian_source() const override { return false; }
};

TEST(Likelihood, WhatHasNoneIsOneLine) {
  const std::vector<double> x = {0.1, 0.2};
  const auto path = make<Path>("process.path.rectified");
  const FieldDenoiser blunt(std::make_shared<Blunt>(), path);
  EXPECT_EQ(code_of([&] { of(blunt, x, 2, {}); }), 1103);
  const auto other = std::make_shared<OtherSource>();
  EXPECT_EQ(code_of([&] { of(*denoiser_of(test_mixture(2), other), x, 2, {}); }), 1135);
  const auto plain = denoiser_of(test_mixture(2), path);
  EXPECT_EQ(code_of([&] { of(*plain, x, 2, {.probes = 1}); }), 1135);
  EXPECT_EQ(code_of([&] { of(*rescaled(plain, 0.5), x, 2, {}); }), 1131);
  const auto noise = make<Prediction>("process.prediction.noise");
  const MixtureField no_velocity(test_mixture(2), path, noise);
  EXPECT_EQ(code_of([&] { plainly(no_velocity, *path, x, 2, {}); }), 1188);
  const auto steep = make<Path>("process.path.vp");
  EXPECT_EQ(code_of([&] { plainly(PlainVelocity(test_mixture(2), steep), *steep, x, 2, {}); }),
            1188);
  EXPECT_EQ(
      code_of([&] { plainly(PlainVelocity(test_mixture(2), path), *path, x, 2, {.probes = 1}); }),
      1135);
}

}  // namespace
}  // namespace gradatim::process
