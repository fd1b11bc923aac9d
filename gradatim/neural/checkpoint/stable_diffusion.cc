#include "gradatim/neural/checkpoint/stable_diffusion.h"

#include <fmt/format.h>

#include <filesystem>

#include "gradatim/core/error.h"
#include "gradatim/neural/checkpoint/diffusers_autoencoder.h"
#include "gradatim/neural/checkpoint/diffusers_config.h"
#include "gradatim/neural/checkpoint/fit.h"
#include "gradatim/neural/checkpoint/mapped_weights.h"
#include "gradatim/neural/checkpoint/text_config_json.h"
#include "gradatim/neural/latent/kl_net.h"
#include "gradatim/neural/nn/net.h"
#include "gradatim/neural/text/clip_tokenizer.h"
#include "gradatim/neural/text/text_transformer.h"

namespace gradatim::neural {
namespace {

using ConfigJson = nlohmann::ordered_json;

constexpr std::int64_t kMostChannels = 1 << 13, kMostContext = 1 << 16, kMostSide = 1 << 13;
// Of latents that a U-Net was trained on, where its configuration is silent.
constexpr std::int64_t kUsualSide = 64;

// Sizes are multiplied before memory is taken, and must not overflow.
void check_unet_sizes(const NetworkShape& shape, const std::string& source) {
  const bool sane = shape.sample[0] + shape.beside <= kMostChannels &&
                    shape.sample[1] <= kMostSide && shape.sample[2] <= kMostSide &&
                    shape.context <= kMostContext;
  GRADATIM_CHECK(sane, ModelError, 3063,
                 "{}: in_channels may be {}, sample_size {} and cross_attention_dim {} at most",
                 source, kMostChannels, kMostSide, kMostContext);
}

void read_unet_part(const StoredCheckpoint& stored, StableDiffusionFiles& files) {
  const std::string source = stored.where("unet/config.json");
  auto json = ConfigJson::parse(stored.files.at("unet/config.json"), nullptr, false);
  GRADATIM_CHECK(json.is_object(), ModelError, 3062, "{} is no JSON object", source);
  const auto name = json.value("_class_name", ConfigJson("UNet2DConditionModel"));
  GRADATIM_CHECK(name == "UNet2DConditionModel", ModelError, 3062,
                 "{} describes a {}; Stable Diffusion has a UNet2DConditionModel", source,
                 name.dump());
  json["_class_name"] = name;
  if (json.value("sample_size", ConfigJson()).is_null()) json["sample_size"] = kUsualSide;
  files.network = unet_settings(json, source);
  files.shape = unet_shape(json, source);
  check_unet_sizes(files.shape, source);
}

void read_autoencoder_part(const StoredCheckpoint& stored, StableDiffusionFiles& files) {
  const std::string source = stored.where("vae/config.json");
  const auto& text = stored.files.at("vae/config.json");
  const AutoencoderFolder folder = read_autoencoder_config(text, stored.path, source);
  files.autoencoder_config = folder.config;
  files.sample = folder.sample;
  files.factor = folder.factor;
  files.unit = 1 << (folder.config.channels.size - 1);
}

void read_tokenizer_part(const StoredCheckpoint& stored, StableDiffusionFiles& files) {
  TokenizerFiles own;
  for (const auto& [name, text] : stored.files) {
    const std::filesystem::path path(name);
    if (path.parent_path() == "tokenizer") own[path.filename().string()] = text;
  }
  const std::string pad = usual_pad(files.text_config);
  if (own.contains("vocab.json") || own.contains("tokenizer.json")) {
    files.tokenizer = read_clip_tokenizer(own, stored.where("tokenizer"), pad);
    return;
  }
  files.no_tokenizer =
      stored.single_file ? fmt::format("{} is a single file, which has no tokenizer", stored.path)
                         : fmt::format("{} has no vocabulary in its folder tokenizer", stored.path);
}

void check_together(const StableDiffusionFiles& files) {
  const auto same = [&](std::int64_t one, std::int64_t other, const char* what) {
    GRADATIM_CHECK(one == other, ModelError, 3082, "{}: {}: {} and {}", files.path, what, one,
                   other);
  };
  same(files.shape.context, files.text_config.width,
       "the U-Net attends to texts of another width than the text network's");
  same(files.shape.sample[0], files.autoencoder_config.latent_channels,
       "the U-Net's latents have another number of channels than the autoencoder's");
  same(files.shape.outputs, 1, "the U-Net puts out more than the noise");
  same(files.shape.classes, 0, "the U-Net is told labels, and a prompt has none");
  if (files.shape.beside > 0) {
    same(files.shape.beside, files.shape.sample[0] + 1,
         "the U-Net takes other channels than a mask and an image's latents");
  }
  if (files.tokenizer == nullptr) return;
  const std::int64_t tokens = files.tokenizer->vocabulary();
  GRADATIM_CHECK(tokens <= files.text_config.vocabulary, ModelError, 3082,
                 "{}: the tokenizer has {} tokens and the text network {}; take the tokenizer of "
                 "this checkpoint",
                 files.path, tokens, files.text_config.vocabulary);
}

std::shared_ptr<const Weights> mapped_part(const StoredArrays& arrays, const std::string& source) {
  return std::make_shared<MappedWeights>(source, by_network_names(arrays, source));
}

}  // namespace

const ByteCodec& StableDiffusionFiles::codec() const {
  GRADATIM_CHECK(
      tokenizer != nullptr, ModelError, 3072,
      "{}; name the folder of one, or the file bpe_simple_vocab_16e6.txt.gz, which the package "
      "open-clip-torch has, by --tokenizer (tokenizer=) or the variable GRADATIM_CLIP_VOCABULARY",
      no_tokenizer);
  return *tokenizer;
}

StableDiffusionFiles read_stable_diffusion(const std::string& path,
                                           const CheckpointOptions& options) {
  const StoredCheckpoint stored = open_checkpoint(path, options);
  StableDiffusionFiles files{.path = path, .notes = stored.notes};
  read_unet_part(stored, files);
  read_autoencoder_part(stored, files);
  const std::string text = "text_encoder/config.json";
  files.text_config = read_text_config(stored.files.at(text), stored.where(text));
  read_tokenizer_part(stored, files);
  files.scheduler_config = stored.files.at("scheduler/scheduler_config.json");
  check_together(files);
  const auto part = [&](const char* folder) {
    return stored.single_file ? fmt::format("{} ({})", path, folder)
                              : (std::filesystem::path(path) / folder).string();
  };
  files.unet = mapped_part(stored.unet, part("unet"));
  files.autoencoder = mapped_part(stored.autoencoder, part("vae"));
  files.text = mapped_part(stored.text, part("text_encoder"));
  return files;
}

void check_stable_diffusion(const StableDiffusionFiles& files) {
  const auto unet = declare_net(*api::build_as<Network>(files.network), files.shape);
  check_weights(unet->parameters(), *files.unet);
  Parameters autoencoder;
  const auto net = make_kl_net(files.autoencoder_config, Scope(autoencoder), files.sample);
  check_weights(autoencoder, *files.autoencoder);
  Parameters text;
  const TextTransformer transformer(Scope(text), files.text_config);
  check_weights(text, *files.text);
}

}  // namespace gradatim::neural
