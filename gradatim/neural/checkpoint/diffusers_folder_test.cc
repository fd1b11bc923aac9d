#include "gradatim/neural/checkpoint/diffusers_folder.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "gradatim/core/error.h"
#include "gradatim/core/file.h"
#include "gradatim/neural/checkpoint/diffusers_config.h"
#include "gradatim/neural/convert.h"

namespace gradatim::neural {
namespace {

namespace fs = std::filesystem;

constexpr const char* kConfig = R"({
  "_class_name": "UNet2DModel", "somebody": {"else": 1}, "sample_size": 8, "in_channels": 1,
  "out_channels": 1, "block_out_channels": [8, 16], "layers_per_block": 1, "norm_num_groups": 4,
  "attention_head_dim": null, "down_block_types": ["DownBlock2D", "UNetResAttnDownBlock2D"],
  "up_block_types": ["AttnUpBlock2D", "UpBlock2D"], "num_class_embeds": null)";

class DiffusersFolder : public ::testing::Test {
 protected:
  DiffusersFolder() : path_(fs::path(::testing::TempDir()) / "gradatim_diffusers_folder") {
    fs::remove_all(path_);
    fs::create_directories(path_ / "unet");
    fs::create_directories(path_ / "scheduler");
  }
  ~DiffusersFolder() override { fs::remove_all(path_); }

  std::string unet() const { return (path_ / "unet").string(); }
  void put(const std::string& name, const std::string& text) const {
    write_atomically((path_ / name).string(), text);
  }
  // With more fields behind those of kConfig.
  void put_config(const std::string& more = "") const {
    put("unet/config.json", kConfig + more + "}");
  }
  // A folder of random weights.
  UnetFolder written() const {
    put_config();
    const UnetFolder folder = read_unet_folder(unet());
    const auto network = api::build_as<Network>(folder.settings);
    const auto net = make_net(*network, folder.shape);
    write_unet_folder(unet(), *network, folder.shape, net->parameters(), folder.config);
    return read_unet_folder(path_.string());
  }
  void expect_error(int code, const std::string& word) const {
    try {
      load_unet(read_unet_folder(path_.string()));
      ADD_FAILURE() << "it was read";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
    }
  }
  // Rewrites the weights with one array renamed, or of another shape.
  void change(const std::string& name, const std::string& to, bool shorter) const {
    SafetensorsWriter writer;
    {
      const SafetensorsFile file(unet() + "/diffusion_pytorch_model.safetensors");
      for (const auto& [each, view] : file.arrays()) {
        auto numbers = file.read<float>(each);
        std::vector<std::int64_t> shape = view.shape;
        if (each == name && shorter) {
          numbers.resize(numbers.size() - 1);
          shape = {};
        }
        writer.add(each == name ? to : each, std::span<const float>(numbers), shape);
      }
    }
    writer.write(unet() + "/diffusion_pytorch_model.safetensors");
  }

