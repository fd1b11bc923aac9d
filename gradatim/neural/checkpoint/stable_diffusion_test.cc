#include "gradatim/neural/checkpoint/stable_diffusion.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "gradatim/neural/checkpoint/checkpoint_testing.h"
#include "gradatim/neural/checkpoint/fit.h"
#include "gradatim/neural/checkpoint/mapped_weights.h"

namespace gradatim::neural {
namespace {

namespace fs = std::filesystem;
using testing::CheckpointFolder;
using testing::expect_error;

TEST(StableDiffusion, AFolderIsReadAndItsWeightsFit) {
  const CheckpointFolder folder("stable_diffusion_folder");
  const auto files = read_stable_diffusion(testing::tiny_checkpoint(folder, "model"));
  EXPECT_EQ(files.shape.sample, (std::vector<std::int64_t>{4, 8, 8}));
  EXPECT_EQ(files.shape.context, 8);
  EXPECT_EQ(files.unit, 2);
  EXPECT_DOUBLE_EQ(files.factor, 0.18215);
  EXPECT_EQ(files.text_config.vocabulary, 600);
  EXPECT_EQ(files.text_config.activation, TextActivation::quick_gelu);
  EXPECT_EQ(files.tokenizer, nullptr);
  EXPECT_EQ(files.scheduler_config, R"({"_class_name": "DDIMScheduler"})");
  check_stable_diffusion(files);
  expect_error(3072, "vocabulary", [&] { files.codec(); });
}

TEST(StableDiffusion, ANetworkWithAMaskBesideItsLatentsSaysSo) {
  const CheckpointFolder folder("stable_diffusion_mask");
  const auto files =
      read_stable_diffusion(testing::tiny_checkpoint(folder, "model", R"(, "in_channels": 9)"));
  EXPECT_EQ(files.shape.sample[0], 4);
  EXPECT_EQ(files.shape.beside, 5);
  check_stable_diffusion(files);
}

class TinyStableDiffusionCheckpoint : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* named = std::getenv("GRADATIM_FIXTURES");
    path_ = std::string(named != nullptr ? named : "../shared/fixtures") + "/tiny_sd/model";
    if (!fs::exists(path_)) GTEST_SKIP() << path_ << " is not at hand";
  }
  std::string path_;
};

TEST_F(TinyStableDiffusionCheckpoint, OneOfDiffusersIsRead) {
  const auto files = read_stable_diffusion(path_);
  check_stable_diffusion(files);
  EXPECT_TRUE(files.notes.empty());
  EXPECT_NE(files.scheduler_config.find("DDIMScheduler"), std::string::npos);
}

}  // namespace
}  // namespace gradatim::neural
