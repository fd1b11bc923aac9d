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
#include "gradatim/neural/text/clip_vocabulary.h"

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
    if (!is_file(root / name)) continue;
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

// A given tokenizer in the place of the checkpoint's: a folder, or a file of merges. Version 2,
// which has the text network of OpenCLIP, fills texts with "!".
void take_tokenizer(StoredCheckpoint& stored, const std::string& folder) {
  std::erase_if(stored.files,
                [](const auto& file) { return file.first.starts_with("tokenizer/"); });
  if (is_file(folder)) {
    for (const auto& [name, text] : clip_files(folder, stored.open_clip ? "!" : kEndToken)) {
      stored.files["tokenizer/" + name] = text;
    }
    return;
  }
  for (const std::string name : kCheckpointFiles) {
    const fs::path file = fs::path(folder) / fs::path(name).filename();
    if (!name.starts_with("tokenizer/") || !is_file(file)) continue;
    stored.files[name] = std::string(MappedFile(file.string()).bytes());
  }
  const bool there = stored.files.contains("tokenizer/vocab.json") ||
                     stored.files.contains("tokenizer/tokenizer.json");
  GRADATIM_CHECK(there, ModelError, 3070,
                 "{}: it has neither vocab.json and merges.txt nor tokenizer.json; name the folder "
                 "'tokenizer' of a checkpoint, or the file bpe_simple_vocab_16e6.txt.gz",
                 folder);
}

// Of a single file that has none but takes CLIP's tokens: that of an installed package.
void take_installed_tokenizer(StoredCheckpoint& stored) {
  const auto text = stored.files.find("text_encoder/config.json");
  const bool has = stored.files.contains("tokenizer/vocab.json") ||
                   stored.files.contains("tokenizer/tokenizer.json");
  if (!stored.single_file || has || text == stored.files.end()) return;
  if (read_text_config(text->second, stored.where(text->first)).vocabulary != kClipTokens) return;
  const std::string found = installed_clip_vocabulary();
  if (found.empty()) return;
  take_tokenizer(stored, found);
  stored.notes.push_back(
      fmt::format("{} has no tokenizer; that of {} is taken", stored.path, found));
}

// A given scheduler, and a given prediction, in the place of the checkpoint's.
void apply_options(StoredCheckpoint& stored, const CheckpointOptions& options) {
  if (options.tokenizer.empty()) {
    take_installed_tokenizer(stored);
  } else {
    take_tokenizer(stored, options.tokenizer);
  }
  std::string& text = stored.files["scheduler/scheduler_config.json"];
  if (!options.scheduler.empty()) {
    fs::path path(options.scheduler);
    if (is_folder(path)) path /= "scheduler_config.json";
    GRADATIM_CHECK(is_file(path), DataError, 2001,
                   "cannot read '{}': a scheduler is a scheduler_config.json of diffusers, or a "
                   "folder with one; a solver's name, such as ddim, is for --solver (solver=)",
                   path.string());
    text = std::string(MappedFile(path.string()).bytes());
  }
  const bool automatic = options.prediction == "automatic";
  GRADATIM_CHECK(
      automatic || stored.single_file || text.empty(), UsageError, 1002,
      "prediction is for single files; {} has a scheduler, whose prediction_type says it",
      stored.path);
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
  StoredCheckpoint stored = is_folder(path) ? open_folder(path) : open_single_file(path, options);
  apply_options(stored, options);
  return stored;
}

}  // namespace gradatim::neural
