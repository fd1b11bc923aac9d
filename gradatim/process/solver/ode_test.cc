// The adaptive method, and both directions of the probability flow.
#include "gradatim/process/ode.h"

#include <gtest/gtest.h>

#include <numbers>

#include "gradatim/process/solver/certify_test.h"

namespace gradatim::process {
namespace {

using namespace testing;

constexpr Moments kData{0.3, 0.5};

// x' = lambda x with a rate a row; counts the rows it is asked about.
class Decay final : public Drift {
 public:
  Vec slope(Space& space, const Query& query) const override {
    std::vector<double> rates;
    for (const std::int64_t row : query.rows)
      rates.push_back(-1.0 - 20.0 * static_cast<double>(row));
    asked += static_cast<std::int64_t>(query.rows.size());
    Form form;
    form.add(1.0, query.x, rates);
    return space.combine(form);
  }
  mutable std::int64_t asked = 0;
};

std::vector<double> numbers(Space& space, const Vec& x) {
  std::vector<double> out(static_cast<std::size_t>(x.rows() * x.dims()));
  space.copy_out(x, out);
  return out;
}

TEST(Ode, EveryRowHasItsOwnStepsAndNeverSeesItsNeighbours) {
  HostSpace<double> space;
  const std::vector<double> start = {1.0, 1.0, 1.0};
  const std::vector<std::int64_t> rows = {0, 1, 5};
  const Decay drift;
  const OdeResult all = integrate(space, drift, space.from(start, 3, 1), 0.0, 1.0, rows,
                                  {.atol = 1e-9, .rtol = 1e-9});
  const auto together = numbers(space, all.x);
  std::int64_t asked = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(together[i], std::exp(-1.0 - 20.0 * static_cast<double>(rows[i])), 1e-8);
    const OdeResult alone = integrate(space, drift, space.from(std::vector<double>{1.0}, 1, 1), 0.0,
                                      1.0, {&rows[i], 1}, {.atol = 1e-9, .rtol = 1e-9});
    EXPECT_EQ(numbers(space, alone.x)[0], together[i]);
    EXPECT_EQ(alone.evaluations[0], all.evaluations[i]);
    asked += 2 * all.evaluations[i];
  }
  EXPECT_LT(all.evaluations[0], all.evaluations[2]);
  EXPECT_EQ(drift.asked, asked);  // finished rows are not asked about
}

TEST(Ode, EvenStepsAreOfFifthOrder) {
  HostSpace<double> space;
  const std::vector<std::int64_t> rows = {0};
  const auto error = [&](int steps) {
    const Vec end = integrate(space, Decay(), space.from(std::vector<double>{1.0}, 1, 1), 0.0, 2.0,
                              rows, {.steps = steps})
                        .x;
    return std::abs(numbers(space, end)[0] - std::exp(-2.0));
  };
  EXPECT_NEAR(std::log2(error(10) / error(20)), 5.0, 0.3);
}

TEST(Rk45, EndsOnTheFlowToItsToleranceOnEveryPath) {
  const auto rk45 = solver("rk45", {{"atol", "1e-8"}, {"rtol", "1e-8"}});
  for (const NamedPath& named : all_paths()) {
    const std::vector<double> times = {named.path->last(), 0.0};
    const PathPoint top = named.path->at(times[0]);
    // The starts are at the scale of the path's prior.
    const FieldDenoiser denoiser(gaussian(named.path, kData), named.path);
    HostSpace<double> space;
    const Moments prior = marginal(top, kData);
    std::vector<double> x = {prior.mean - 2.0 * prior.deviation, prior.mean,
                             prior.mean + prior.deviation};
    const std::vector<std::int64_t> rows = {0, 1, 2};
    const auto end =
        numbers(space, rk45->solve({space, denoiser, nullptr, times, rows}, space.from(x, 3, 1)));
    EXPECT_NEAR(end[0], kData.mean - 2.0 * kData.deviation, 1e-5) << named.name;
    EXPECT_NEAR(end[1], kData.mean, 1e-5) << named.name;
    EXPECT_NEAR(end[2], kData.mean + kData.deviation, 1e-5) << named.name;
  }
}

// dx/dt = x + t on the rectified path: exact data hold noise.
class Growth final : public Field {
 public:
  const Prediction& prediction() const override { return *velocity_; }
  bool independent_noise() const override { return false; }
  void eval(Space& space, const Query& query, std::span<const ConditionPtr>,
            std::span<Vec> out) const override {
    auto x = numbers(space, query.x);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] += query.t[i];
    out[0] = space.from(x, query.x.rows(), query.x.dims());
  }

 private:
  std::shared_ptr<const Prediction> velocity_ = make<Prediction>("process.prediction.velocity");
};

