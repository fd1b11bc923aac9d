// Laws of every grid on every path, and what each is named for.
#include "gradatim/process/grid.h"

#include <gtest/gtest.h>

#include <cmath>

#include "gradatim/process/grid/beta_quantile.h"
#include "gradatim/process/testing.h"

namespace gradatim::process {
namespace {

using namespace testing;

std::vector<double> times(std::string_view name, const Path& path, int steps,
                          const std::vector<api::Option>& options = {}) {
  return make<Grid>("process.grid." + std::string(name), options)->times(path, steps);
}

TEST(Grid, TimesFallFromTheEndOfThePathToTheData) {
  for (const NamedPath& named : all_paths()) {
    for (const api::Entry* entry : api::Registry::instance().list(Grid::kKind)) {
      for (const int steps : {1, 2, 3, 17, 200}) {
        const auto t = make<Grid>(entry->text.name)->times(*named.path, steps);
        const bool given = entry->text.name == "process.grid.given";
        EXPECT_EQ(t.size(), given ? 3U : static_cast<std::size_t>(steps + 1)) << entry->text.name;
        EXPECT_LE(t.front(), named.path->last());
        EXPECT_GE(t.back(), 0.0);
        EXPECT_TRUE(t.back() == 0.0 || entry->text.name == "process.grid.log_snr");
        for (std::size_t i = 1; i < t.size(); ++i) {
          EXPECT_TRUE(t[i] < t[i - 1]) << entry->text.name << " on " << named.name << ", " << steps
                                       << " steps, at " << i << ": " << t[i - 1] << ", " << t[i];
        }
      }
    }
  }
}

TEST(Grid, LevelsAreEvenInWhatTheGridIsNamedFor) {
  const auto path = make<Path>("process.path.scaled_linear");
  const auto ratio = [&](double t) { return path->at(t).ratio(); };
  const auto exponential = times("exponential", *path, 5);
  const auto log_snr = times("log_snr", *path, 5);
  const auto karras = times("karras", *path, 5);
  for (std::size_t i = 1; i + 1 < 5; ++i) {
    EXPECT_NEAR(std::pow(ratio(exponential[i]), 2.0),
                ratio(exponential[i - 1]) * ratio(exponential[i + 1]), 1e-6);
    EXPECT_NEAR(std::pow(ratio(log_snr[i]), 2.0), ratio(log_snr[i - 1]) * ratio(log_snr[i + 1]),
                1e-6);
  }
  EXPECT_NEAR(log_snr.back(), path->first(), 1e-12);
  const auto root = [&](std::size_t i) { return std::pow(ratio(karras[i]), 1.0 / 7.0); };
  EXPECT_NEAR(root(0) - root(1), root(2) - root(3), 1e-9);
  EXPECT_NEAR(times("quadratic", *path, 4)[1], 9.0 / 16.0, 1e-15);
  EXPECT_NEAR(times("leading", *path, 10, {{"offset", "1"}})[0], 0.902, 1e-12);
  EXPECT_NEAR(times("linspace", *path, 10)[1], 0.889, 1e-12);
  // Stable Diffusion 3's shift by 3: 1/2 becomes 3/4.
  EXPECT_NEAR(times("flow_shift", *make<Path>("process.path.rectified"), 2)[1], 0.75, 1e-15);
}

TEST(Grid, BetaQuantilesInvertTheDistribution) {
  for (const double a : {0.1, 0.6, 1.0, 3.0}) {
    for (const double b : {0.2, 0.6, 1.0, 20.0}) {
      for (const double level : {0.001, 0.1, 0.5, 0.9, 0.999}) {
        const double x = beta_quantile(level, a, b);
        if (x < 1.0 - 1e-12) {
          EXPECT_NEAR(incomplete_beta(x, a, b), level, 1e-10) << a << " " << b;
        }
      }
    }
  }
  EXPECT_NEAR(beta_quantile(0.3, 1.0, 1.0), 0.3, 1e-14);
  // The arcsine distribution: I_x(1/2, 1/2) = 2 / pi asin(sqrt(x)).
  EXPECT_NEAR(incomplete_beta(0.2, 0.5, 0.5), 2.0 / 3.14159265358979324 * std::asin(std::sqrt(0.2)),
              1e-13);
  // diffusers' beta sigmas of Stable Diffusion, ten steps.
  const auto path = make<Path>("process.path.scaled_linear");
  const auto t = times("beta", *path, 10, {{"spread", "ratio"}});
  const double expected[] = {14.6146, 13.9278, 12.491,  10.5976,  8.44244,
                             6.20137, 4.0462,  2.15283, 0.716024, 0.0291675};
  for (std::size_t i = 0; i < 10; ++i) EXPECT_NEAR(path->at(t[i]).ratio(), expected[i], 2e-4);
}

// The dynamic programme against every choice of two inner levels among its candidates.
TEST(Grid, OptimisedIsTheBestOfAllChoices) {
  const auto path = make<Path>("process.path.scaled_linear");
  const double c = 0.5;
  const auto step = [&](double from, double to) {
    const double y = std::hypot(c, from), d = c * c / y, exact = std::hypot(c, to);
    return std::abs(d + (y - d) / from * to - exact) * c / exact;
  };
  const auto levels = log_even(path->at(1.0).ratio(), path->at(path->first()).ratio(), 102);
  double best = INFINITY;
  for (std::size_t i = 1; i < levels.size(); ++i) {
    for (std::size_t j = i + 1; j < levels.size(); ++j) {
      best = std::min(best,
                      step(levels[0], levels[i]) + step(levels[i], levels[j]) + step(levels[j], 0));
    }
  }
  const auto t = times("optimised", *path, 3, {{"candidates", "103"}});
  double found = 0.0;
  for (std::size_t i = 0; i < 3; ++i) {
    found += step(path->at(t[i]).ratio(), path->at(t[i + 1]).ratio());
  }
  EXPECT_NEAR(found, best, 1e-9);
}

TEST(Grid, RefusesWhatIsNotAGrid) {
  const auto path = make<Path>("process.path.scaled_linear");
  for (const api::Entry* entry : api::Registry::instance().list(Grid::kKind)) {
    if (entry->text.name == "process.grid.given") continue;
    for (const int steps : {0, -3}) {
      EXPECT_EQ(code_of([&] { make<Grid>(entry->text.name)->times(*path, steps); }), 1111)
          << entry->text.name;
    }
  }
  for (const char* name : {"karras", "exponential", "log_snr", "optimised"}) {
    EXPECT_EQ(code_of([&] { times(name, *path, 5, {{"sigma_max", "1000"}}); }), 1110) << name;
    EXPECT_EQ(code_of([&] {
                times(name, *path, 5, {{"sigma_min", "3"}, {"sigma_max", "2"}});
              }),
              1110)
        << name;
  }
  EXPECT_EQ(code_of([&] { times("given", *path, 5, {{"times", "2,1,0"}}); }), 1110);
}

}  // namespace
}  // namespace gradatim::process
