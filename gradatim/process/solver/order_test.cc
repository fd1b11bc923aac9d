// The order of every solver on a Gaussian and its errors, as the registry states them.
#include <fmt/format.h>

#include <set>

#include "gradatim/process/ode.h"
#include "gradatim/process/solver/certify.h"

namespace gradatim::process {
namespace {

using namespace testing;

constexpr Moments kData{0.3, 0.5};

double order(const Solver& solver, const Moments& data, int coarse = 40, int fine = 160) {
  const auto path = anchor_path();
  const double first = gaussian_error(solver, path, grid("trailing", *path, coarse), data);
  const double second = gaussian_error(solver, path, grid("trailing", *path, fine), data);
  return std::log(first / second) / std::log(static_cast<double>(fine) / coarse);
}

bool draws(const Solver& solver) {
  const auto path = anchor_path();
  return Impulses(*solver.program(*path, grid("trailing", *path, 5))).count() > 0;
}

std::string figures(const Solver& solver) {
  const auto path = anchor_path();
  const bool noisy = draws(solver);
  std::string text = fmt::format(
      "order {:.1f} on a Gaussian (trailing, 40 to 160 steps); error on {} (quadratic) at 10, 20, "
      "40 evaluations:",
      order(solver, kData), noisy ? "it" : "two modes");
  for (const int evaluations : {10, 20, 40}) {
    const auto times = grid("quadratic", *path, solver.steps_for(evaluations));
    const double error = noisy ? gaussian_error(solver, path, times, kData)
                               : flow_error(solver, path, times, two_modes());
    text += fmt::format("{} {:.1e}", evaluations == 10 ? "" : ",", error);
  }
  return text;
}

// Of solvers that do not walk a grid of steps towards the data.
std::string figures_of_rk45() {
  const auto path = anchor_path();
  std::string text = "error on two modes with atol = rtol = 1e-3, 1e-5, 1e-7:";
  for (const char* tolerance : {"1e-3", "1e-5", "1e-7"}) {
    const auto rk45 = solver("rk45", {{"atol", tolerance}, {"rtol", tolerance}});
    text += fmt::format("{} {:.1e}", text.ends_with(":") ? "" : ",",
                        flow_error(*rk45, path, {1.0, 0.0}, two_modes()));
  }
  return text;
}

// The methods that need another field, see law_test.cc, or are not linear.
const std::set<std::string_view> kOthers = {
    "process.solver.consistency",         "process.solver.lcm",          "process.solver.tcd",
    "process.solver.predictor_corrector", "process.solver.ddim_inverse", "process.solver.restart"};

TEST(Order, TheRegistryStatesWhatIsMeasured) {
  for (const api::Entry* entry : api::Registry::instance().list(Solver::kKind)) {
    if (kOthers.contains(entry->text.name)) continue;
    const std::string measured = entry->text.name == "process.solver.rk45"
                                     ? figures_of_rk45()
                                     : figures(*make<Solver>(entry->text.name));
    EXPECT_EQ(entry->text.measured, measured) << entry->text.name;
  }
}

struct Case {
  const char* name;
  std::vector<api::Option> options;
  double least;
};

TEST(Order, IsKeptToExactDataWhateverTheScaleOfTheData) {
  const Case cases[] = {
      {"ddim", {}, 0.8},
      {"heun", {}, 1.8},
      {"dpm_solver_2", {}, 1.75},
      {"dpm_solver_pp_2s", {}, 1.8},
      {"dpm_solver_pp_2m", {}, 1.8},
      {"dpm_solver_pp_3m", {}, 2.0},
      {"uni_pc", {{"order", "2"}}, 1.8},
      {"uni_pc", {}, 2.5},
      {"dpm_solver", {}, 1.8},
      {"lms", {}, 2.0},
  };
  for (const Case& c : cases) {
    for (const double deviation : {0.5, 0.7, 1.0}) {
      EXPECT_GE(order(*solver(c.name, c.options), {0.3, deviation}, 20, 160), c.least)
          << c.name << ", deviation " << deviation;
    }
    // Narrow data take longer to show it: their scale is resolved by few of 20 steps.
    EXPECT_GE(order(*solver(c.name, c.options), {0.3, 0.35}, 80, 640), c.least) << c.name;
  }
}

TEST(Order, FallsToTheFirstInTheLogSnrOnTrailingGrids) {
  // What peers do, and the reason for the gain's basis.
  for (const char* name : {"dpm_solver_pp_2m", "dpm_solver_pp_3m", "uni_pc"}) {
    EXPECT_LT(order(*solver(name, {{"basis", "log_snr"}}), kData), 1.3) << name;
  }
}

TEST(Order, HoldsFromAnInfiniteRatioOn) {
  for (const char* name : {"process.path.rectified", "process.path.trigonometric"}) {
    const auto path = make<Path>(name);
    for (const char* method : {"dpm_solver_pp_2s", "dpm_solver_pp_2m", "uni_pc", "heun"}) {
      const auto s = solver(method);
      const double coarse = gaussian_error(*s, path, grid("trailing", *path, 40), kData);
      const double fine = gaussian_error(*s, path, grid("trailing", *path, 160), kData);
      EXPECT_GE(std::log(coarse / fine) / std::log(4.0), 1.7) << method << " on " << name;
    }
  }
}

}  // namespace
}  // namespace gradatim::process