  fs::path path_;
};

TEST_F(DiffusersFolder, ReadsWhatItWroteAndKeepsUnknownKeys) {
  put("scheduler/scheduler_config.json", "{}");
  const UnetFolder folder = written();
  EXPECT_EQ(folder.scheduler, "{}");
  EXPECT_NE(folder.config.find("somebody"), std::string::npos);
  EXPECT_EQ(folder.shape.sample, (std::vector<std::int64_t>{1, 8, 8}));
  const auto net = load_unet(folder), again = load_unet(folder);
  EXPECT_GT(net->parameters().values().abs().max().item<float>(), 0.0F);
  EXPECT_TRUE(at::equal(net->parameters().values(), again->parameters().values()));
}

TEST_F(DiffusersFolder, RefusesByNameWhatItCannotRepresent) {
  fs::remove_all(path_ / "unet");
  expect_error(3062, "config.json");
  fs::create_directories(path_ / "unet");
  put("unet/config.json", "[1]");
  expect_error(3062, "JSON");
  put("unet/config.json", R"({"_class_name": "UNet3DConditionModel"})");
  expect_error(3062, "UNet3DConditionModel");
  for (const auto& [more, word] : std::vector<std::pair<std::string, std::string>>{
           {R"(, "class_embed_type": "timestep")", "class_embed_type"},
           {R"(, "time_embedding_type": "learned")", "time_embedding_type"},
           {R"(, "resnet_time_scale_shift": "spatial")", "resnet_time_scale_shift"},
           {R"(, "act_fn": "tanh")", "act_fn"},
           {R"(, "layers_per_block": "two")", "layers_per_block"},
           {R"(, "sample_size": null)", "sample_size"},
           {R"(, "up_block_types": ["UpBlock2D", "UpBlock2D"])", "up_block_types"},
           {R"(, "down_block_types": ["SkipDownBlock2D", "DownBlock2D"])", "SkipDownBlock2D"}}) {
    put_config(more);
    expect_error(3063, word);
  }
}

constexpr const char* kConditional = R"({
  "_class_name": "UNet2DConditionModel", "sample_size": [9, 8], "in_channels": 9,
  "out_channels": 4, "block_out_channels": [8, 16, 16], "layers_per_block": 1,
  "norm_num_groups": 4, "attention_head_dim": [4, 2, 4], "cross_attention_dim": 12,
  "use_linear_projection": true, "transformer_layers_per_block": [1, 2, 1], "upcast_attention": true,
  "down_block_types": ["AttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
  "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "AttnUpBlock2D"])";

TEST_F(DiffusersFolder, AConditionalOneIsReadAndWritten) {
  put("unet/config.json", std::string(kConditional) + "}");
  const UnetFolder folder = read_unet_folder(unet());
  EXPECT_EQ(folder.shape.sample, (std::vector<std::int64_t>{4, 9, 8}));
  EXPECT_EQ(folder.shape.beside, 5);
  EXPECT_EQ(folder.shape.context, 12);
  const auto network = api::build_as<Network>(folder.settings);
  const auto net = make_net(*network, folder.shape);
  write_unet_folder(unet(), *network, folder.shape, net->parameters(), folder.config);
  const UnetFolder again = read_unet_folder(path_.string());
  EXPECT_EQ(again.settings, folder.settings);
  EXPECT_EQ(again.shape.beside, 5);
  EXPECT_NE(again.config.find("\"upcast_attention\": true"), std::string::npos);
  EXPECT_TRUE(at::equal(load_unet(again)->parameters().values(), net->parameters().values()));
}

TEST_F(DiffusersFolder, AConditionalOneRefusesByNameWhatItCannotRepresent) {
  for (const auto& [more, word] : std::vector<std::pair<std::string, std::string>>{
           {R"(, "class_embed_type": "timestep")", "class_embed_type"},
           {R"(, "addition_embed_type": "text_time")", "addition_embed_type"},
           {R"(, "only_cross_attention": true)", "only_cross_attention"},
           {R"(, "conv_in_kernel": 1)", "conv_in_kernel"},
           {R"(, "time_embedding_type": "fourier")", "time_embedding_type"},
           {R"(, "mid_block_type": "UNetMidBlock2D")", "mid_block_type"},
           {R"(, "cross_attention_dim": [12, 12, 12])", "cross_attention_dim"},
           {R"(, "attention_head_dim": [4, 2])", "attention_head_dim"},
           {R"(, "attention_head_dim": [4, 2, 8])", "attention_head_dim"},
           {R"(, "layers_per_block": [1, 1, 2])", "layers_per_block"},
           {R"(, "out_channels": 10)", "out_channels"}}) {
    put("unet/config.json", kConditional + more + "}");
    expect_error(3063, word);
  }
}

TEST_F(DiffusersFolder, AConditionalOneIsNoNeuralDiffusion) {
  put("unet/config.json", std::string(kConditional) + "}");
  try {
    from_diffusers(path_.string());
    ADD_FAILURE() << "it was read";
  } catch (const ModelError& error) {
    EXPECT_EQ(error.code(), 3062) << error.what();
  }
}

TEST(DiffusersConfig, WhatDiffusersCannotSayIsNotWritten) {
  const UnetConfig small{.channels = {8, 16}};
  const NetworkShape shape{.sample = {1, 8, 8}}, told{.sample = {1, 8, 8}, .context = 4};
  const auto refused = [](UnetConfig config, const NetworkShape& of, const char* word) {
    try {
      unet_json(config, of);
      ADD_FAILURE() << "it was written: " << word;
    } catch (const ModelError& error) {
      EXPECT_EQ(error.code(), 3063) << error.what();
      EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
    }
  };
  UnetConfig config = small;
  refused(config, {.sample = {1, 9, 8}}, "multiples of 2");
  config.resnet_downsampling = {0};
  refused(config, told, "convolutions");
  config = small;
  config.middle_attention = false;
  refused(config, told, "middle");
  config = small;
  config.time = UnetTime::fourier;
  refused(config, told, "fourier");
  config = small;
  config.cross_attention = {0};
  config.heads = {2};
  refused(config, told, "reverse");
  config.head_width = 4;
  config.heads = {4, 2};
  refused(config, told, "coarsest");
  config = small;
  config.scale_shift = false;
  config.middle_norm_groups = 0;
  refused(config, shape, "scale_shift");
  EXPECT_EQ(unet_json(small, told)["out_channels"], 1);
}

TEST_F(DiffusersFolder, NamesWeightsThatAreMissingUnusedOrMisshapen) {
  const std::string name = "mid_block.resnets.0.conv1.bias";
  put_config();
  expect_error(3065, "missing");
  put("unet/diffusion_pytorch_model.bin", "pickle");
  expect_error(3065, "pickled");
  put("unet/diffusion_pytorch_model.safetensors.index.json", "{}");
  expect_error(3066, "index");
  put("unet/diffusion_pytorch_model.safetensors.index.json",
      R"({"weight_map": {"a": "../elsewhere.safetensors"}})");
  expect_error(3066, "beside");
  written();
  change(name, name, true);
  expect_error(3003, name);
  written();
  change(name, "another", false);
  expect_error(3064, name);
  written();
  change("conv_in.bias", "mid_block.attentions.1.to_q.bias", false);
  expect_error(3064, "conv_in.bias");
}

TEST_F(DiffusersFolder, AConfigThatClaimsALargerNetworkIsRefusedBeforeMemoryIsTaken) {
  written();
  put_config(R"(, "block_out_channels": [8192, 8192], "layers_per_block": 64)");
  expect_error(3003, "conv_in");
}

TEST_F(DiffusersFolder, FormerNamesOfAttentionAreRead) {
  const UnetFolder folder = written();
  const Tensor values = load_unet(folder)->parameters().values().clone();
  const std::string block = "mid_block.attentions.0.";
  change(block + "to_q.weight", block + "query.weight", false);
  change(block + "to_out.0.bias", block + "proj_attn.bias", false);
  EXPECT_TRUE(at::equal(load_unet(folder)->parameters().values(), values));
}

}  // namespace
}  // namespace gradatim::neural
