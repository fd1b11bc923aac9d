#include "gradatim/process/diffusers/scheduler.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
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

template <class F>
int code_of_step(const F& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.code();
  }
  return 0;
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

int code_of(const std::string& config, const Request& request = {.steps = 10},
            Mode mode = Mode::compat) {
  try {
    Scheduler scheduler(Config::parse(config), mode);
    scheduler.set_timesteps(request);
  } catch (const Error& error) {
    return error.code();
  }
  return 0;
}

TEST(SchedulerConfig, WhatIsNotOneIsRefusedWithItsCode) {
  EXPECT_EQ(code_of("[1, 2]"), 1120);
  EXPECT_EQ(code_of("{"), 1120);
  EXPECT_EQ(code_of(R"({"beta_start": 0.1})"), 1120);
  EXPECT_EQ(code_of(R"({"_class_name": "DDIMSchedular"})"), 1121);
  EXPECT_EQ(code_of(R"({"_class_name": "DDIMScheduler", "beta_start": "0.1"})"), 1122);
  EXPECT_EQ(code_of(R"({"_class_name": "DDIMScheduler", "beta_start": -0.1})"), 1122);
  EXPECT_EQ(code_of(R"({"_class_name": "DDIMScheduler", "beta_schedule": "square"})"), 1122);
  EXPECT_EQ(code_of(R"({"_class_name": "DDIMScheduler", "num_train_timesteps": 10.5})"), 1122);
}

TEST(SchedulerConfig, AnUnknownClassIsToldTheNearestName) {
  try {
    Config::parse(R"({"_class_name": "EulerDiscretScheduler"})");
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("'EulerDiscreteScheduler'"), std::string::npos);
  }
}

TEST(SchedulerConfig, NullsUnknownKeysAndPythonsInfinityAreTaken) {
  const auto config = Config::parse(
      R"({"_class_name": "DPMSolverMultistepScheduler", "beta_end": null, "of_my_own": [1],
          "lambda_min_clipped": -Infinity, "name": "Infinity"})");
  EXPECT_EQ(config.number("beta_end"), 0.02);
  EXPECT_LT(config.number("lambda_min_clipped"), -1e300);
  EXPECT_FALSE(config.has("of_my_own"));
}

TEST(SchedulerConfig, DefaultsDifferByClass) {
  const auto of = [](std::string_view name) {
    return Config::parse(fmt::format(R"({{"_class_name": "{}"}})", name));
  };
  EXPECT_EQ(of("DDIMScheduler").word("timestep_spacing"), "leading");
  EXPECT_EQ(of("EulerDiscreteScheduler").word("timestep_spacing"), "linspace");
  EXPECT_TRUE(of("DDIMScheduler").flag("set_alpha_to_one"));
  EXPECT_FALSE(of("PNDMScheduler").flag("set_alpha_to_one"));
  EXPECT_EQ(of("HeunDiscreteScheduler").number("beta_start"), 0.00085);
  EXPECT_EQ(of("LCMScheduler").word("beta_schedule"), "scaled_linear");
}

TEST(Scheduler, ImpossibleRequestsAreRefusedWithTheirCode) {
  const std::string ddim = R"({"_class_name": "DDIMScheduler"})";
  for (const Mode mode : {Mode::correct, Mode::compat}) {
    EXPECT_EQ(code_of(ddim, {.steps = 0}, mode), 1123);
    EXPECT_EQ(code_of(ddim, {.steps = 1001}, mode), 1123);
    EXPECT_EQ(code_of(ddim, {.steps = 5, .timesteps = {3.0, 1.0}}, mode), 1123);
    EXPECT_EQ(code_of(R"({"_class_name": "EulerDiscreteScheduler", "use_karras_sigmas": true,
                          "use_beta_sigmas": true})",
                      {.steps = 5}, mode),
              1128);
  }
  EXPECT_EQ(code_of(R"({"_class_name": "EulerAncestralDiscreteScheduler",
                        "prediction_type": "sample"})"),
            1126);
}

TEST(Scheduler, ATimestepOffTheScheduleAndAStepTooManyAreRefused) {
  Doubles space(philox());
  Scheduler scheduler(Config::parse(R"({"_class_name": "EulerDiscreteScheduler"})"), Mode::compat);
  scheduler.set_timesteps({.steps = 1});
  const Vec x = space.from(std::vector<double>{1.0, 2.0}, 1, 2);
  const auto code = [&](double t) {
    try {
      scheduler.step(space, x, t, x, {}, false);
    } catch (const UsageError& error) {
      return error.code();
    }
    return 0;
  };
  EXPECT_EQ(code(17.0), 1124);
  EXPECT_EQ(code(0.0), 0);
  EXPECT_EQ(code(0.0), 1125);
}

