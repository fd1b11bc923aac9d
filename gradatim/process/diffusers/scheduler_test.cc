#include "gradatim/process/diffusers/scheduler.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "gradatim/api/settings.h"
#include "gradatim/core/error.h"
#include "gradatim/process/diffusers/families.h"
#include "gradatim/process/host_space.h"
#include "gradatim/process/noise.h"

namespace gradatim::process::diffusers {
namespace {

using Doubles = HostSpace<double>;

std::unique_ptr<NoiseSource> philox() {
  return api::build_as<Noise>(api::settings_from_json(R"({"component": "process.noise.philox"})"))
      ->source(0);
}

// A model that is bounded and knows nothing.
Vec model(Doubles& space, const Vec& x, double t) {
  std::vector<double> values(static_cast<std::size_t>(x.rows() * x.dims()));
  space.copy_out(x, values);
  for (double& value : values) value = std::tanh(value) * 0.8 + 0.05 * std::sin(t);
  return space.from(values, x.rows(), x.dims());
}

std::vector<double> sampled(Scheduler& scheduler, int steps) {
  Doubles space(philox());
  Request request;
  request.steps = steps;
  if (scheduler.config().on("use_dynamic_shifting")) request.mu = 0.8;
  scheduler.set_timesteps(request);
  const auto times = scheduler.plan().timesteps;
  const double scale = scheduler.plan().init_noise_sigma;
  Vec x = space.from(std::vector<double>{scale, -0.5 * scale, 0.1 * scale, 0.0}, 2, 2);
  for (const double t : times) {
    Form input;
    input.add(scheduler.input_scale(t), x);
    const Vec scaled = space.Space::combine(input);
    x = scheduler.step(space, model(space, scaled, t), t, x, {}, true).sample;
  }
  std::vector<double> out(4);
  space.copy_out(x, out);
  return out;
}

bool finite(const std::vector<double>& values) {
  for (const double value : values) {
    if (!std::isfinite(value)) return false;
  }
  return true;
}

// Every value of the fields that change a schedule or a step, where the class has the field.
struct Choice {
  std::string_view field;
  std::vector<std::string> values;
};

std::vector<Choice> choices() {
  return {
      {"beta_schedule", {"\"scaled_linear\"", "\"squaredcos_cap_v2\""}},
      {"prediction_type", {"\"epsilon\"", "\"v_prediction\"", "\"sample\""}},
      {"timestep_spacing", {"\"leading\"", "\"linspace\"", "\"trailing\""}},
      {"rescale_betas_zero_snr", {"false", "true"}},
      {"final_sigmas_type", {"\"zero\"", "\"sigma_min\""}},
      {"solver_order", {"2", "3"}},
      {"solver_type", {"\"midpoint\"", "\"heun\"", "\"bh1\"", "\"bh2\""}},
      {"sigmas", {"", "karras_sigmas", "exponential_sigmas", "beta_sigmas"}},
  };
}

// Calls `each` with every combination for a class.
template <class F>
void sweep(const Family& family, const F& each) {
  const auto has = [&](std::string_view field) {
    return family.defaults.find(fmt::format("\"{}\"", field)) != std::string_view::npos;
  };
  std::vector<std::string> texts{fmt::format("{{\"_class_name\": \"{}\"", family.name)};
  for (const Choice& choice : choices()) {
    const bool sigmas = choice.field == "sigmas";
    if (!has(sigmas ? "use_karras_sigmas" : choice.field)) continue;
    std::vector<std::string> longer;
    for (const std::string& text : texts) {
      for (const std::string& value : choice.values) {
        // Solver types of another class only stand for a default.
        const bool bh = value.starts_with("\"bh");
        if (choice.field == "solver_type" && bh != has("predict_x0")) continue;
        const std::string field = sigmas ? "use_" + value : std::string(choice.field);
        longer.push_back(sigmas && value.empty()
                             ? text
                             : fmt::format("{}, \"{}\": {}", text, field, sigmas ? "true" : value));
      }
    }
    if (!longer.empty()) texts = longer;
  }
  for (const std::string& text : texts) each(text + "}");
}

TEST(CorrectMode, EveryCombinationOfFieldsOfEveryClassGivesFiniteNumbers) {
  int count = 0;
  for (const Family* family : families()) {
    sweep(*family, [&](const std::string& config) {
      for (const int steps : {5, 10, 20, 30}) {
        ++count;
        Scheduler scheduler(Config::parse(config), Mode::correct);
        try {
          EXPECT_TRUE(finite(sampled(scheduler, steps))) << config << " " << steps;
        } catch (const Error& error) {
          ADD_FAILURE() << error.what() << " " << config << " " << steps;
        }
      }
    });
  }
  EXPECT_GT(count, 9000);
}

}  // namespace
}  // namespace gradatim::process::diffusers
