// Laws of oracles: what they say of a density agrees with the density, under every path and
// prediction.
#include "gradatim/process/oracle.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "gradatim/core/normal.h"
#include "gradatim/process/testing.h"

namespace gradatim::process {
namespace {

using namespace testing;

constexpr double kParts[] = {0.03, 0.31, 0.62, 0.97};

template <class F>
void for_every_field(const Mixture& mixture, const F& f) {
  for (const auto& [path_name, path] : all_paths()) {
    for (const auto& [name, prediction] : all_predictions()) {
      const MixtureField field(mixture, path, prediction);
      for (const double part : kParts) {
        const double t = part * path->last();
        SCOPED_TRACE(path_name + ", " + name + " at " + std::to_string(t));
        f(field, *path, *prediction, path->at(t));
      }
    }
  }
}

// E[data | x] by the trapezoidal rule, whose error vanishes for smooth densities.
double data_by_quadrature(const Mixture& mixture, const PathPoint& p, double x) {
  double top = 0.0, bottom = 0.0;
  for (int k = -20000; k <= 20000; ++k) {
    const double y = k * 2.5e-4;
    double density = 0.0;
    for (std::size_t c = 0; c < mixture.components(); ++c) {
      const double z = (y - mixture.means[c]) / mixture.deviations[c];
      density += mixture.weights[c] / mixture.deviations[c] * std::exp(-0.5 * z * z);
    }
    const double z = (x - p.alpha * y) / p.sigma;
    const double joint = density * std::exp(-0.5 * z * z);
    top += joint * y;
    bottom += joint;
  }
  return top / bottom;
}

TEST(Oracle, TheDenoiserIsTheMeanOfTheDataByQuadrature) {
  const Mixture mixture = test_mixture(1);
  for (const auto& [path_name, path] : all_paths()) {
    SCOPED_TRACE(path_name);
    for (const double part : kParts) {
      const PathPoint p = path->at(part * path->last());
      const double x = p.alpha * 0.4 + p.sigma * -0.7;
      const double data = data_by_quadrature(mixture, p, x);
      for (const auto& [name, prediction] : all_predictions()) {
        SCOPED_TRACE(name);
        const MixtureField field(mixture, path, prediction);
        const double f = eval(field, {prediction->input_scale(p) * x}, p.t)[0];
        const FromField back = prediction->data(p);
        const double size = std::abs(back.x * x) + std::abs(back.f * f);
        EXPECT_NEAR(back.x * x + back.f * f, data, 1e-10 + 1e-13 * size);
      }
    }
  }
}

TEST(Oracle, TheScoreIsTheGradientOfTheLogDensity) {
  const Mixture mixture = test_mixture(3);
  const auto score = make<Prediction>("process.prediction.score");
  for (const auto& [path_name, path] : all_paths()) {
    SCOPED_TRACE(path_name);
    const MixtureField field(mixture, path, score);
    for (const double part : kParts) {
      const PathPoint p = path->at(part * path->last());
      for (const std::int64_t asked : {kAnyLabel, std::int64_t{1}}) {
        std::vector<double> x = {0.2 * p.alpha + 0.9 * p.sigma, -0.3 * p.sigma, -0.6 * p.alpha};
        const auto s = eval(field, x, p.t, asked == kAnyLabel ? nullptr : label(asked));
        for (std::size_t i = 0; i < 3; ++i) {
          const double h = 1e-5 * std::hypot(p.alpha * 0.3, p.sigma);
          const double middle = x[i];
          double value[2];
          for (const int side : {0, 1}) {
            x[i] = middle + (side == 0 ? -h : h);
            field.log_prob(*path, x, p.t, {&value[side], 1}, asked);
          }
          x[i] = middle;
          const double slope = (value[1] - value[0]) / (2.0 * h);
          EXPECT_NEAR(s[i], slope, 1e-6 * (1.0 + std::abs(slope)) / std::min(1.0, p.sigma));
        }
      }
    }
  }
}

TEST(Oracle, TheVjpIsTheDerivativeOfTheField) {
  for_every_field(test_mixture(2), [](const MixtureField& field, const Path&,
                                      const Prediction& prediction, const PathPoint& p) {
    const double scale = prediction.input_scale(p);
    const std::vector<double> x = {scale * (0.2 * p.alpha + 0.9 * p.sigma),
                                   scale * (-0.6 * p.alpha - 0.3 * p.sigma)};
    const std::vector<double> w = {0.8, -1.7};
    for (const ConditionPtr& condition : {ConditionPtr(), label(2)}) {
      Ask ask(x, 2, p.t);
      const auto product =
          ask.out(field.vjp(ask.space, ask.query, condition, ask.space.from(w, 1, 2)));
      for (std::size_t i = 0; i < 2; ++i) {
        const double h = 1e-5 * scale * std::hypot(p.alpha * 0.3, p.sigma);
        auto moved = x;
        double slope = 0.0;
        for (const double side : {-1.0, 1.0}) {
          moved[i] = x[i] + side * h;
          const auto f = eval(field, moved, p.t, condition);
          slope += side * (w[0] * f[0] + w[1] * f[1]) / (2.0 * h);
        }
        const Target size = prediction.target(p);
        EXPECT_NEAR(product[i], slope,
                    1e-6 * (std::abs(slope) + std::abs(size.data) + std::abs(size.noise)) / scale /
                        std::min(1.0, std::hypot(p.alpha, p.sigma)));
      }
    }
  });
}

TEST(Oracle, FieldsAreFiniteAtBothEndsOfEveryPath) {
  const Mixture mixture = test_mixture(2);
  for (const auto& [path_name, path] : all_paths()) {
    for (const auto& [name, prediction] : all_predictions()) {
      const MixtureField field(mixture, path, prediction);
      for (const double t : {0.0, path->last()}) {
        SCOPED_TRACE(path_name + ", " + name + " at " + std::to_string(t));
        const double scale = prediction->input_scale(path->at(t));
        for (const double f : eval(field, {0.4 * scale, -0.7 * scale}, t)) {
          EXPECT_TRUE(std::isfinite(f));
        }
        Ask ask({0.4 * scale, -0.7 * scale}, 2, t);
        for (const double f : ask.out(field.vjp(ask.space, ask.query, nullptr,
                                                ask.space.from(std::vector{1., 2.}, 1, 2)))) {
          EXPECT_TRUE(std::isfinite(f));
        }
      }
    }
  }
}

TEST(Oracle, DensitiesAddUpToOneAndLabelsToTheWhole) {
  for (const api::Entry* entry : api::Registry::instance().list(OracleMaker::kKind)) {
    SCOPED_TRACE(std::string(entry->text.name));
    const auto maker = make<OracleMaker>(entry->text.name);
    if (maker->dims() > 2) continue;
    const auto path = make<Path>("process.path.vp");
    const auto oracle = maker->on(path, make<Prediction>("process.prediction.v"));
    // The trapezoidal rule again; in one dimension, the other one has a single place.
    const int most = 280;
    const double step = 0.025;
    const bool flat = maker->dims() == 1;
    std::vector<double> x;
    for (int i = -most; i <= most; ++i) {
      for (int j = flat ? 0 : -most; j <= (flat ? 0 : most); ++j) {
        x.push_back(i * step);
        if (!flat) x.push_back(j * step);
      }
    }
    std::vector<double> density(x.size() / static_cast<std::size_t>(maker->dims()));
    oracle->log_prob(*path, x, 0.05, density);
    double total = 0.0;
    for (const double d : density) total += std::exp(d) * (flat ? step : step * step);
    EXPECT_NEAR(total, 1.0, 1e-9);

    const Mixture& mixture = oracle->mixture();
    const std::span<const double> one(x.data(), static_cast<std::size_t>(maker->dims()));
    double whole = 0.0, sum = 0.0;
    oracle->log_prob(*path, one, 0.6, {&whole, 1});
    for (std::int64_t k = 0; k < mixture.label_count(); ++k) {
      double share = 0.0, part = 0.0;
      for (std::size_t c = 0; c < mixture.components(); ++c) {
        if (mixture.label_of(c) == k) share += mixture.weights[c];
      }
      oracle->log_prob(*path, one, 0.6, {&part, 1}, k);
      sum += share * std::exp(part);
    }
    EXPECT_NEAR(std::log(sum), whole, 1e-10);
  }
}

TEST(Oracle, ARowOfTheDataIsAFunctionOfSeedAndRow) {
  const Mixture mixture = test_mixture(5);
  std::vector<double> all(40 * 5), part(7 * 5), other(7 * 5);
  draw(mixture, 3, 0, kAnyLabel, all);
  draw(mixture, 3, 11, kAnyLabel, part);
  EXPECT_TRUE(std::equal(part.begin(), part.end(), all.begin() + 11 * 5));
  draw(mixture, 4, 11, kAnyLabel, other);
  EXPECT_NE(part, other);
}

TEST(Oracle, DrawsAreComponentsMeansAndNormalNumbers) {
  const Mixture mixture = test_mixture(3);
  constexpr std::size_t kRows = 30000;
  std::vector<double> x(3 * kRows), z(4 * kRows), labelled(3 * kRows);
  draw(mixture, 1, 0, kAnyLabel, x);
  draw(mixture, 1, 0, 2, labelled);
  normals(Philox(1, Stream::data), 0, z);
  std::vector<double> counts(3);
  for (std::size_t row = 0; row < kRows; ++row) {
    std::size_t found = 3;
    for (std::size_t k = 0; k < 3; ++k) {
      bool same = true;
      for (std::size_t i = 0; i < 3; ++i) {
        const double expected =
            mixture.means[3 * k + i] + mixture.deviations[3 * k + i] * z[4 * row + i];
        same &= std::abs(x[3 * row + i] - expected) < 1e-12;
        if (k == 2) {
          ASSERT_NEAR(labelled[3 * row + i], expected, 1e-12);
        }
      }
      if (same) found = k;
    }
    ASSERT_LT(found, 3U);
    ++counts[found];
  }
  for (std::size_t k = 0; k < 3; ++k) {  // within 4 standard errors
    const double w = mixture.weights[k];
    EXPECT_NEAR(counts[k] / kRows, w, 4.0 * std::sqrt(w * (1.0 - w) / kRows));
  }
}

TEST(Oracle, TheExactFlowFollowsTheVelocityAndKeepsDensity) {
  const auto velocity = make<Prediction>("process.prediction.velocity");
  const Mixture mixture{{1.0}, {0.7, -0.4}, {0.3, 1.2}, 2};
  for (const auto& [path_name, path] : all_paths()) {
    SCOPED_TRACE(path_name);
    const MixtureField field(mixture, path, velocity);
    const PathPoint p = path->at(0.43017 * path->last());
    const double h = 1e-6 * path->last();
    const std::vector<double> x = {0.5 * p.alpha + p.sigma, -p.sigma};
    auto up = x, down = x, round = x;
    ASSERT_TRUE(flow_exactly(mixture, kAnyLabel, p, path->at(p.t + h), up));
    ASSERT_TRUE(flow_exactly(mixture, kAnyLabel, p, path->at(p.t - h), down));
    const auto v = eval(field, x, p.t);
    for (std::size_t i = 0; i < 2; ++i) {
      EXPECT_NEAR((up[i] - down[i]) / (2.0 * h), v[i], 1e-5 * (1.0 + std::abs(v[i])));
    }
    flow_exactly(mixture, kAnyLabel, p, path->at(0.0), round);
    double here = 0.0, there = 0.0;
    field.log_prob(*path, x, p.t, {&here, 1});
    field.log_prob(*path, round, 0.0, {&there, 1});
    const double volume = std::log(0.3 / std::hypot(p.alpha * 0.3, p.sigma)) +
                          std::log(1.2 / std::hypot(p.alpha * 1.2, p.sigma));
    EXPECT_NEAR(there + volume, here, 1e-9);
    flow_exactly(mixture, kAnyLabel, path->at(0.0), p, round);
    for (std::size_t i = 0; i < 2; ++i) EXPECT_NEAR(round[i], x[i], 1e-12 * (1.0 + std::abs(x[i])));
  }
}

TEST(Oracle, SeveralComponentsHaveNoClosedFlowAndOneLabelHas) {
  const Mixture mixture = test_mixture(1);
  const auto path = make<Path>("process.path.vp");
  std::vector<double> x = {0.3};
  EXPECT_FALSE(flow_exactly(mixture, kAnyLabel, path->at(0.5), path->at(0.0), x));
  EXPECT_TRUE(flow_exactly(mixture, 1, path->at(0.5), path->at(0.0), x));
}

TEST(Oracle, ListsThatDoNotFitAreRefused) {
  const auto mixture = [](const std::string& weights, const std::string& means,
                          const std::string& deviations) {
    return code_of([&] {
      make<OracleMaker>(
          "process.oracle.gaussian_mixture",
          {{"dims", "2"}, {"weights", weights}, {"means", means}, {"deviations", deviations}});
    });
  };
  EXPECT_EQ(mixture("1,3", "0,0,1,1", "0.5"), 0);
  EXPECT_EQ(mixture("1,3", "0,0,1,1", "0.5,0.2"), 0);
  EXPECT_EQ(mixture("1,3", "0,0,1,1", "0.5,0.2,1,1"), 0);
  EXPECT_EQ(mixture("1,3", "0,0,1", "0.5"), 1133);
  EXPECT_EQ(mixture("1,3", "0,0,1,1", "0.5,1,1"), 1133);
  EXPECT_EQ(mixture("[]", "[]", "0.5"), 1133);
}

TEST(Oracle, ALabelIsChecked) {
  const auto moons =
      make<OracleMaker>("process.oracle.two_moons")
          ->on(make<Path>("process.path.vp"), make<Prediction>("process.prediction.v"));
  EXPECT_EQ(code_of([&] { moons->check(label(1).get()); }), 0);
  EXPECT_EQ(code_of([&] { moons->check(label(2).get()); }), 1104);
  EXPECT_EQ(code_of([&] { moons->check(label(-1).get()); }), 1104);
}

}  // namespace
}  // namespace gradatim::process
