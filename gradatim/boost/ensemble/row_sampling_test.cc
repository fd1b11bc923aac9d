#include "gradatim/boost/ensemble/row_sampling.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "gradatim/boost/testing.h"

namespace gradatim::boost {
namespace {

using namespace testing;

struct Gradients {
  std::vector<float> g, h, weight;
  SampledGradients of(int outputs = 1) const {
    return {g, h, weight, static_cast<std::int64_t>(g.size()) / outputs, outputs};
  }
};

Gradients random_gradients(std::int64_t rows, std::uint64_t seed) {
  Random r(seed);
  Gradients made;
  for (std::int64_t i = 0; i < rows; ++i) {
    made.g.push_back(static_cast<float>(std::pow(r.normal(), 3.0)));
    made.h.push_back(static_cast<float>(r.uniform()));
    made.weight.push_back(static_cast<float>(0.5 + r.uniform()));
  }
  return made;
}

TEST(Goss, KeepsTheLargestAndAShareOfTheOthers) {
  auto in = random_gradients(20000, 1);
  in.weight.clear();
  const auto sample = draw_rows({.method = SamplingMethod::goss}, in.of(), 3, 4);
  std::vector<std::uint32_t> order(in.g.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return std::abs(in.g[a]) > std::abs(in.g[b]);
  });
  for (std::size_t i = 0; i < 4000; ++i) EXPECT_EQ(sample.weight[order[i]], 1.0F);
  std::int64_t others = 0;
  for (std::size_t i = 4000; i < order.size(); ++i) {
    const float weight = sample.weight[order[i]];
    if (weight == 0.0F) continue;
    ++others;
    EXPECT_FLOAT_EQ(weight, 8.0F);  // (1 - 0.2) / 0.1
  }
  EXPECT_NEAR(static_cast<double>(others), 2000.0, 4.0 * std::sqrt(16000 * 0.125 * 0.875));
  EXPECT_TRUE(std::is_sorted(sample.rows.begin(), sample.rows.end()));
  EXPECT_EQ(static_cast<std::int64_t>(sample.rows.size()), 4000 + others);
}

TEST(Goss, EqualGradientsAreRankedByRow) {
  Gradients in{std::vector<float>(1000, -2.0F), std::vector<float>(1000, 1.0F), {}};
  const auto sample = draw_rows({.method = SamplingMethod::goss, .top_rate = 0.3}, in.of(), 1, 1);
  for (std::size_t i = 0; i < 300; ++i) EXPECT_EQ(sample.weight[i], 1.0F);
  EXPECT_GT(*std::max_element(sample.weight.begin() + 300, sample.weight.end()), 1.0F);
}

TEST(GradientBased, ProbabilitiesSumUpToTheShareAndGrowWithTheGradient) {
  for (const double share : {0.05, 0.3, 0.8}) {
    SCOPED_TRACE(share);
    const auto in = random_gradients(20000, 2);
    const SamplingConfig config{.method = SamplingMethod::gradient_based, .subsample = share};
    const auto sample = draw_rows(config, in.of(), 3, 4);
    EXPECT_NEAR(static_cast<double>(sample.rows.size()), share * 20000.0, 4.0 * std::sqrt(5000.0));
    double mu = 0.0;  // the same of all drawn rows that were not certain
    for (const auto row : sample.rows) {
      const double s = in.weight[row] * std::sqrt(double{in.g[row]} * in.g[row] +
                                                  0.1 * double{in.h[row]} * in.h[row]);
      const double p = double{in.weight[row]} / sample.weight[row];
      EXPECT_LE(p, 1.0 + 1e-6);
      if (p < 1.0 - 1e-6) mu = mu == 0.0 ? s / p : mu;
      EXPECT_NEAR(p, mu == 0.0 ? 1.0 : std::min(1.0, s / mu), 1e-4);
    }
  }
}

TEST(RowSampling, SumsOfGradientsAreUnbiased) {
  const auto in = random_gradients(400, 5);
  double whole = 0.0;
  for (std::size_t i = 0; i < in.g.size(); ++i) whole += double{in.g[i]} * in.weight[i];
  for (const auto method : {SamplingMethod::goss, SamplingMethod::gradient_based}) {
    double sum = 0.0;
    double squares = 0.0;
    constexpr int kDraws = 2000;
    for (std::uint32_t draw = 0; draw < kDraws; ++draw) {
      const auto sample = draw_rows({.method = method, .subsample = 0.3}, in.of(), 9, draw);
      double g = 0.0;
      for (const auto row : sample.rows) g += double{in.g[row]} * sample.weight[row];
      sum += g;
      squares += g * g;
    }
    const double mean = sum / kDraws;
    const double error = std::sqrt((squares / kDraws - mean * mean) / kDraws);
    EXPECT_NEAR(mean, whole, 4.0 * error);
    EXPECT_GT(error, 0.0);
  }
}

TEST(RowSampling, OutputsAreSampledTogether) {
  Gradients in = random_gradients(3000, 6);
  in.weight.clear();
  const auto sample = draw_rows({.method = SamplingMethod::goss}, in.of(3), 1, 1);
  std::int64_t kept = 0;
  for (const float w : sample.weight) kept += w == 1.0F ? 1 : 0;
  EXPECT_EQ(sample.weight.size(), 1000U);
  EXPECT_EQ(kept, 200);
}

TEST(RowSampling, EveryRowIsNotWrittenOut) {
  const auto in = random_gradients(100, 7);
  for (const auto method : {SamplingMethod::uniform, SamplingMethod::gradient_based}) {
    const auto sample = draw_rows({.method = method}, in.of(), 1, 1);
    EXPECT_TRUE(sample.rows.empty());
    EXPECT_TRUE(sample.weight.empty());
  }
  EXPECT_FALSE(draw_rows({.subsample = 1e-9}, in.of(), 1, 1).rows.empty()) << "none is never drawn";
}

TEST(RowSampling, NothingToLearnIsStillASample) {
  const Gradients in{std::vector<float>(100), std::vector<float>(100), {}};
  for (const auto method : {SamplingMethod::goss, SamplingMethod::gradient_based}) {
    EXPECT_FALSE(draw_rows({.method = method, .subsample = 0.5}, in.of(), 1, 1).rows.empty());
  }
}

// x86 makes NaN with the sign bit set.
TEST(RowSampling, GradientsThatAreNotFiniteAreRefused) {
  const float nan = std::nanf("");
  for (const auto method : {SamplingMethod::goss, SamplingMethod::gradient_based}) {
    const auto code = [&](std::size_t row, float g, float h) {
      auto in = random_gradients(5000, 7);
      in.g[row] = g;
      in.h[row] = h;
      return code_of([&] { draw_rows({.method = method, .subsample = 0.5}, in.of(), 1, 1); });
    };
    EXPECT_EQ(code(4999, 1.0F, 1.0F), 0);
    for (const float bad : {nan, -nan, HUGE_VALF, -HUGE_VALF}) {
      EXPECT_EQ(code(0, bad, 1.0F), 4001) << bad;
      EXPECT_EQ(code(4999, 1.0F, bad), 4001) << bad;
    }
  }
}

// Finite gradients, but a size beyond a float.
TEST(Goss, ASizeBeyondAFloatIsTheLargest) {
  auto in = random_gradients(5000, 7);
  in.g[17] = in.weight[17] = 3e38F;
  const auto sample = draw_rows({.method = SamplingMethod::goss}, in.of(), 1, 1);
  EXPECT_EQ(sample.weight[17], 3e38F);
}

TEST(RowSampling, AFitWhoseGradientsOverflowSaysSo) {
  auto table = learnable({.rows = 2000}, Target::numbers, 1);
  std::vector<double> y(2000), margin(2000, -2000.0);
  for (std::size_t i = 0; i < y.size(); ++i) y[i] = static_cast<double>(i % 2);
  auto columns = std::vector<data::Column>{table.columns()[0], data::numeric_column("y", y),
                                           data::numeric_column("m", margin)};
  auto request = request_of(data::Table(std::move(columns)));
  request.base_margin = {"m"};
  const Options options = {{"loss", "tweedie"}, {"sampling_method", "goss"}};
  EXPECT_EQ(code_of([&] { fit("boost.newton", options, request); }), 4001);
}

TEST(RowSampling, SharesAboveAllAreRefused) {
  const auto rows = request_of(learnable({.rows = 50}, Target::numbers, 1));
  const auto code = [&](const std::string& other) {
    return code_of([&] {
      fit("boost.newton", {{"sampling_method", "goss"}, {"top_rate", "0.5"}, {"other_rate", other}},
          rows);
    });
  };
  EXPECT_EQ(code("0.6"), 1003);
  EXPECT_EQ(code("0.5"), 0);
}

// Fewer rows, nearly the loss of all of them.
TEST(RowSampling, LearnsNearlyWhatAllRowsTeach) {
  const auto rows = request_of(learnable({.rows = 6000, .numeric = 4}, Target::numbers, 8));
  const auto y = numbers(rows.table.column("y"));
  const auto error = [&](const std::string& model, Options options) {
    options.insert(options.end(), {{"n_estimators", "40"}, {"learning_rate", "0.1"}});
    const auto scores = margins(*fit(model, options, rows), rows.table);
    double sum = 0.0;
    for (std::size_t i = 0; i < y.size(); ++i) sum += (y[i] - scores[i]) * (y[i] - scores[i]);
    return sum / static_cast<double>(y.size());
  };
  for (const char* model : {"boost.newton", "boost.gradient"}) {
    const double all = error(model, {});
    EXPECT_LT(error(model, {{"sampling_method", "goss"}}), 1.1 * all);
    EXPECT_LT(error(model, {{"sampling_method", "gradient_based"}, {"subsample", "0.3"}}),
              1.1 * all);
  }
}

}  // namespace
}  // namespace gradatim::boost
