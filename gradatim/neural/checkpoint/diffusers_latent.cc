#include "gradatim/neural/checkpoint/diffusers_latent.h"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "gradatim/core/error.h"
#include "gradatim/core/file.h"
#include "gradatim/core/new_folder.h"
#include "gradatim/neural/checkpoint/diffusers_autoencoder.h"
#include "gradatim/neural/checkpoint/diffusers_folder.h"
#include "gradatim/neural/checkpoint/diffusers_scheduler.h"
#include "gradatim/neural/size.h"
#include "gradatim/neural/text/byte_codec.h"

namespace gradatim::neural {
namespace {

namespace fs = std::filesystem;
using LatentJson = nlohmann::ordered_json;

constexpr const char* kTextScope = "text.";           // of the parameters in our U-Net
constexpr const char* kTransformers = "text_model.";  // as transformers calls them

struct WrittenParts {
  const FieldModel& diffusion;
  const KlAutoencoderModel& autoencoder;
  const ByteCodec& codec;
  SchedulerParts scheduler;
};

WrittenParts parts_of_pipeline(const LatentDiffusionModel& model) {
  const FieldModel& diffusion = model.diffusion();
  const auto* autoencoder = dynamic_cast<const KlAutoencoderModel*>(&model.autoencoder());
  GRADATIM_CHECK(autoencoder != nullptr && autoencoder->kind().shape.size() == 3 &&
                     autoencoder->kind().shape[0] == 3,
                 ModelError, 3063,
                 "a StableDiffusionPipeline is of images of three channels, and of an autoencoder "
                 "such as neural.kl_autoencoder");
  const auto& captions = diffusion.parts().captions;
  const auto* codec = captions ? dynamic_cast<const ByteCodec*>(&captions->codec()) : nullptr;
  GRADATIM_CHECK(codec != nullptr, ModelError, 3063,
                 "a StableDiffusionPipeline reads texts by byte pairs; train with captions and "
                 "text.tokenizer=bytes");
  const auto& settings = diffusion.card().settings.parts;
  const api::Settings& network = settings.at("network");
  GRADATIM_CHECK(network.component == "neural.network.unet", ModelError, 3063,
                 "diffusers' UNet2DConditionModel is neural.network.unet alone; this network is {}",
                 network.component);
  const auto uniform = diffusion.scale();
  GRADATIM_CHECK(uniform.uniform() && uniform.shift()[0] == 0.0 && uniform.factor()[0] == 1.0,
                 ModelError, 3063, "the model scales latents once more, which diffusers does not");
  return {diffusion,
          *autoencoder,
          *codec,
          {.path = settings.at("path"),
           .prediction = settings.at("prediction"),
           .learned_variance = diffusion.parts().shape.outputs == 2}};
}

// The U-Net's own parameters, and those of the text network in it.
void write_unet_and_text(const WrittenParts& parts, const NewFolder& out) {
  const FieldParts& field = parts.diffusion.parts();
  const auto& settings = parts.diffusion.card().settings.parts;
  const NetworkShape& shape = field.shape;
  SafetensorsWriter unet, text;
  for (const auto& item : field.net->parameters().items()) {
    const Tensor host = item.value.detach().to(at::kCPU).contiguous();
    const std::span numbers(host.const_data_ptr<float>(), to_size(host.numel()));
    if (item.name.starts_with(kTextScope)) {
      const std::string name = item.name.substr(std::string_view(kTextScope).size());
      text.add(kTransformers + name, numbers, host.sizes().vec());
    } else {
      unet.add(item.name, numbers, host.sizes().vec());
    }
  }
  const auto network = api::build_as<Network>(settings.at("network"));
  write_unet_config(out.path("unet"), *network, shape);
  for (auto* file : {&unet, &text}) file->set_metadata("format", "pt");
  unet.write(out.path("unet/diffusion_pytorch_model.safetensors"));
  fs::create_directory(out.path("text_encoder"));
  text.write(out.path("text_encoder/model.safetensors"));
  const SpecialTokens special = parts.codec.special();
  const LatentJson config{{"architectures", {"CLIPTextModel"}},
                          {"model_type", "clip_text_model"},
                          {"vocab_size", parts.codec.vocabulary()},
                          {"hidden_size", shape.context},
                          {"intermediate_size", 4 * shape.context},
                          {"num_hidden_layers", shape.text.layers},
                          {"num_attention_heads", shape.text.heads},
                          {"max_position_embeddings", shape.text.tokens},
                          {"hidden_act", "gelu"},
                          {"layer_norm_eps", 1e-5},
                          {"bos_token_id", special.begin},
                          {"eos_token_id", special.end},
                          {"pad_token_id", special.pad}};
  write_atomically(out.path("text_encoder/config.json"), config.dump(2) + "\n");
}

void write_tokenizer(const ByteCodec& codec, std::int64_t length, const NewFolder& out) {
  const BytePairs& pairs = codec.pairs();
  fs::create_directory(out.path("tokenizer"));
  LatentJson vocabulary = LatentJson::object();
  for (std::size_t k = 0; k < pairs.tokens.size(); ++k) vocabulary[pairs.tokens[k]] = k;
  write_atomically(out.path("tokenizer/vocab.json"), vocabulary.dump() + "\n");
  std::string merges = "#version: 0.2\n";
  for (const auto& [first, second] : pairs.merges) {
    merges += fmt::format("{} {}\n", first, second);
  }
  write_atomically(out.path("tokenizer/merges.txt"), merges);
  const LatentJson special{{"bos_token", pairs.begin},
                           {"eos_token", pairs.end},
                           {"pad_token", pairs.pad},
                           {"unk_token", pairs.unknown}};
  write_atomically(out.path("tokenizer/special_tokens_map.json"), special.dump(2) + "\n");
  LatentJson config{{"tokenizer_class", "CLIPTokenizer"},
                    {"model_max_length", length},
                    {"do_lower_case", pairs.lower_case}};
  config.update(special);
  write_atomically(out.path("tokenizer/tokenizer_config.json"), config.dump(2) + "\n");
}

void write_scheduler(const WrittenParts& parts, const NewFolder& out) {
  const FieldParts& field = parts.diffusion.parts();
  const double last = field.path->model_time(field.path->last());
  GRADATIM_CHECK(field.shape.time_scale == 1.0, ModelError, 3068,
                 "a table of {} betas is too short: the network was told times on another scale "
                 "than diffusers does",
                 last + 1.0);
  auto config = LatentJson::parse(scheduler_config(parts.scheduler, *field.path, false));
  GRADATIM_CHECK(config.at("_class_name") == "DDPMScheduler", ModelError, 3068,
                 "a StableDiffusionPipeline has a table of betas; train with a path such as "
                 "scaled_linear");
  // A step or two of DDPM is a poor picture; DDIM is what such pipelines begin with.
  config["_class_name"] = "DDIMScheduler";
  config.erase("variance_type");
  config["set_alpha_to_one"] = false;
  config["steps_offset"] = 1;
  fs::create_directory(out.path("scheduler"));
  write_atomically(out.path("scheduler/scheduler_config.json"), config.dump(2) + "\n");
}

void write_index(const NewFolder& out) {
  const LatentJson none = {nullptr, nullptr};
  const LatentJson index{{"_class_name", "StableDiffusionPipeline"},
                         {"_diffusers_version", "0.42.1"},
                         {"feature_extractor", none},
                         {"image_encoder", none},
                         {"requires_safety_checker", false},
                         {"safety_checker", none},
                         {"scheduler", {"diffusers", "DDIMScheduler"}},
                         {"text_encoder", {"transformers", "CLIPTextModel"}},
                         {"tokenizer", {"transformers", "CLIPTokenizer"}},
                         {"unet", {"diffusers", "UNet2DConditionModel"}},
                         {"vae", {"diffusers", "AutoencoderKL"}}};
  write_atomically(out.path("model_index.json"), index.dump(2) + "\n");
}

}  // namespace

std::vector<std::string> write_latent_diffusion(const LatentDiffusionModel& model,
                                                const std::string& folder) {
  const WrittenParts parts = parts_of_pipeline(model);
  NewFolder out(folder);
  write_scheduler(parts, out);
  auto notes = write_autoencoder(parts.autoencoder, out.path("vae"));
  write_unet_and_text(parts, out);
  write_tokenizer(parts.codec, parts.diffusion.parts().shape.text.tokens, out);
  write_index(out);
  out.keep();
  return notes;
}

}  // namespace gradatim::neural