// One step of DDPM by the formula of learned_range: v is -1 in column 0, 1 in column 1.
TEST(Scheduler, LearnedRangeGoesFromFixedSmallToTheLargestVariance) {
  for (const Mode mode : {Mode::compat, Mode::correct}) {
    const auto step = [&](const std::string& type, bool varies) {
      Scheduler scheduler(
          Config::parse(fmt::format(
              R"({{"_class_name": "DDPMScheduler", "clip_sample": false, "variance_type": "{}"}})",
              type)),
          mode);
      scheduler.set_timesteps({.steps = 10});
      Doubles space(philox());
      const auto row = [&](double a, double b) {
        return space.from(std::vector<double>{a, b}, 1, 2);
      };
      const double t = scheduler.plan().timesteps[5];
      std::vector<double> out(2);
      space.copy_out(scheduler
                         .step(space, row(0.3, 0.3), t, row(1.0, 1.0), row(1.0, 1.0), false,
                               varies ? row(-1.0, 1.0) : Vec{})
                         .sample,
                     out);
      return out;
    };
    const auto learned = step("learned_range", true);
    const auto small = step("fixed_small", false);
    EXPECT_NEAR(learned[0], small[0], 1e-12);
    if (mode == Mode::compat) {
      EXPECT_NEAR(learned[1], step("fixed_large", false)[1], 1e-12);
      EXPECT_EQ(code_of_step([&] { step("learned_range", false); }), 1126);
    } else {
      EXPECT_GT(learned[1], small[1] + 1e-3);
      EXPECT_NEAR(step("learned_range", false)[1], small[1], 1e-12);
    }
  }
}

TEST(Scheduler, LearnedVariancesThemselvesAreRefusedInOneLineThatSaysWhatToTake) {
  const auto config =
      Config::parse(R"({"_class_name": "DDPMScheduler", "variance_type": "learned"})");
  try {
    Scheduler(config, Mode::compat).set_timesteps({.steps = 10});
    ADD_FAILURE() << "it was read";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), 1126);
    const std::string why = error.what();
    EXPECT_NE(why.find("'learned'"), std::string::npos) << why;
    EXPECT_NE(why.find("mode='correct'"), std::string::npos) << why;
    EXPECT_NE(why.find("fixed_small"), std::string::npos) << why;
    EXPECT_EQ(why.find('\n'), std::string::npos) << why;
  }
  EXPECT_NO_THROW(Scheduler(config, Mode::correct).set_timesteps({.steps = 10}));
}

// The same configuration in two modes, where nothing differs but the last step's rounding.
TEST(CorrectMode, DdimOnATrailingGridThatDividesIsTheSameInBothModes) {
  const auto config = Config::parse(
      R"({"_class_name": "DDIMScheduler", "timestep_spacing": "trailing", "clip_sample": false})");
  Scheduler correct(config, Mode::correct);
  Scheduler compat(config, Mode::compat);
  const auto a = sampled(correct, 10);
  const auto b = sampled(compat, 10);
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-4 * std::abs(b[i]));
  EXPECT_EQ(correct.plan().timesteps, compat.plan().timesteps);
}

TEST(CorrectMode, SaysWhatDiffers) {
  Scheduler scheduler(
      Config::parse(R"({"_class_name": "DDIMScheduler", "timestep_spacing": "linspace"})"),
      Mode::correct);
  scheduler.set_timesteps({.steps = 10});
  const auto& said = scheduler.differences();
  EXPECT_EQ(
      std::ranges::count(said, "A step goes to the next timestep of the grid, not to t - T // N."),
      1);
}

TEST(CompatMode, BothClassesOfDdimAndEulerAndDpmSolverAgreeOnTheirCommonStep) {
  const std::string more = R"(, "timestep_spacing": "trailing", "prediction_type": "epsilon")";
  const auto of = [&](const std::string& name, const std::string& extra) {
    Scheduler scheduler(Config::parse("{\"_class_name\": \"" + name + "\"" + more + extra + "}"),
                        Mode::compat);
    return sampled(scheduler, 10);
  };
  const auto ddim = of("DDIMScheduler", R"(, "clip_sample": false)");
  const auto dpm = of("DPMSolverMultistepScheduler", R"(, "solver_order": 1)");
  for (std::size_t i = 0; i < ddim.size(); ++i) {
    EXPECT_NEAR(ddim[i], dpm[i], 1e-5 * std::abs(dpm[i]) + 1e-9);
  }
}

TEST(CompatMode, ClipsTheInfinityThatTheFirstStepWithoutSignalIsInDiffusers) {
  for (const char* name : {"DDPMScheduler", "DDIMScheduler"}) {
    Scheduler scheduler(
        Config::parse(fmt::format(
            R"({{"_class_name": "{}", "rescale_betas_zero_snr": true, "clip_sample": true,
                "timestep_spacing": "trailing"}})",
            name)),
        Mode::compat);
    EXPECT_TRUE(finite(sampled(scheduler, 20))) << name;
  }
}

// diffusers 0.42 is finite on all of these but some without any signal, UniPC with bh1, and DDIM's
// inversion of data at its first timestep.
TEST(CompatMode, CombinationsThatAreFiniteInDiffusersAreFinite) {
  int count = 0;
  for (const Family* family : families()) {
    sweep(*family, [&](const std::string& config) {
      for (const int steps : {5, 10, 20}) {
        try {
          Scheduler scheduler(Config::parse(config), Mode::compat);
          EXPECT_TRUE(finite(sampled(scheduler, steps)) ||
                      config.find("\"rescale_betas_zero_snr\": true") != std::string::npos ||
                      config.find("bh1") != std::string::npos ||
                      family->name == "DDIMInverseScheduler")
              << config << " " << steps;
          ++count;
        } catch (const UsageError& error) {
          EXPECT_EQ(error.code(), 1126) << error.what() << " " << config;
        }
      }
    });
  }
  EXPECT_GT(count, 5000);
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
