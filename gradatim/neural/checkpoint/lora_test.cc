#include "gradatim/neural/checkpoint/lora.h"

#include <gtest/gtest.h>

#include "gradatim/neural/checkpoint/checkpoint_testing.h"
#include "gradatim/neural/checkpoint/lora_file.h"

namespace gradatim::neural {
namespace {

using testing::CheckpointFolder;
using testing::expect_error;

constexpr const char* kLayer = "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q";
constexpr const char* kText = "encoder.layers.1.mlp.fc1";

// Arrays of small whole numbers, so that sums are exact.
class LoraFileMaker {
 public:
  LoraFileMaker& add(const std::string& name, const std::vector<std::int64_t>& shape) {
    std::int64_t count = 1;
    for (const auto each : shape) count *= each;
    std::vector<float> numbers;
    for (std::int64_t k = 0; k < count; ++k) numbers.push_back(static_cast<float>(k % 7 - 3));
    writer_.add(name, std::span<const float>(numbers), shape);
    return *this;
  }
  LoraFileMaker& alpha(const std::string& name, float value) {
    writer_.add_bytes(name, DType::f32, {}, {reinterpret_cast<const char*>(&value), sizeof(value)});
    return *this;
  }
  LoraFileMaker& metadata(const std::string& key, const std::string& text) {
    writer_.set_metadata(key, text);
    return *this;
  }
  std::string write(const CheckpointFolder& folder, const std::string& name) const {
    writer_.write(folder.path(name));
    return folder.path(name);
  }

 private:
  SafetensorsWriter writer_;
};

Tensor factor(std::int64_t rows, std::int64_t columns) {
  return at::remainder(at::arange(rows * columns, at::kFloat), 7).sub(3).view({rows, columns});
}

class LoraTest : public ::testing::Test {
 protected:
  LoraTest() : folder_("lora"), root_(testing::tiny_checkpoint(folder_, "model")) {}

  // Numbers of about 20 in float32. The largest difference from base + scale up down, of a layer of
  // 8 to 8 and rank 2.
  double error(const StableDiffusionFiles& files, double scale) const {
    const auto base = read_stable_diffusion(root_);
    const std::string name = std::string(kLayer) + ".weight";
    const Tensor expected = base.unet->read(name) + scale * factor(8, 2).mm(factor(2, 8));
    return (files.unet->read(name) - expected).abs().max().item<double>();
  }

