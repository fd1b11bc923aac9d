#include "gradatim/neural/checkpoint/diffusers_scheduler.h"

#include <gtest/gtest.h>

#include "gradatim/core/error.h"

namespace gradatim::neural {
namespace {

SchedulerParts parts_of(const std::string& path, const std::string& prediction) {
  return {.path = api::complete(api::settings_from_json(path)),
          .prediction = api::settings_from_json(prediction)};
}

std::shared_ptr<const process::Path> made(const api::Settings& path) {
  return api::build_as<process::Path>(path);
}

int refusal(const std::string& config) {
  try {
    read_scheduler(config);
  } catch (const Error& error) {
    return error.code();
  }
  return 0;
}

TEST(DiffusersScheduler, ReadsTheLevelsThatItWrote) {
  for (
      const char* path : {
          R"({"component": "process.path.linear", "betas": 100})",
          R"({"component": "process.path.linear", "zero_terminal_snr": true})",
          R"({"component": "process.path.scaled_linear", "beta_start": 0.001})",
          R"({"component": "process.path.sigmoid"})",
          R"({"component": "process.path.cosine", "betas": 500})",
          R"({"component": "process.path.cosine", "betas": 50, "offset": 0.1, "zero_terminal_snr": true})",
          R"({"component": "process.path.given", "betas": [0.1, 0.2, 0.3], "zero_terminal_snr": true})",
      }) {
    for (const char* says : {"noise", "data", "v"}) {
      SchedulerParts parts = parts_of(path, "\"process.prediction." + std::string(says) + "\"");
      parts.learned_variance = std::string(says) == "v";
      const auto before = made(parts.path);
      const auto read = read_scheduler(scheduler_config(parts, *before, true));
      const auto after = made(read.path);
      EXPECT_EQ(read.prediction, parts.prediction) << path;
      EXPECT_EQ(read.learned_variance, parts.learned_variance) << path;
      EXPECT_EQ(read.last_time, before->model_time(1.0)) << path;
      for (const double t : {0.02, 0.3, 0.5, 0.98, 1.0}) {
        EXPECT_NEAR(after->at(t).alpha, before->at(t).alpha, 1e-12) << path << " at " << t;
      }
    }
  }
}

TEST(DiffusersScheduler, AFlowIsTheStraightPath) {
  const auto parts = parts_of(R"("process.path.rectified")", R"("process.prediction.velocity")");
  const auto config = scheduler_config(parts, *made(parts.path), true);
  EXPECT_NE(config.find("FlowMatchEulerDiscreteScheduler"), std::string::npos);
  const auto read = read_scheduler(config);
  EXPECT_EQ(read.path.component, "process.path.rectified");
  EXPECT_EQ(read.prediction.component, "process.prediction.velocity");
  EXPECT_EQ(read.last_time, 1000.0);
}

TEST(DiffusersScheduler, RefusesWhatTheOtherSideDoesNotHave) {
  EXPECT_EQ(refusal("{}"), 1120);
  EXPECT_EQ(refusal(R"({"_class_name": "EDMEulerScheduler"})"), 3068);
  EXPECT_EQ(refusal(R"({"_class_name": "CMStochasticIterativeScheduler"})"), 3068);
  EXPECT_EQ(refusal(R"({"_class_name": "FlowMatchEulerDiscreteScheduler",
                        "num_train_timesteps": 500})"),
            3068);
  for (const auto& [path, prediction] : {
           std::pair{"process.path.vp", "noise"},
           std::pair{"process.path.rectified", "noise"},
           std::pair{"process.path.linear", "velocity"},
           std::pair{"process.path.edm", "edm"},
       }) {
    const auto parts = parts_of(R"(")" + std::string(path) + R"(")",
                                R"("process.prediction.)" + std::string(prediction) + R"(")");
    EXPECT_THROW(scheduler_config(parts, *made(parts.path), true), ModelError) << path;
  }
  const auto bent = parts_of(R"({"component": "process.path.rectified", "power": 2})",
                             R"("process.prediction.velocity")");
  EXPECT_THROW(scheduler_config(bent, *made(bent.path), true), ModelError);
}

}  // namespace
}  // namespace gradatim::neural
