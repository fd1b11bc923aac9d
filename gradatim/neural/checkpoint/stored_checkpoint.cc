#include "gradatim/neural/checkpoint/stored_checkpoint.h"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "gradatim/core/error.h"
#include "gradatim/core/file.h"
#include "gradatim/neural/checkpoint/folder_arrays.h"
#include "gradatim/neural/checkpoint/ldm_config.h"
#include "gradatim/neural/checkpoint/text_config_json.h"
#include "gradatim/neural/text/clip_tokenizer.h"

namespace gradatim::neural {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCheckpointFiles[] = {"model_index.json",
                                            "unet/config.json",
                                            "vae/config.json",
                                            "text_encoder/config.json",
                                            "scheduler/scheduler_config.json",
                                            "tokenizer/vocab.json",
                                            "tokenizer/merges.txt",
                                            "tokenizer/special_tokens_map.json",
                                            "tokenizer/tokenizer_config.json",
                                            "tokenizer/tokenizer.json"};

// Of a pipeline with other networks, such as XL's second text encoder, the class alone is told.
void check_pipeline(const StoredCheckpoint& stored) {
  const auto file = stored.files.find("model_index.json");
  if (file == stored.files.end()) return;
  const auto json = nlohmann::json::parse(file->second, nullptr, false);
  const auto where = stored.where("model_index.json");
  GRADATIM_CHECK(json.is_object(), ModelError, 3073, "{} is no JSON object; copy it again", where);
  const auto name = json.value("_class_name", nlohmann::json("StableDiffusionPipeline"));
  const bool ours = name.is_string() && name.get<std::string>().starts_with("StableDiffusion") &&
                    !name.get<std::string>().starts_with("StableDiffusionXL") &&
                    !name.get<std::string>().starts_with("StableDiffusion3");
  GRADATIM_CHECK(ours && json.value("text_encoder_2", nlohmann::json()).is_null(), ModelError, 3073,
                 "{} describes a {}; checkpoints of Stable Diffusion 1.x and 2.x are read", where,
                 name.dump());
}

StoredCheckpoint open_folder(const std::string& path) {
  StoredCheckpoint stored{.path = path};
  const fs::path root(path);
  for (const char* name : kCheckpointFiles) {
    if (!fs::is_regular_file(root / name)) continue;
    stored.files[name] = std::string(MappedFile((root / name).string()).bytes());
  }
  check_pipeline(stored);
  for (const char* name : {"unet/config.json", "vae/config.json", "text_encoder/config.json"}) {
    GRADATIM_CHECK(stored.files.contains(name), ModelError, 3073,
                   "{} is no checkpoint of Stable Diffusion: it has no {}", path, name);
  }
  stored.unet = folder_arrays((root / "unet").string(), kDiffusersStem);
  stored.autoencoder = folder_arrays((root / "vae").string(), kDiffusersStem);
  stored.text = folder_arrays((root / "text_encoder").string(), kTransformersStem);
  return stored;
}

StoredCheckpoint open_single_file(const std::string& path, const CheckpointOptions& options) {
  StoredCheckpoint stored{.path = path, .single_file = true};
  const auto file = std::make_shared<StoredFile>(path);
  for (const char* name : kCheckpointFiles) {
    const std::string text = file->arrays().metadata(std::string(kFileKey) + name);
    if (!text.empty()) stored.files[name] = text;
  }
  std::optional<std::int64_t> layers;
  const auto text = stored.files.find("text_encoder/config.json");
  if (text != stored.files.end()) {
    layers = read_text_config(text->second, stored.where(text->first)).layers;
  }
  LdmArrays parts = ldm_arrays(file, layers);
  const LdmGuess guess{options.prediction, options.norm_groups, options.heads};
  const bool ours = stored.files.contains("unet/config.json") &&
                    stored.files.contains("vae/config.json") && text != stored.files.end();
  if (!ours) stored.files.merge(ldm_configs(parts, guess, path, stored.notes));
  stored.open_clip = parts.open_clip;
  stored.unet = std::move(parts.unet);
  stored.autoencoder = std::move(parts.autoencoder);
  stored.text = std::move(parts.text);
  stored.rest = std::move(parts.rest);
  return stored;
}

// The files of a tokenizer that is a file of merges alone.
void put_tokenizer_files(StoredCheckpoint& stored, const BytePairs& pairs) {
  nlohmann::json vocabulary;
  for (std::size_t k = 0; k < pairs.tokens.size(); ++k) vocabulary[pairs.tokens[k]] = k;
  std::string merges = "#version: 0.2\n";
  for (const auto& [left, right] : pairs.merges) merges += left + ' ' + right + '\n';
  const nlohmann::json special{{"bos_token", pairs.begin},
                               {"eos_token", pairs.end},
                               {"pad_token", pairs.pad},
                               {"unk_token", pairs.unknown}};
  const nlohmann::json config{{"tokenizer_class", "CLIPTokenizer"}, {"model_max_length", 77}};
  stored.files["tokenizer/vocab.json"] = vocabulary.dump();
  stored.files["tokenizer/merges.txt"] = merges;
  stored.files["tokenizer/special_tokens_map.json"] = special.dump(2) + "\n";
  stored.files["tokenizer/tokenizer_config.json"] = config.dump(2) + "\n";
}

// A given tokenizer in the place of the checkpoint's.
void take_tokenizer(StoredCheckpoint& stored, const std::string& path) {
  std::erase_if(stored.files,
                [](const auto& file) { return file.first.starts_with("tokenizer/"); });
  const std::string text = "text_encoder/config.json";
  const auto pad = usual_pad(read_text_config(stored.files.at(text), stored.where(text)));
  const auto codec = read_clip_tokenizer(path, pad);
  if (!fs::is_directory(path)) return put_tokenizer_files(stored, codec->pairs());
  for (const std::string name : kCheckpointFiles) {
    const fs::path file = fs::path(path) / fs::path(name).filename();
    if (!name.starts_with("tokenizer/") || !fs::is_regular_file(file)) continue;
    stored.files[name] = std::string(MappedFile(file.string()).bytes());
  }
}

// A given scheduler, and a given prediction, in the place of the checkpoint's.
void apply_options(StoredCheckpoint& stored, const CheckpointOptions& options) {
  if (!options.tokenizer.empty()) take_tokenizer(stored, options.tokenizer);
  std::string& text = stored.files["scheduler/scheduler_config.json"];
  if (!options.scheduler.empty()) {
    fs::path path(options.scheduler);
    if (fs::is_directory(path)) path /= "scheduler_config.json";
    text = std::string(MappedFile(path.string()).bytes());
  }
  const bool automatic = options.prediction == "automatic";
  if (text.empty()) {
    text = usual_scheduler(automatic ? "epsilon" : options.prediction);
    stored.notes.push_back(fmt::format(
        "{} has no scheduler_config.json; that of Stable Diffusion 1 is taken", stored.path));
  }
  if (automatic) return;
  auto json = nlohmann::ordered_json::parse(text, nullptr, false);
  if (!json.is_object()) return;  // whoever reads it says so
  json["prediction_type"] = options.prediction;
  text = json.dump(2) + "\n";
}

}  // namespace

std::span<const char* const> checkpoint_files() { return kCheckpointFiles; }

std::string StoredCheckpoint::where(const std::string& file) const {
  return single_file ? fmt::format("{} ({})", path, file) : (fs::path(path) / file).string();
}

StoredCheckpoint open_checkpoint(const std::string& path, const CheckpointOptions& options) {
  constexpr std::string_view kPredictions[] = {"automatic", "epsilon", "v_prediction", "sample"};
  GRADATIM_CHECK(std::ranges::count(kPredictions, options.prediction) == 1, UsageError, 1005,
                 "prediction must be one of automatic, epsilon, v_prediction, sample; got '{}'",
                 options.prediction);
  StoredCheckpoint stored =
      fs::is_directory(path) ? open_folder(path) : open_single_file(path, options);
  apply_options(stored, options);
  return stored;
}

}  // namespace gradatim::neural
