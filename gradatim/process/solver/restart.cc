// The grid of another solver, gone up again from sigma_low to sigma_high and down, `repeats` times:
// the fresh noise contracts the errors so far.
#include <algorithm>
#include <cmath>

#include "gradatim/api/export.h"
#include "gradatim/process/solver.h"

namespace gradatim::process {
namespace {

struct RestartConfig {
  double sigma_low = 0.1;
  double sigma_high = 0.5;
  int repeats = 2;
  int steps = 4;
};

class Restart final : public Solver {
 public:
  Restart(const RestartConfig& config, std::span<const api::Made> parts)
      : config_(config), inner_(std::static_pointer_cast<const Solver>(parts[0])) {}

  Vec solve(const Problem& problem, Vec x) const override {
    const auto times = with_restarts(problem.denoiser.path(), problem.times);
    Problem whole = problem;
    whole.times = times;
    return inner_->solve(whole, std::move(x));
  }
  std::optional<Program> program(const Path& path, std::span<const double> times) const override {
    return inner_->program(path, with_restarts(path, times));
  }
  int steps_for(int evaluations) const override {
    return std::max(1, inner_->steps_for(evaluations) - config_.repeats * config_.steps);
  }

 private:
  // The grid's last time at or above sigma_low is where the rounds begin and end; their steps are
  // even in the seventh root of the noise level, as Karras's.
  std::vector<double> with_restarts(const Path& path, std::span<const double> times) const {
    std::vector<double> longer;
    const double high = path.time_of(config_.sigma_high);
    for (std::size_t i = 0; i < times.size(); ++i) {
      longer.push_back(times[i]);
      const bool lowest =
          times[i] > 0.0 && times[i] < high && path.at(times[i]).ratio() >= config_.sigma_low &&
          (i + 1 == times.size() || path.at(times[i + 1]).ratio() < config_.sigma_low);
      if (!lowest) continue;
      for (int k = 0; k < config_.repeats; ++k) round(path, high, times[i], longer);
    }
    return longer;
  }
  void round(const Path& path, double high, double low, std::vector<double>& times) const {
    const double from = std::pow(path.at(high).ratio(), 1.0 / 7.0);
    const double to = std::pow(path.at(low).ratio(), 1.0 / 7.0);
    times.push_back(high);
    for (int i = 1; i < config_.steps; ++i) {
      times.push_back(path.time_of(std::pow(from + (to - from) * i / config_.steps, 7.0)));
    }
    times.push_back(low);
  }

  RestartConfig config_;
  std::shared_ptr<const Solver> inner_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&RestartConfig::sigma_low>(
        {.doc = "sigma / alpha to go up from; the grid's last time that is not below it.",
         .range = api::above(0.0)}),
    api::setting<&RestartConfig::sigma_high>(
        {.doc = "sigma / alpha to go up to.", .range = api::above(0.0)}),
    api::setting<&RestartConfig::repeats>(
        {.doc = "How often to go up.", .range = api::between(0, 1000)}),
    api::setting<&RestartConfig::steps>(
        {.doc = "Steps down again.", .range = api::between(1, 1000)}),
};

constexpr api::Part kParts[] = {
    {"inner", "process.solver", "process.solver.heun", "What solves the steps down."},
};

constexpr api::Text kText = {
    .name = "process.solver.restart",
    .summary = "Another solver that goes back up and down again.",
    .detail =
        "Where the grid does not cross the noise levels named, nothing is repeated. rk45 cannot be "
        "the inner solver.",
    .source = "Xu et al. (2023), Restart sampling for improving generative processes, algorithm 1",
    .shape = "state: [rows, dims]",
    .errors = "GRD-1113 the inner solver is rk45; GRD-4021 a number is not finite",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_solver_restart) =
    gradatim::api::component<gradatim::process::Restart, gradatim::process::RestartConfig>(
        gradatim::process::kText, gradatim::process::kSettings, gradatim::process::kParts);
