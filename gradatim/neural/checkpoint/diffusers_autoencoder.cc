#include "gradatim/neural/checkpoint/diffusers_autoencoder.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "gradatim/core/error.h"
#include "gradatim/core/file.h"
#include "gradatim/core/new_folder.h"
#include "gradatim/neural/checkpoint/diffusers_folder.h"

namespace gradatim::neural {
namespace {

namespace fs = std::filesystem;
using KlJson = nlohmann::ordered_json;

constexpr const char* kKlOwn = "_gradatim";

// What AutoencoderKL takes where config.json is silent.
constexpr const char* kKlDefaults = R"({
  "in_channels": 3, "out_channels": 3, "down_block_types": ["DownEncoderBlock2D"],
  "up_block_types": ["UpDecoderBlock2D"], "block_out_channels": [64], "layers_per_block": 1,
  "act_fn": "silu", "latent_channels": 4, "norm_num_groups": 32, "sample_size": 32,
  "scaling_factor": 0.18215, "shift_factor": null, "latents_mean": null, "latents_std": null,
  "force_upcast": true, "use_quant_conv": true, "use_post_quant_conv": true,
  "mid_block_add_attention": true
})";

KlJson parsed_json(const std::string& text, const std::string& source) {
  KlJson json = KlJson::parse(text, nullptr, false);
  GRADATIM_CHECK(json.is_object(), ModelError, 3062, "{} is no JSON object", source);
  return json;
}

// A config.json, asked field by field.
class KlFields {
 public:
  KlFields(const KlJson& given, std::string source) : source_(std::move(source)) {
    fields_ = KlJson::parse(kKlDefaults);
    fields_.update(given);
  }
  template <class T>
  T get(const char* name) const {
    try {
      return fields_.at(name).get<T>();
    } catch (const KlJson::exception&) {
      refuse(name);
    }
  }
  void want(bool good, const char* name) const {
    if (!good) refuse(name);
  }
  std::int64_t size(const char* name, std::int64_t most = 8192) const {
    const auto value = get<std::int64_t>(name);
    want(value >= 1 && value <= most, name);
    return value;
  }
  bool null(const char* name) const { return fields_.at(name).is_null(); }

 private:
  [[noreturn]] void refuse(const char* name) const {
    throw ModelError(3063, fmt::format("{}: neural.kl_autoencoder cannot have {} = {}", source_,
                                       name, fields_.at(name).dump()));
  }

  KlJson fields_;
  std::string source_;
};

void read_blocks(const KlFields& fields, KlConfig& config) {
  const auto channels = fields.get<std::vector<std::int64_t>>("block_out_channels");
  fields.want(!channels.empty() && channels.size() <= 16, "block_out_channels");
  config.channels = {};
  for (const std::int64_t each : channels) {
    fields.want(each >= 1 && each <= 8192, "block_out_channels");
    config.channels.values[config.channels.size++] = static_cast<int>(each);
  }
  const auto all = [&](const char* name, const std::string& type) {
    const auto types = fields.get<std::vector<std::string>>(name);
    fields.want(types == std::vector(channels.size(), type), name);
  };
  all("down_block_types", "DownEncoderBlock2D");
  all("up_block_types", "UpDecoderBlock2D");
}

// What samples are, beside their shape.
struct KlKept {
  bool bytes = false;
  double error = 0.0;
  std::vector<double> shift = {0.0}, factor = {1.0};
};

KlKept kept_of(const AutoencoderFolder& folder, std::string_view scaling) {
  const KlJson json = parsed_json(folder.json, folder.path);
  KlKept kept;
  const bool ours = json.contains(kKlOwn);
  if (ours) {
    try {
      const KlJson& own = json.at(kKlOwn);
      own.at("bytes").get_to(kept.bytes);
      own.at("error").get_to(kept.error);
      own.at("shift").get_to(kept.shift);
      own.at("factor").get_to(kept.factor);
    } catch (const KlJson::exception&) {
      throw ModelError(
          3063, fmt::format("{}: '{}' in config.json is damaged; remove it", folder.path, kKlOwn));
    }
  }
  const bool images = folder.sample[0] == 1 || folder.sample[0] == 3;
  if (scaling == "range" || (scaling == "automatic" && !ours && images)) {
    kept = {.bytes = true, .shift = {127.5}, .factor = {1.0 / 127.5}};
  } else if (scaling == "none") {
    kept = {};
  }
  return kept;
}

api::Settings settings_of(const AutoencoderFolder& folder, const KlKept& kept) {
  const KlConfig& config = folder.config;
  const bool plain = kept.shift == std::vector{0.0} && kept.factor == std::vector{1.0};
  const std::string channels =
      fmt::format("{}", fmt::join(config.channels.begin(), config.channels.end(), ","));
  const std::vector<api::Option> options{
      {"channels", channels},
      {"layers", std::to_string(config.layers)},
      {"latent_channels", std::to_string(config.latent_channels)},
      {"norm_groups", std::to_string(config.norm_groups)},
      {"middle_attention", config.middle_attention ? "true" : "false"},
      {"scaling", kept.factor.size() > 1 ? "standard" : (plain ? "none" : "range")}};
  return api::complete(api::parse_settings("neural.kl_autoencoder", options));
}

