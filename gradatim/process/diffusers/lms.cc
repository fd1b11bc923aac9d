// Linear multistep in sigma (k-diffusion): slopes of up to four levels, continued by a polynomial
// that is integrated exactly.
#include <algorithm>
#include <array>

#include "gradatim/process/diffusers/families.h"
#include "gradatim/process/diffusers/sigma.h"

namespace gradatim::process::diffusers {
namespace {

constexpr std::size_t kOrder = 4;

// The integral over [from, to] of Lagrange's polynomial of nodes[j].
double integral(std::span<const double> nodes, std::size_t j, double from, double to) {
  std::array<double, kOrder> c{1.0};  // coefficients, lowest first
  std::size_t degree = 0;
  for (std::size_t k = 0; k < nodes.size(); ++k) {
    if (k == j) continue;
    const double scale = 1.0 / (nodes[j] - nodes[k]);
    ++degree;
    for (std::size_t d = degree; d > 0; --d) {
      c[d] = scale * (c[d - 1] - (d < degree ? nodes[k] * c[d] : 0.0));
    }
    c[0] *= -nodes[k] * scale;
  }
  double sum = 0.0;
  double high = 1.0, low = 1.0;
  for (std::size_t d = 0; d <= degree; ++d) {
    high *= to;
    low *= from;
    sum += c[d] / static_cast<double>(d + 1) * (high - low);
  }
  return sum;
}

Plan lay(const Config& config, const Request& request) {
  const auto table = sigmas(alpha_bars(config));
  Grid grid = sigma_grid(config, request, table);
  grid.sigmas.push_back(0.0);
  Plan plan = scaled_plan(config, grid, 1);
  plan.slots = 1 + static_cast<int>(kOrder);
  const auto slot = [](std::size_t i) { return 1 + static_cast<int>(i % kOrder); };
  for (std::size_t i = request.begin; i < grid.timesteps.size(); ++i) {
    const double sigma = grid.sigmas[i];
    Call call = scaled_call(grid, i);
    call.data = config.is("prediction_type", "sample") ? Sum().add(1.0, kOutput)
                                                       : data_of_scaled(config, sigma);
    const Sum slope = Sum().add(1.0 / sigma, kState).add(-1.0 / sigma, kAnswer);
    // The peer counts levels from the first even where it starts later, and leaves out the slopes
    // that it then does not have.
    std::vector<double> nodes;
    for (std::size_t k = 0; k < std::min(i + 1, kOrder); ++k) nodes.push_back(grid.sigmas[i - k]);
    Sum next = Sum().add(1.0, kState);
    for (std::size_t k = 0; k < nodes.size() && k <= i - request.begin; ++k) {
      const double weight = integral(nodes, k, sigma, grid.sigmas[i + 1]);
      k == 0 ? next.add(weight, slope) : next.add(weight, slot(i - k));
    }
    call.let(kState, std::move(next)).let(slot(i), slope);
    plan.calls.push_back(std::move(call));
  }
  return placed(std::move(plan), grid, request.begin);
}

}  // namespace

const Family kLms{"LMSDiscreteScheduler", R"({
  "num_train_timesteps": 1000, "beta_start": 0.0001, "beta_end": 0.02, "beta_schedule": "linear",
  "trained_betas": null, "use_karras_sigmas": false, "use_exponential_sigmas": false,
  "use_beta_sigmas": false, "prediction_type": "epsilon", "timestep_spacing": "linspace",
  "steps_offset": 0})",
                  lay, Spacing::scaled, [](const Config&, const Request&) -> std::string {
                    return R"({"component": "process.solver.lms"})";
                  }};

}  // namespace gradatim::process::diffusers
