// Small checkpoints of Stable Diffusion with random weights, for tests.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "gradatim/core/error.h"
#include "gradatim/core/file.h"
#include "gradatim/neural/checkpoint/stable_diffusion.h"
#include "gradatim/neural/latent/kl_net.h"
#include "gradatim/neural/nn/net.h"
#include "gradatim/neural/text/text_transformer.h"

namespace gradatim::neural::testing {

constexpr const char* kTinyUnet = R"({"_class_name": "UNet2DConditionModel", "sample_size": 8,
  "in_channels": 4, "out_channels": 4, "block_out_channels": [4, 8], "layers_per_block": 1,
  "norm_num_groups": 2, "attention_head_dim": 2, "cross_attention_dim": 8,
  "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D"],
  "up_block_types": ["CrossAttnUpBlock2D", "UpBlock2D"], "somebody": {"else": 1})";
constexpr const char* kTinyAutoencoder = R"({"_class_name": "AutoencoderKL", "sample_size": 16,
  "block_out_channels": [4, 8], "layers_per_block": 1, "norm_num_groups": 2, "latent_channels": 4,
  "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D"],
  "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D"]})";
constexpr const char* kTinyText = R"({"model_type": "clip_text_model", "hidden_size": 8,
  "intermediate_size": 16, "num_attention_heads": 2, "num_hidden_layers": 2, "vocab_size": 600,
  "bos_token_id": 0, "eos_token_id": 2, "hidden_act": "quick_gelu")";

/// Removes the folder at both ends of its life.
class CheckpointFolder {
 public:
  explicit CheckpointFolder(const std::string& name)
      : path_(std::filesystem::path(::testing::TempDir()) / ("gradatim_" + name)) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~CheckpointFolder() { std::filesystem::remove_all(path_); }
  CheckpointFolder(const CheckpointFolder&) = delete;
  CheckpointFolder& operator=(const CheckpointFolder&) = delete;

  std::string path(const std::string& name = "") const {
    return name.empty() ? path_.string() : (path_ / name).string();
  }
  void put(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    write_atomically(path(name), text);
  }

 private:
  std::filesystem::path path_;
};

inline void store_random(Parameters& parameters, const std::string& path, std::uint64_t seed) {
  parameters.pack();
  parameters.init(seed);
  SafetensorsWriter writer;
  parameters.store(writer, parameters.values());
  writer.write(path);
}

/// A checkpoint in `name` of the folder; more fields of the configurations, each with a comma in
/// front.
inline std::string tiny_checkpoint(const CheckpointFolder& folder, const std::string& name,
                                   const std::string& more_unet = "",
                                   const std::string& more_text = "") {
  folder.put(name + "/model_index.json", R"({"_class_name": "StableDiffusionPipeline",
    "unet": ["diffusers", "UNet2DConditionModel"], "safety_checker": [null, null]})");
  folder.put(name + "/unet/config.json", kTinyUnet + more_unet + "}");
  folder.put(name + "/vae/config.json", kTinyAutoencoder);
  folder.put(name + "/text_encoder/config.json", kTinyText + more_text + "}");
  folder.put(name + "/scheduler/scheduler_config.json", R"({"_class_name": "DDIMScheduler"})");
  const std::string root = folder.path(name);
  // Weights that any reader takes, so that settings and shapes come from where they always do.
  for (const char* part :
       {"/unet/diffusion_pytorch_model", "/vae/diffusion_pytorch_model", "/text_encoder/model"}) {
    SafetensorsWriter().write(root + part + ".safetensors");
  }
  const StableDiffusionFiles files = read_stable_diffusion(root);
  const auto unet = declare_net(*api::build_as<Network>(files.network), files.shape);
  store_random(unet->parameters(), root + "/unet/diffusion_pytorch_model.safetensors", 1);
  Parameters autoencoder;
  const auto kl = make_kl_net(files.autoencoder_config, Scope(autoencoder), files.sample);
  store_random(autoencoder, root + "/vae/diffusion_pytorch_model.safetensors", 2);
  Parameters text;
  const TextTransformer transformer(Scope(text), files.text_config);
  store_random(text, root + "/text_encoder/model.safetensors", 3);
  return root;
}

/// A tokenizer of bytes and one merge, "ab".
inline void put_tokenizer(const CheckpointFolder& folder, const std::string& name) {
  std::vector<std::string> tokens = byte_symbols();
  tokens.insert(tokens.end(), {"ab</w>", kBeginToken, kEndToken});
  nlohmann::json vocabulary;
  for (std::size_t k = 0; k < tokens.size(); ++k) vocabulary[tokens[k]] = k;
  folder.put(name + "/vocab.json", vocabulary.dump());
  folder.put(name + "/merges.txt", "#version: 0.2\na b</w>\n");
}

/// What `act` throws: an Error with this code and this word, in one line.
template <class Act>
void expect_error(int code, const std::string& word, Act&& act) {
  try {
    act();
    ADD_FAILURE() << "nothing was thrown; expected " << code << " with " << word;
  } catch (const Error& error) {
    const std::string what = error.what();
    EXPECT_EQ(error.code(), code) << what;
    EXPECT_NE(what.find(word), std::string::npos) << what;
    EXPECT_EQ(what.find('\n'), std::string::npos) << what;
  }
}

}  // namespace gradatim::neural::testing