  CheckpointFolder folder_;
  std::string root_;
};

std::string underscores(std::string name) {
  std::ranges::replace(name, '.', '_');
  return name;
}

TEST_F(LoraTest, EveryWayToNameALayerIsTheSameChange) {
  const std::string dots = kLayer, layer = underscores(dots);
  const std::string processor =
      "down_blocks.1.attentions.0.transformer_blocks.0.attn1.processor.to_q_lora";
  const std::vector<std::tuple<std::string, std::string>> named{
      {"lora_unet_" + layer + ".lora_up.weight", "lora_unet_" + layer + ".lora_down.weight"},
      {"lora_unet_input_blocks_3_1_transformer_blocks_0_attn1_to_q.lora_up.weight",
       "lora_unet_input_blocks_3_1_transformer_blocks_0_attn1_to_q.lora_down.weight"},
      {"unet." + dots + ".lora_B.weight", "unet." + dots + ".lora_A.weight"},
      {"unet." + dots + ".lora.up.weight", "unet." + dots + ".lora.down.weight"},
      {"base_model.model." + dots + ".lora_B.default.weight",
       "base_model.model." + dots + ".lora_A.default.weight"},
      {"unet." + processor + ".up.weight", "unet." + processor + ".down.weight"},
      {processor + ".up.weight", processor + ".down.weight"}};
  write_atomically(folder_.path("adapter_config.json"), R"({"r": 2, "lora_alpha": 2})");
  for (const auto& [up, down] : named) {
    const auto path =
        LoraFileMaker().add(up, {8, 2}).add(down, {2, 8}).write(folder_, "lora.safetensors");
    auto files = read_stable_diffusion(root_);
    const Lora loras[] = {{path, 0.5}};
    add_loras(files, loras);
    EXPECT_TRUE(files.notes.empty()) << up;
    EXPECT_LT(error(files, 0.5), 1e-5) << up;
    check_stable_diffusion(files);
  }
}

TEST_F(LoraTest, AlphaIsDividedByTheRankAndSeveralAddUp) {
  const std::string kohya = "lora_unet_" + underscores(kLayer),
                    dots = std::string("unet.") + kLayer;
  const auto one = LoraFileMaker()
                       .add(kohya + ".lora_up.weight", {8, 2})
                       .add(kohya + ".lora_down.weight", {2, 8})
                       .alpha(kohya + ".alpha", 1.0F)
                       .write(folder_, "one.safetensors");
  const auto two = LoraFileMaker()
                       .add(dots + ".lora_B.weight", {8, 2})
                       .add(dots + ".lora_A.weight", {2, 8})
                       .metadata("lora_adapter_metadata", R"({"unet.lora_alpha": 8, "unet.r": 2})")
                       .write(folder_, "two.safetensors");
  auto files = read_stable_diffusion(root_);
  const Lora loras[] = {{one, 1.0}, {two, -0.25}};
  add_loras(files, loras);
  EXPECT_LT(error(files, 1.0 * 0.5 - 0.25 * 4.0), 1e-5);
}

TEST_F(LoraTest, SettingsOfPeftAreItsScale) {
  const std::string name = std::string("base_model.model.") + kLayer;
  const auto path = LoraFileMaker()
                        .add(name + ".lora_B.weight", {8, 2})
                        .add(name + ".lora_A.weight", {2, 8})
                        .write(folder_, "adapter_model.safetensors");
  const auto scaled = [&](const std::string& settings) {
    write_atomically(folder_.path("adapter_config.json"), settings);
    auto files = read_stable_diffusion(root_);
    const Lora lora{path, 1.0};
    add_loras(files, {&lora, 1});
    return files;
  };
  EXPECT_LT(error(scaled(R"({"r": 2, "lora_alpha": 8})"), 4.0), 1e-5);
  EXPECT_LT(error(scaled(R"({"lora_alpha": 8, "use_rslora": true})"), 8.0 / std::sqrt(2.0)), 1e-5);
  EXPECT_LT(
      error(scaled(fmt::format(R"({{"lora_alpha": 8, "alpha_pattern": {{"{}": 1}}}})", kLayer)),
            0.5),
      1e-5);
  EXPECT_LT(error(scaled(R"({"lora_alpha": 8, "alpha_pattern": {"attn1.to_q": 1}})"), 0.5), 1e-5);
  EXPECT_LT(error(scaled(R"({"lora_alpha": 8, "alpha_pattern": {"o_q": 1}})"), 4.0), 1e-5);
  EXPECT_THROW(scaled(R"({"lora_alpha": 8, "alpha_pattern": {"to_[qk]": 1}})"), ModelError);
  EXPECT_THROW(scaled(R"({"lora_alpha": 8, "use_dora": true})"), ModelError);
  EXPECT_THROW(scaled("8"), ModelError);
  std::filesystem::remove(folder_.path("adapter_config.json"));
  EXPECT_THROW(read_lora(path), ModelError);
}

TEST_F(LoraTest, ConvolutionsAndTheTextNetworkAreChangedToo) {
  const auto path = LoraFileMaker()
                        .add("lora_unet_conv_in.lora_up.weight", {4, 2, 1, 1})
                        .add("lora_unet_conv_in.lora_down.weight", {2, 4, 3, 3})
                        .add("lora_te_text_model_encoder_layers_1_mlp_fc1.lora_up.weight", {16, 1})
                        .add("lora_te_text_model_encoder_layers_1_mlp_fc1.lora_down.weight", {1, 8})
                        .write(folder_, "lora.safetensors");
  auto files = read_stable_diffusion(root_);
  const auto base = read_stable_diffusion(root_);
  const Lora loras[] = {{path}};
  add_loras(files, loras);
  const Tensor convolution = files.unet->read("conv_in.weight") - base.unet->read("conv_in.weight");
  EXPECT_LT(
      (convolution - factor(4, 2).mm(factor(2, 36)).view({4, 4, 3, 3})).abs().max().item<double>(),
      1e-5);
  const std::string name = std::string(kText) + ".weight";
  const Tensor text = files.text->read(name) - base.text->read(name);
  EXPECT_LT((text - factor(16, 1).mm(factor(1, 8))).abs().max().item<double>(), 1e-5);
}

TEST_F(LoraTest, WhatIsNotOfTheCheckpointIsToldOrRefused) {
  const auto make = [&](const std::string& layer, std::int64_t in) {
    return LoraFileMaker()
        .add(layer + ".lora_up.weight", {8, 2})
        .add(layer + ".lora_down.weight", {2, in});
  };
  const std::string known = "lora_unet_" + underscores(kLayer);
  auto files = read_stable_diffusion(root_);
  const auto refuse = [&](int code, const std::string& word, const LoraFileMaker& maker) {
    const Lora loras[] = {{maker.write(folder_, "lora.safetensors")}};
    expect_error(code, word, [&] { add_loras(files, loras); });
  };
  refuse(3078, "none of its 1 layers", make("lora_unet_elsewhere", 8));
  refuse(3078, "[2, 9]", make(known, 9));
  refuse(3078, "half", LoraFileMaker().add(known + ".lora_up.weight", {8, 2}));
  refuse(3078, "no array of a LoRA", LoraFileMaker().add("conv_in.weight", {2}));
  refuse(3078, "no LoRA", LoraFileMaker());
  refuse(3079, "LoHa", make(known, 8).add(known + ".hada_w1_a", {1}));
  refuse(3079, "LoKr", make(known, 8).add(known + ".lokr_w1", {1}));
  refuse(3079, "DoRA", make(known, 8).add(known + ".dora_scale", {1}));
  refuse(3079, "DoRA",
         make(known, 8).metadata("lora_adapter_metadata", R"({"unet.use_dora": true})"));
  auto both = make(known, 8);
  both.add("lora_unet_elsewhere.lora_up.weight", {8, 2});
  both.add("lora_unet_elsewhere.lora_down.weight", {2, 8});
  const Lora loras[] = {{both.write(folder_, "lora.safetensors")}};
  add_loras(files, loras);
  ASSERT_EQ(files.notes.size(), 1U);
  EXPECT_NE(files.notes[0].find("elsewhere"), std::string::npos);
  EXPECT_LT(error(files, 1.0), 1e-5);
}

}  // namespace
}  // namespace gradatim::neural
