// Poisson, gamma and Tweedie: means above 0 by their logarithm.
#include <gtest/gtest.h>

#include "gradatim/boost/loss/testing.h"

namespace gradatim::boost {
namespace {

using namespace testing;

TEST(LogLink, PredictionsAreExponentialsOfScores) {
  for (const char* name : {"poisson", "gamma", "tweedie"}) {
    const std::vector<double> scores = {-2.0, 0.0, 3.0};
    std::vector<double> out(3);
    loss(name)->transform(scores, 1, out);
    for (int i = 0; i < 3; ++i) EXPECT_NEAR(out[i], std::exp(scores[i]), 1e-14 * out[i]) << name;
  }
}

TEST(LogLink, LabelsOutsideTheDomainAreRefusedByName) {
  for (const char* name : {"poisson", "tweedie"}) {
    EXPECT_EQ(code_of([&] { loss(name)->check({}, std::vector<float>{0, 0.5F, 7}); }), 0) << name;
    EXPECT_EQ(code_of([&] { loss(name)->check({}, std::vector<float>{1, -0.25F}); }), 2032) << name;
  }
  EXPECT_EQ(code_of([] { loss("gamma")->check({}, std::vector<float>{1, 0}); }), 2032);
  try {
    loss("gamma")->check({}, std::vector<float>{1, -0.25F, 0});
  } catch (const DataError& error) {
    EXPECT_EQ(error.message(),
              "boost.loss.gamma needs labels above 0, and there is -0.25; correct the target or "
              "choose another loss");
  }
}

TEST(LogLink, ATargetOfZerosHasAFiniteStart) {
  for (const char* name : {"poisson", "tweedie"}) {
    EXPECT_TRUE(std::isfinite(loss(name)->base_score({}, std::vector<float>{0, 0}, {}).front()));
  }
}

TEST(Poisson, TheHessianIsTheCurvatureAtTheFarEndOfAStep) {
  const auto made = gradients(*loss("poisson", {{"max_step", "2"}}), {3}, {0.5});
  EXPECT_FLOAT_EQ(made.h[0], std::exp(2.5F));
  EXPECT_FLOAT_EQ(gradients(*loss("poisson", {{"max_step", "0"}}), {3}, {0.5}).h[0],
                  std::exp(0.5F));
}

TEST(Tweedie, NearPowerOneAndTwoHasTheGradientsOfPoissonAndGamma) {
  const std::vector<float> label = {0.5F, 3};
  const std::vector<double> score = {0.3, -0.7};
  const auto one = gradients(*loss("tweedie", {{"power", "1.0000001"}}), label, score);
  const auto poisson = gradients(*loss("poisson"), label, score);
  const auto two = gradients(*loss("tweedie", {{"power", "1.9999999"}}), label, score);
  const auto gamma = gradients(*loss("gamma"), label, score);
  for (int i = 0; i < 2; ++i) {
    EXPECT_NEAR(one.g[i], poisson.g[i], 1e-5);
    EXPECT_NEAR(two.g[i], gamma.g[i], 1e-5);
  }
}

// x0 decides between means 1 and 8; counts, amounts and totals around them.
TEST(LogLink, AFitFindsTheMeansOfTwoGroups) {
  Random r(11);
  std::vector<double> x, y;
  for (int i = 0; i < 2000; ++i) {
    x.push_back(i % 2);
    y.push_back((i % 2 == 0 ? 1.0 : 8.0) * (0.5 + r.uniform()));
  }
  const double sums[] = {0.0, 0.0};
  std::vector<double> mean(sums, sums + 2);
  for (int i = 0; i < 2000; ++i) mean[i % 2] += y[i] / 1000;
  const data::Table table({data::numeric_column("x", x), data::numeric_column("y", y)});
  for (const char* name : {"poisson", "gamma", "tweedie"}) {
    for (const char* model : {"boost.newton", "boost.gradient"}) {
      const auto fitted = fit(model, {{"loss", name}, {"n_estimators", "150"}}, request_of(table));
      const auto made = fitted->predict(table, {});
      EXPECT_NEAR(made.values[0], mean[0], 0.02) << name;
      EXPECT_NEAR(made.values[1], mean[1], 0.02) << name;
    }
  }
}

TEST(Tweedie, IsEvaluatedByTheDevianceOfItsOwnPower) {
  Random r(3);
  std::vector<double> x, y;
  for (int i = 0; i < 300; ++i) {
    x.push_back(r.uniform());
    y.push_back(r.uniform() < 0.5 ? 0.0 : x.back() + r.uniform());
  }
  const data::Table table({data::numeric_column("x", x), data::numeric_column("y", y)});
  const auto with_power = [&](const char* power) {
    const auto fitted = fit(
        "boost.newton",
        {{"loss", "tweedie"}, {"power", power}, {"n_estimators", "1"}, {"learning_rate", "1e-9"}},
        request_of(table));
    for (const auto& [name, value] : fitted->evaluate(table, {}, "")) {
      if (name == "tweedie_deviance") return value;
    }
    return -1.0;
  };
  EXPECT_GT(with_power("1.2"), 0.0);
  EXPECT_GT(std::abs(with_power("1.2") - with_power("1.8")), 0.01);
}

}  // namespace
}  // namespace gradatim::boost
