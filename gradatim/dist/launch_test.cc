// What launchers say in the environment.
#include "gradatim/dist/launch.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

#include "gradatim/core/error.h"

namespace gradatim::dist {
namespace {

// Sets variables for one test; all others that launch.h reads are unset.
class Environment {
 public:
  explicit Environment(const std::map<std::string, std::string>& values) {
    clear();
    for (const auto& [name, value] : values) ::setenv(name.c_str(), value.c_str(), 1);
  }
  ~Environment() { clear(); }

 private:
  static void clear() {
    for (const char* name :
         {"RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT",
          "SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID", "SLURM_NTASKS_PER_NODE",
          "TORCHELASTIC_USE_AGENT_STORE", "TORCHELASTIC_RUN_ID", "TORCHELASTIC_RESTART_COUNT",
          "GRADATIM_TIMEOUT", "GRADATIM_LISTENING"}) {
      ::unsetenv(name);
    }
  }
};

std::string complaint(std::map<std::string, std::string> changed) {
  std::map<std::string, std::string> values = {
      {"RANK", "1"}, {"WORLD_SIZE", "4"}, {"MASTER_ADDR", "10.0.0.1"}, {"MASTER_PORT", "1234"}};
  changed.merge(values);
  const Environment environment(changed);
  try {
    launched();
  } catch (const DistributedError& error) {
    EXPECT_EQ(error.code(), 5001);
    return error.message();
  }
  return "";
}

TEST(Launch, AProcessByItselfHasNone) {
  {
    const Environment none({});
    EXPECT_FALSE(launched());
  }
  const Environment one({{"RANK", "0"}, {"WORLD_SIZE", "1"}});
  EXPECT_FALSE(launched());
}

TEST(Launch, ReadsWhatTorchrunSets) {
  const Environment environment({{"RANK", "5"},
                                 {"WORLD_SIZE", "8"},
                                 {"LOCAL_RANK", "1"},
                                 {"LOCAL_WORLD_SIZE", "4"},
                                 {"MASTER_ADDR", "node-7"},
                                 {"MASTER_PORT", "1234"},
                                 {"TORCHELASTIC_USE_AGENT_STORE", "True"},
                                 {"TORCHELASTIC_RUN_ID", "night"},
                                 {"TORCHELASTIC_RESTART_COUNT", "2"},
                                 {"GRADATIM_TIMEOUT", "2.5"}});
  const auto launch = launched();
  ASSERT_TRUE(launch);
  EXPECT_EQ(launch->rank, 5);
  EXPECT_EQ(launch->size, 8);
  EXPECT_EQ(launch->local_rank, 1);
  EXPECT_EQ(launch->local_size, 4);
  EXPECT_EQ(launch->address, "node-7");
  EXPECT_EQ(launch->port, 1234);
  EXPECT_TRUE(launch->hosted);
  EXPECT_EQ(launch->run, "night.2");
  EXPECT_EQ(launch->timeout, std::chrono::milliseconds(2500));
}

TEST(Launch, ReadsSlurmWhereRanksKnowWhereToMeet) {
  std::map<std::string, std::string> values = {
      {"SLURM_PROCID", "3"}, {"SLURM_STEP_NUM_TASKS", "4"}, {"SLURM_LOCALID", "1"}};
  {
    const Environment environment(values);
    EXPECT_FALSE(launched());
  }
  values["MASTER_ADDR"] = "node-1";
  const Environment environment(values);
  const auto launch = launched();
  ASSERT_TRUE(launch);
  EXPECT_EQ(launch->rank, 3);
  EXPECT_EQ(launch->size, 4);
  EXPECT_EQ(launch->local_rank, 1);
  EXPECT_EQ(launch->port, 29500);
  EXPECT_FALSE(launch->hosted);
}

TEST(Launch, AVariableThatMakesNoSenseIsNamedWithItsValue) {
  EXPECT_EQ(complaint({}), "");
  EXPECT_EQ(complaint({{"RANK", "4"}}),
            "the environment variable RANK must be an integer from 0 to 3; got '4'");
  EXPECT_EQ(complaint({{"RANK", ""}}),
            "the environment variable RANK must be an integer from 0 to 3; got ''");
  EXPECT_EQ(complaint({{"WORLD_SIZE", "four"}}),
            "the environment variable WORLD_SIZE must be an integer from 1 to 2147483647; got "
            "'four'");
  EXPECT_EQ(complaint({{"MASTER_PORT", "70000"}}),
            "the environment variable MASTER_PORT must be an integer from 1 to 65535; got '70000'");
  EXPECT_EQ(complaint({{"LOCAL_WORLD_SIZE", "0"}}),
            "the environment variable LOCAL_WORLD_SIZE must be an integer from 1 to 2147483647; "
            "got '0'");
  EXPECT_EQ(complaint({{"GRADATIM_TIMEOUT", "0"}}),
            "the environment variable GRADATIM_TIMEOUT must be seconds from 0.5 to 1000000; got "
            "'0'");
  EXPECT_EQ(complaint({{"MASTER_ADDR", ""}}),
            "WORLD_SIZE is 4, but MASTER_ADDR, where the ranks meet, is not set");
}

}  // namespace
}  // namespace gradatim::dist
