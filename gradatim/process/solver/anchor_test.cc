// Errors at equal evaluations beside those of diffusers 0.42.1, on a Gaussian N(0.3, 0.5^2) and on
// two modes, along Stable Diffusion's betas; root mean squares over 45 starts against the exact
// flow.
#include <fmt/format.h>

#include <array>

#include "gradatim/process/solver/certify.h"

namespace gradatim::process {
namespace {

using namespace testing;

constexpr std::array<int, 5> kSteps = {5, 10, 20, 40, 80};
constexpr double kMissed = -1.0;  // a cell that is not met; why stands beside it

struct Row {
  const char* peer;
  std::array<double, 5> peers;
  const char* solver;
  std::vector<api::Option> options;
  const char* grid;
  std::vector<api::Option> grid_options;
  std::array<double, 5> missed = {};  // kMissed where peers' figure stays below ours
};

const std::vector<api::Option> kLow = {{"sigma_min", "0.004"}};

// All solvers make as many evaluations as the peer's row: N, 2 N - 1 of Heun, N + 1 of PNDM.
const Row kRows[] = {
    {"DDIM trailing", {2.53e-1, 1.50e-1, 8.64e-2, 4.86e-2, 1.01e-2}, "ddim", {}, "optimised", kLow},
    // At N = 5 and 10 diffusers steps to times that are not on its grid, and lands near the data by
    // accident (its error grows from 5 to 10 steps); ours are 1.39e-1 and 7.27e-2.
    {"DDIM linspace",
     {3.74e-2, 5.26e-2, 4.19e-2, 2.71e-2, 9.67e-3},
     "ddim",
     {},
     "optimised",
     kLow,
     {kMissed, kMissed}},
    {"Euler trailing",
     {2.53e-1, 1.50e-1, 8.64e-2, 4.86e-2, 2.67e-2},
     "euler",
     {},
     "optimised",
     kLow},
    {"Euler karras", {2.25e-1, 1.11e-1, 5.58e-2, 2.84e-2, 1.47e-2}, "euler", {}, "optimised", kLow},
    {"DPM++1 trailing",
     {2.53e-1, 1.50e-1, 8.64e-2, 4.86e-2, 2.67e-2},
     "dpm_solver_pp_2m",
     {{"order", "1"}},
     "optimised",
     kLow},
    // Heun's error changes its sign about N = 40 in diffusers' runs: 7.74e-4, and 6.09e-4 with
    // twice the work. Ours there is 1.1e-3, at N = 80 2.7e-4; dpm_solver_2 meets the whole row.
    {"Heun linspace",
     {1.54e-1, 2.92e-2, 6.19e-3, 7.74e-4, 6.09e-4},
     "heun",
     {},
     "quadratic",
     {},
     {0, 0, 0, kMissed, 0}},
    {"Heun linspace",
     {1.54e-1, 2.92e-2, 6.19e-3, 7.74e-4, 6.09e-4},
     "dpm_solver_2",
     {},
     "quadratic",
     {}},
    {"Heun karras",
     {2.74e-1, 4.44e-2, 8.38e-3, 1.07e-3, 5.83e-4},
     "heun",
     {},
     "optimised",
     {{"data_scale", "1.0"}}},
    {"LMS linspace", {1.85e-1, 2.05e-2, 9.50e-4, 4.40e-4, 7.14e-5}, "lms", {}, "linspace", {}},
    {"DPM++2M trailing",
     {2.35e-1, 1.17e-1, 5.44e-2, 2.52e-2, 1.13e-2},
     "dpm_solver_pp_2m",
     {},
     "trailing",
     {}},
    {"DPM++2M karras",
     {7.26e-3, 3.30e-2, 8.46e-3, 9.51e-4, 4.91e-4},
     "dpm_solver_pp_2m",
     {},
     "karras",
     {}},
    {"DPM++3M trailing",
     {2.33e-1, 1.14e-1, 5.44e-2, 2.73e-2, 1.31e-2},
     "dpm_solver_pp_3m",
     {},
     "trailing",
     {}},
    {"DPM++3M karras",
     {9.03e-2, 6.11e-2, 3.71e-4, 7.93e-4, 8.56e-4},
     "dpm_solver_pp_3m",
     {},
     "karras",
     {}},
    {"UniPC2 trailing",
     {2.29e-1, 1.14e-1, 5.38e-2, 2.58e-2, 1.19e-2},
     "uni_pc",
     {{"order", "2"}},
     "trailing",
     {}},
    {"UniPC2 karras",
     {1.15e-2, 3.69e-2, 3.53e-3, 7.17e-4, 9.17e-4},
     "uni_pc",
     {{"order", "2"}},
     "karras",
     {}},
    {"DEIS2 trailing",
     {2.11e-1, 1.02e-1, 2.00e-2, 1.20e-2, 5.58e-3},
     "deis",
     {{"order", "2"}},
     "quadratic",
     {}},
    {"DEIS3 trailing", {2.10e-1, 9.83e-2, 1.89e-2, 1.35e-3, 1.28e-4}, "deis", {}, "trailing", {}},
    {"PNDM leading", {7.71e-2, 2.34e-2, 8.34e-3, 2.28e-3, 3.87e-3}, "plms", {}, "quadratic", {}},
};

TEST(Anchor, EveryRowIsMetOrBeatenAtEqualEvaluations) {
  const auto path = anchor_path();
  for (const Row& row : kRows) {
    const auto method = solver(row.solver, row.options);
    for (std::size_t i = 0; i < kSteps.size(); ++i) {
      const auto times = grid(row.grid, *path, kSteps[i], row.grid_options);
      const double error = flow_error(*method, path, times, {{1.0}, {0.3}, {0.5}, 1});
      const std::string place =
          fmt::format("{} with {} on {}, N = {}: {:.3e} against {:.3e}", row.peer, row.solver,
                      row.grid, kSteps[i], error, row.peers[i]);
      if (row.missed[i] == kMissed) {
        EXPECT_GT(error, row.peers[i]) << "met after all: " << place;
      } else {
        EXPECT_LE(error, row.peers[i] * 1.005) << place;  // peers' figures have three digits
      }
    }
  }
}

struct Modes {
  const char* peer;
  int steps;
  double peers;
  const char* solver;
  std::vector<api::Option> options;
  const char* grid;
  bool missed = false;
};

TEST(Anchor, TwoModesAreMetOrBeatenToo) {
  const Modes cases[] = {
      {"DDIM", 20, 1.52e-1, "ddim", {}, "quadratic"},
      {"DPM++2M trailing", 20, 7.59e-2, "dpm_solver_pp_2m", {}, "quadratic"},
      {"DPM++2M karras", 20, 8.80e-2, "dpm_solver_pp_2m", {}, "karras"},
      {"DPM++3M karras", 20, 7.23e-3, "dpm_solver_pp_3m", {}, "quadratic"},
      {"UniPC2 trailing", 20, 6.86e-2, "uni_pc", {{"order", "2"}}, "trailing"},
      {"UniPC2 karras", 20, 1.21e-2, "uni_pc", {{"order", "2"}}, "karras"},
      {"UniPC3 karras", 20, 4.57e-3, "uni_pc", {}, "quadratic"},
      {"Heun karras", 20, 5.23e-3, "dpm_solver_2", {}, "quadratic"},
      // Ours is 6.5e-3 on this grid: the start beside the infinite ratio is coarser.
      {"Heun karras", 20, 5.23e-3, "heun", {}, "quadratic", true},
      {"PNDM", 20, 3.71e-2, "plms", {}, "quadratic"},
      {"DEIS2", 20, 5.94e-2, "deis", {}, "quadratic"},
      {"DPM++2M karras", 50, 3.3e-3, "dpm_solver_pp_2m", {}, "quadratic"},
      {"Heun", 50, 1.8e-3, "heun", {}, "quadratic"},
  };
  const auto path = anchor_path();
  for (const Modes& c : cases) {
    const double error =
        flow_error(*solver(c.solver, c.options), path, grid(c.grid, *path, c.steps), two_modes());
    EXPECT_EQ(error > c.peers, c.missed)
        << c.peer << " at " << c.steps << ": " << error << " against " << c.peers;
  }
}

}  // namespace
}  // namespace gradatim::process