TEST(Flow, ThatNoIndependentNoiseGivesIsSolvedByAllThatDrawNone) {
  const auto path = make<Path>("process.path.rectified");
  const FieldDenoiser denoiser(std::make_shared<Growth>(), path);
  const std::vector<std::int64_t> rows = {0, 1};
  // x + t + 1 grows by e.
  const std::vector<double> data = {0.5, -1.0}, noise = {1.5 * std::numbers::e - 2.0, -2.0};
  const auto end = [&]<class T>(HostSpace<T> space, const Solver& how, std::vector<double> times) {
    const auto& from = times.front() > 0.0 ? noise : data;
    return numbers(space,
                   how.solve({space, denoiser, nullptr, times, rows}, space.from(from, 2, 1)));
  };
  const auto rk45 = solver("rk45");
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_NEAR(end(HostSpace<double>(), *rk45, {1.0, 0.0})[i], data[i], 1e-4);
    EXPECT_NEAR(end(HostSpace<float>(), *rk45, {1.0, 0.0})[i], data[i], 1e-4);
    EXPECT_NEAR(end(HostSpace<double>(), *rk45, {0.0, 1.0})[i], noise[i], 1e-4);
    for (const char* name : {"euler", "heun", "dpm_solver_pp_2m", "uni_pc", "ddim"}) {
      const double most =
          name == std::string_view("euler") || name == std::string_view("ddim") ? 2e-2 : 1e-3;
      EXPECT_NEAR(end(HostSpace<double>(), *solver(name), grid("trailing", *path, 100))[i], data[i],
                  most)
          << name;
    }
  }
  for (const char* name :
       {"ddpm", "euler_ancestral", "euler_maruyama", "dpm_solver_pp_sde", "predictor_corrector"}) {
    EXPECT_EQ(
        code_of([&] { end(HostSpace<double>(), *solver(name), grid("trailing", *path, 10)); }),
        1189)
        << name;
  }
}

TEST(Flow, HasTheMarginalsOfThePathOnTheWay) {
  for (const char* name : {"vp", "sub_vp", "ve", "rectified"}) {
    const auto path = make<Path>(std::string("process.path.") + name);
    for (const double end : {0.75, 0.5, 0.25}) {
      std::vector<double> times = grid("trailing", *path, 400);
      std::erase_if(times, [&](double t) { return t < end - 1e-12; });
      EXPECT_LT(gaussian_error(*solver("uni_pc"), path, times, kData), 1e-4) << name << ", " << end;
      const std::vector<double> two = {1.0, end};
      EXPECT_LT(
          flow_error(*solver("rk45", {{"atol", "1e-7"}, {"rtol", "1e-7"}}), path, two, two_modes()),
          1e-3)
          << name << ", " << end;
    }
  }
}

// From data to noise and back.
double round_trip(const Solver& up, const Solver& down, const std::shared_ptr<const Path>& path,
                  std::vector<double> times) {
  const FieldDenoiser denoiser(
      std::make_shared<MixtureField>(two_modes(), path, make<Prediction>("process.prediction.v")),
      path);
  HostSpace<double> space;
  std::vector<double> x;
  for (int i = 0; i < 30; ++i) x.push_back(i < 10 ? -1.3 + 0.06 * i : 0.3 + 0.07 * (i - 10));
  std::vector<std::int64_t> rows(x.size());
  std::iota(rows.begin(), rows.end(), 0);
  std::vector<double> rising(times.rbegin(), times.rend());
  const Vec noise = up.solve({space, denoiser, nullptr, rising, rows},
                             space.from(x, static_cast<std::int64_t>(x.size()), 1));
  const auto back = numbers(space, down.solve({space, denoiser, nullptr, times, rows}, noise));
  double worst = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) worst = std::max(worst, std::abs(back[i] - x[i]));
  return worst;
}

TEST(Flow, AnInversionOfHigherOrderEndsInTheDistributionOfTheNoise) {
  const auto path = anchor_path();
  auto times = grid("karras", *path, 200);
  std::ranges::reverse(times);
  EXPECT_LT(gaussian_error(*solver("ddim_inverse", {{"order", "3"}}), path, times, kData), 2e-5);
}

TEST(Flow, FromDataToNoiseAndBackReturns) {
  for (const char* name : {"scaled_linear", "rectified", "vp"}) {
    const auto path = make<Path>(std::string("process.path.") + name);
    const auto rk45 = solver("rk45", {{"atol", "1e-7"}, {"rtol", "1e-7"}});
    EXPECT_LT(round_trip(*rk45, *rk45, path, {1.0, 0.0}), 1e-3) << name;
  }
  const auto path = anchor_path();
  const auto times = grid("quadratic", *path, 200);
  EXPECT_LT(round_trip(*solver("ddim_inverse", {{"order", "3"}}), *solver("uni_pc"), path, times),
            1e-3);
  // DDIM's own inversion is of first order.
  const double coarse = round_trip(*solver("ddim_inverse"), *solver("ddim"), path, times);
  const double fine =
      round_trip(*solver("ddim_inverse"), *solver("ddim"), path, grid("quadratic", *path, 800));
  EXPECT_LT(fine, 0.35 * coarse);
}

}  // namespace
}  // namespace gradatim::process