KlJson kl_json(const KlAutoencoderModel& model) {
  const KlConfig& config = model.plan().config;
  const KlParts& parts = model.parts();
  KlJson json = KlJson::parse(kKlDefaults);
  const std::vector<int> channels(config.channels.begin(), config.channels.end());
  json["_class_name"] = "AutoencoderKL";
  json["_diffusers_version"] = "0.42.1";
  json["in_channels"] = json["out_channels"] = model.kind().shape[0];
  json["down_block_types"] = std::vector<std::string>(channels.size(), "DownEncoderBlock2D");
  json["up_block_types"] = std::vector<std::string>(channels.size(), "UpDecoderBlock2D");
  json["block_out_channels"] = channels;
  json["layers_per_block"] = config.layers;
  json["latent_channels"] = config.latent_channels;
  json["norm_num_groups"] = config.norm_groups;
  json["mid_block_add_attention"] = config.middle_attention;
  json["sample_size"] = std::max(model.kind().shape[1], model.kind().shape[2]);
  json["scaling_factor"] = parts.factor;
  const auto shift = parts.scale.shift(), factor = parts.scale.factor();
  json[kKlOwn] = {{"shape", model.kind().shape},
                  {"bytes", model.kind().bytes},
                  {"error", parts.error},
                  {"shift", std::vector(shift.begin(), shift.end())},
                  {"factor", std::vector(factor.begin(), factor.end())}};
  return json;
}

}  // namespace

std::optional<std::string> autoencoder_folder(const std::string& path) {
  const fs::path here(path);
  const bool pipeline = !fs::exists(here / "config.json") && !fs::exists(here / "unet");
  const fs::path folder = pipeline ? here / "vae" : here;
  if (!fs::exists(folder / "config.json")) return std::nullopt;
  const MappedFile file((folder / "config.json").string());
  const KlJson json = KlJson::parse(file.bytes(), nullptr, false);
  if (!json.is_object() || json.value("_class_name", KlJson()) != "AutoencoderKL") {
    return std::nullopt;
  }
  return folder.string();
}

AutoencoderFolder read_autoencoder_folder(const std::string& path) {
  const std::string source = (fs::path(path) / "config.json").string();
  return read_autoencoder_config(std::string(MappedFile(source).bytes()), path, source);
}

AutoencoderFolder read_autoencoder_config(std::string text, const std::string& path,
                                          const std::string& source) {
  AutoencoderFolder folder{.path = path, .json = std::move(text)};
  const KlJson json = parsed_json(folder.json, source);
  const KlFields fields(json, source);
  read_blocks(fields, folder.config);
  folder.config.layers = static_cast<int>(fields.size("layers_per_block", 64));
  folder.config.latent_channels = static_cast<int>(fields.size("latent_channels"));
  folder.config.norm_groups = static_cast<int>(fields.size("norm_num_groups"));
  folder.config.middle_attention = fields.get<bool>("mid_block_add_attention");
  fields.want(fields.get<std::string>("act_fn") == "silu", "act_fn");
  fields.want(fields.get<bool>("use_quant_conv"), "use_quant_conv");
  fields.want(fields.get<bool>("use_post_quant_conv"), "use_post_quant_conv");
  for (const char* name : {"shift_factor", "latents_mean", "latents_std"}) {
    fields.want(fields.null(name), name);
  }
  folder.factor = fields.get<double>("scaling_factor");
  fields.want(folder.factor > 0.0 && std::isfinite(folder.factor), "scaling_factor");
  const std::int64_t channels = fields.size("in_channels"), side = fields.size("sample_size");
  fields.want(fields.size("out_channels") == channels, "out_channels");
  folder.sample = {channels, side, side};
  try {
    if (json.contains(kKlOwn)) json.at(kKlOwn).at("shape").get_to(folder.sample);
  } catch (const KlJson::exception&) {
    folder.sample.clear();
  }
  GRADATIM_CHECK(folder.sample.size() == 3 && folder.sample[0] == channels &&
                     std::ranges::all_of(folder.sample, [](auto x) { return x > 0; }),
                 ModelError, 3063, "{}: '{}' in config.json is damaged; remove it", path, kKlOwn);
  return folder;
}

KlParts load_autoencoder(const AutoencoderFolder& folder, at::Device device) {
  KlParts parts{.parameters = std::make_shared<Parameters>(), .factor = folder.factor};
  parts.net = make_kl_net(folder.config, Scope(*parts.parameters), folder.sample);
  parts.device = device;
  read_folder_parameters(folder.path, *parts.parameters, device);
  return parts;
}

Converted read_autoencoder(const std::string& path, std::string_view scaling) {
  const AutoencoderFolder folder = read_autoencoder_folder(path);
  const KlKept kept = kept_of(folder, scaling);
  // By way of a file's bytes, so that a model that was converted is checked as one that was loaded.
  SafetensorsWriter file;
  data::store_card({.settings = settings_of(folder, kept)}, file);
  SampleKind{folder.sample, {}, {}, kept.bytes, false}.store(file);
  file.add("scale.shift", std::span<const double>(kept.shift));
  file.add("scale.factor", std::span<const double>(kept.factor));
  const double latents[] = {folder.factor, kept.error};
  file.add("latents", std::span<const double>(latents));
  const KlParts parts = load_autoencoder(folder);
  parts.parameters->store(file, parts.parameters->values(), "autoencoder.");
  return {data::load_model_bytes(file.bytes(), folder.path), {}};
}

std::vector<std::string> write_autoencoder(const KlAutoencoderModel& model,
                                           const std::string& folder) {
  GRADATIM_CHECK(model.kind().shape.size() == 3, ModelError, 3063,
                 "diffusers' AutoencoderKL is of images, and the model's samples are rows");
  SafetensorsWriter weights;
  model.parts().parameters->store(weights, model.parts().parameters->values());
  weights.set_metadata("format", "pt");
  NewFolder out(folder);
  write_atomically(out.path("config.json"), kl_json(model).dump(2) + "\n");
  weights.write(out.path("diffusion_pytorch_model.safetensors"));
  out.keep();
  if (model.kind().bytes) return {};
  return {
      "diffusers decodes states, not data: the data are state / factor + shift, with the numbers "
      "under _gradatim in config.json"};
}

}  // namespace gradatim::neural
