// Laws of every path in the manifest, and the published numbers of some.
#include "gradatim/process/path.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <map>

#include "gradatim/process/path/table_path.h"
#include "gradatim/process/testing.h"

namespace gradatim::process {
namespace {

using namespace testing;

template <class F>
void for_every_path(const F& f) {
  for (const auto& [name, path] : all_paths()) {
    SCOPED_TRACE(name);
    f(*path);
  }
}

// Times inside a path that are no entry of a table, where derivatives may jump.
std::vector<double> inner_times(const Path& path) {
  std::vector<double> times;
  for (const double part :
       {0.00137, 0.0313, 0.11137, 0.25031, 0.50047, 0.75063, 0.94117, 0.99837}) {
    times.push_back(part * path.last());
  }
  return times;
}

TEST(Paths, TimeZeroIsExactData) {
  for_every_path([](const Path& path) {
    EXPECT_EQ(path.at(0.0).alpha, 1.0);
    EXPECT_EQ(path.at(0.0).sigma, 0.0);
    EXPECT_EQ(path.at(0.0).ratio(), 0.0);
    EXPECT_EQ(path.at(0.0).log_snr(), std::numeric_limits<double>::infinity());
    EXPECT_EQ(path.time_of(0.0), 0.0);
  });
}

TEST(Paths, TheEndsAreOnThePathAndFinite) {
  for_every_path([](const Path& path) {
    EXPECT_GT(path.first(), 0.0);
    EXPECT_LT(path.first(), path.last());
    EXPECT_GT(path.at(path.first()).sigma, 0.0);
    const PathPoint end = path.at(path.last());
    EXPECT_TRUE(std::isfinite(end.sigma) && end.sigma > 0.0);
    EXPECT_GE(end.alpha, 0.0);
    EXPECT_EQ(path.prior_scale(), end.sigma);
    EXPECT_TRUE(std::isfinite(end.alpha_rate) && std::isfinite(end.sigma_rate));
    EXPECT_NEAR(path.time_of(std::numeric_limits<double>::infinity()), path.last(), 1e-12);
    EXPECT_NEAR(path.time_of(end.ratio()), path.last(), 1e-9 * path.last());
    EXPECT_LE(path.time_of(1e300), path.last());
  });
}

TEST(Paths, RatesAreDerivatives) {
  for_every_path([](const Path& path) {
    for (const double t : inner_times(path)) {
      // Across an entry of a table the rates jump: the step stays within one interval.
      const double h = 2e-6 * std::min(t, path.last() - t) + 1e-9 * path.last();
      const PathPoint p = path.at(t);
      const PathPoint a = path.at(t - h);
      const PathPoint b = path.at(t + h);
      const double alpha_rate = (b.alpha - a.alpha) / (2.0 * h);
      const double sigma_rate = (b.sigma - a.sigma) / (2.0 * h);
      EXPECT_NEAR(p.alpha_rate, alpha_rate, 1e-5 * std::abs(alpha_rate) + 1e-7) << t;
      EXPECT_NEAR(p.sigma_rate, sigma_rate, 1e-5 * std::abs(sigma_rate) + 1e-7) << t;
    }
  });
}

TEST(Paths, TheNoiseLevelGivesTheTimeBack) {
  for_every_path([](const Path& path) {
    for (const double t : inner_times(path)) {
      EXPECT_NEAR(path.time_of(path.at(t).ratio()), t, 1e-9 * path.last()) << t;
    }
    const double most = path.at(path.last()).ratio();
    for (double ratio = 1e-4; ratio < std::min(most, 1e5); ratio *= 3.0) {
      EXPECT_NEAR(path.at(path.time_of(ratio)).ratio() / ratio, 1.0, 1e-6) << ratio;
    }
  });
}

TEST(Paths, LogSnrFallsStrictly) {
  for_every_path([](const Path& path) {
    double before = std::numeric_limits<double>::infinity();
    for (int k = 1; k <= 2000; ++k) {
      const double now = path.at(path.last() * k / 2000.0).log_snr();
      EXPECT_LT(now, before) << k;
      before = now;
    }
  });
}

TEST(Paths, NoSignalIsLeftWhereItIsSaid) {
  for (const auto& [name, path] : all_paths()) {
    SCOPED_TRACE(name);
    const bool none = name.ends_with("zero_terminal_snr") || name.ends_with("rectified") ||
                      name.ends_with("trigonometric");
    const PathPoint end = path->at(path->last());
    EXPECT_EQ(end.alpha == 0.0, none);
    if (!none) continue;
    EXPECT_EQ(end.sigma, 1.0);
    EXPECT_EQ(end.log_snr(), -std::numeric_limits<double>::infinity());
    EXPECT_LT(end.alpha_rate, 0.0);
  }
}

// Entries t = 0, 1, 250, 499, 500, 750, 998, 999 of diffusers 0.42.1, which computes them in
// float32.
TEST(Paths, TablesHaveTheNumbersOfTheirPublishedCode) {
  constexpr std::array<std::size_t, 8> kEntries = {0, 1, 250, 499, 500, 750, 998, 999};
  const std::map<std::string, std::array<double, 8>> known = {
      {"process.path.linear",
       {.999899983, .999780059, .521422982, .078587234, .0777966529, .00330015854, 4.11819419e-05,
        4.03583035e-05}},
      {"process.path.scaled_linear",
       {.999149978, .998296022, .673792303, .27766943, .276332468, .0561698042, .00471669575,
        .00466009509}},
      {"process.path.cosine",
       {.999958694, .99991256, .845888019, .493843466, .492285043, .143178657, 2.42876627e-06,
        2.42873499e-09}},
      {"process.path.sigmoid",
       {.99985081, .999701023, .90279901, .301930994, .298887581, .00562291965, 4.04896236e-05,
        3.96818214e-05}},
      {"process.path.scaled_linear zero_terminal_snr",
       {.999149978, .998233497, .65245676, .242358997, .241018638, .03279908, 1.96796336e-07, 0.0}},
  };
  std::size_t compared = 0;
  for (const auto& [name, path] : all_paths()) {
    const auto found = known.find(name);
    if (found == known.end()) continue;
    SCOPED_TRACE(name);
    ++compared;
    const auto& table = dynamic_cast<const TablePath&>(*path);
    for (std::size_t k = 0; k < kEntries.size(); ++k) {
      // float32's products of up to a thousand factors; the rescaled ones subtract nearly equal
      // roots in float32.
      const double expected = found->second[k];
      const double tolerance = expected < 1e-6 ? 1e-3 : 2e-5;
      EXPECT_NEAR(table.alpha_bar(kEntries[k]), expected, tolerance * expected) << kEntries[k];
      const double t = static_cast<double>(kEntries[k] + 1) / static_cast<double>(table.size());
      const double alpha = path->at(t).alpha;
      EXPECT_NEAR(alpha * alpha, table.alpha_bar(kEntries[k]), 1e-15);
      EXPECT_NEAR(path->model_time(t), static_cast<double>(kEntries[k]), 1e-9);
    }
  }
  EXPECT_EQ(compared, known.size());
}

TEST(Paths, TheSdesHaveTheirPublishedDriftAndDiffusion) {
  const auto vp = make<Path>("process.path.vp");
  const auto sub_vp = make<Path>("process.path.sub_vp");
  const auto ve = make<Path>("process.path.ve");
  for (const double t : {0.001, 0.1, 0.37, 0.5, 0.82, 1.0}) {
    const double beta = 0.1 + t * 19.9;
    const double sum = 0.1 * t + 0.5 * 19.9 * t * t;
    EXPECT_NEAR(vp->at(t).drift(), -0.5 * beta, 1e-12 * beta);
    EXPECT_NEAR(vp->at(t).diffusion(), beta, 1e-11 * beta);
    EXPECT_NEAR(sub_vp->at(t).drift(), -0.5 * beta, 1e-12 * beta);
    EXPECT_NEAR(sub_vp->at(t).diffusion(), beta * -std::expm1(-2.0 * sum), 1e-11 * beta);
    EXPECT_EQ(ve->at(t).drift(), 0.0);
    const double growth = std::log(50.0 / 0.01);
    const double published = 0.01 * 0.01 * std::exp(2.0 * t * growth) * 2.0 * growth;
    EXPECT_NEAR(ve->at(t).diffusion(), published, 1e-11 * published);
  }
}

TEST(Paths, DriftAndDiffusionGiveTheMarginalsBack) {
  // d(sigma^2)/dt = 2 f sigma^2 + g^2 and d(alpha)/dt = f alpha, by definition; g^2 is never below
  // 0.
  for_every_path([](const Path& path) {
    for (const double t : inner_times(path)) {
      const PathPoint p = path.at(t);
      EXPECT_GE(p.diffusion(), 0.0) << t;
      EXPECT_NEAR(p.drift() * p.alpha, p.alpha_rate, 1e-12 * std::abs(p.alpha_rate));
      const double grows = 2.0 * p.sigma * p.sigma_rate;
      EXPECT_NEAR(2.0 * p.drift() * p.sigma * p.sigma + p.diffusion(), grows,
                  1e-10 * (std::abs(grows) + p.diffusion()));
    }
  });
}

TEST(Paths, ATableThatBeginsWithoutNoiseStillHasAFirstTime) {
  const auto path = make<Path>("process.path.given", {{"betas", "0,0,0.1,0.2"}});
  EXPECT_DOUBLE_EQ(path->first(), 0.75);
  EXPECT_GT(path->at(path->first()).sigma, 0.0);
  for (const double t : {0.0, 0.1, 0.25, 0.4, 0.5, 0.7, 1.0}) {
    EXPECT_FALSE(std::isnan(path->at(t).sigma_rate)) << t;
  }
}

TEST(Paths, HostileSettingsAreRefused) {
  EXPECT_EQ(code_of([] { make<Path>("process.path.given", {{"betas", "[]"}}); }), 1102);
  EXPECT_EQ(code_of([] { make<Path>("process.path.given", {{"betas", "0,0"}}); }), 1102);
  const std::vector<api::Option> none = {
      {"beta_start", "0"}, {"beta_end", "0"}, {"zero_terminal_snr", "true"}};
  EXPECT_EQ(code_of([&] { make<Path>("process.path.linear", none); }), 1102);
  const std::vector<api::Option> falling = {{"sigma_min", "5"}, {"sigma_max", "5"}};
  EXPECT_EQ(code_of([&] { make<Path>("process.path.ve", falling); }), 1130);
  EXPECT_EQ(code_of([&] { make<Path>("process.path.edm", falling); }), 1130);
}

TEST(Paths, BetasMayFall) {
  for (const auto* name : {"process.path.vp", "process.path.sub_vp"}) {
    const auto path = make<Path>(name, {{"beta_min", "10"}, {"beta_max", "0.1"}});
    for (const double t : {0.01, 0.3, 0.7, 0.99, 1.0}) {
      EXPECT_NEAR(path->time_of(path->at(t).ratio()), t, 1e-9) << name;
    }
    EXPECT_EQ(path->time_of(1e9), 1.0) << name;
  }
}

}  // namespace
}  // namespace gradatim::process
