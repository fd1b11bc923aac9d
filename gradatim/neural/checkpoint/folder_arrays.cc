#include "gradatim/neural/checkpoint/folder_arrays.h"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "gradatim/core/error.h"
#include "gradatim/core/file.h"

namespace gradatim::neural {
namespace {

namespace fs = std::filesystem;

void add_arrays(const fs::path& path, StoredArrays& all) {
  for (auto& [name, array] : arrays_of(std::make_shared<StoredFile>(path.string()))) {
    const bool fresh = all.emplace(name, std::move(array)).second;
    GRADATIM_CHECK(fresh, ModelError, 3066, "{}: '{}' is in another file of the index too",
                   path.string(), name);
  }
}

// The file of an array: one beside the index, and no index itself.
std::string shard_of(const fs::path& index, const std::string& name, const nlohmann::json& file) {
  const std::string text = file.is_string() ? file.get<std::string>() : "";
  const fs::path path(text);
  const bool beside = !text.empty() && path.filename() == path && text != "." && text != "..";
  GRADATIM_CHECK(beside, ModelError, 3066, "{}: '{}' is not in a file beside the index",
                 index.string(), name);
  GRADATIM_CHECK(path.extension() == ".safetensors", ModelError, 3066,
                 "{}: '{}' is said to be in '{}', which is no file of weights", index.string(),
                 name, text);
  return text;
}

StoredArrays indexed_arrays(const fs::path& index) {
  const auto json = nlohmann::json::parse(MappedFile(index.string()).bytes(), nullptr, false);
  const bool whole = json.is_object() && json.contains("weight_map") &&
                     json["weight_map"].is_object() && !json["weight_map"].empty();
  GRADATIM_CHECK(whole, ModelError, 3066, "{} is no index of weights", index.string());
  std::map<std::string, std::string> first_of;  // a file's, for the message
  for (const auto& [name, file] : json["weight_map"].items()) {
    first_of.emplace(shard_of(index, name, file), name);
  }
  StoredArrays all;
  for (const auto& [file, name] : first_of) {
    GRADATIM_CHECK(is_file(index.parent_path() / file), ModelError, 3066,
                   "{}: '{}' is said to be in '{}', which is not there; copy the folder again",
                   index.string(), name, file);
    add_arrays(index.parent_path() / file, all);
  }
  for (const auto& [name, file] : json["weight_map"].items()) {
    GRADATIM_CHECK(all.contains(name), ModelError, 3066,
                   "{}: '{}' is not in '{}'; copy the folder again", index.string(), name,
                   file.get<std::string>());
  }
  return all;
}

// A parameter's name before diffusers renamed those of attention, and its name today.
constexpr std::pair<std::string_view, std::string_view> kFormer[] = {{".query.", ".to_q."},
                                                                     {".key.", ".to_k."},
                                                                     {".value.", ".to_v."},
                                                                     {".proj_attn.", ".to_out.0."}};

std::string name_today(std::string name) {
  constexpr std::string_view kText = "text_model.";
  if (name.starts_with(kText)) name.erase(0, kText.size());
  for (const auto& [before, now] : kFormer) {
    const auto at = name.find(before);
    if (at != std::string::npos) name.replace(at, before.size(), now);
  }
  return name;
}

// A matrix of attention may have been written as a convolution of single pixels.
void flatten_attention(const std::string& name, std::vector<std::int64_t>& shape) {
  for (const auto& [before, now] : kFormer) {
    const bool its = name.find(now) != std::string::npos;
    if (its && shape.size() == 4 && shape[2] == 1 && shape[3] == 1) shape.resize(2);
  }
}

}  // namespace

bool is_no_parameter(const std::string& name) {
  return name == "embeddings.position_ids" || name == "text_projection.weight" ||
         name == "logit_scale";
}

StoredArrays folder_arrays(const std::string& folder, const std::string& stem) {
  const fs::path root(folder);
  for (const char* variant : {"", ".fp16"}) {
    const fs::path whole = root / (stem + variant + ".safetensors");
    if (is_file(whole)) {
      StoredArrays all;
      add_arrays(whole, all);
      return all;
    }
    const std::string before = stem + ".safetensors.index", after = stem + variant;
    for (const std::string& name :
         {before + variant + ".json", after + ".safetensors.index.json"}) {
      std::error_code ignored;
      if (is_file(root / name) || fs::is_symlink(root / name, ignored)) {
        return indexed_arrays(root / name);
      }
    }
  }
  for (const char* name :
       {"diffusion_pytorch_model.bin", "pytorch_model.bin", "diffusion_pytorch_model.fp16.bin",
        "pytorch_model.fp16.bin", "diffusion_pytorch_model.bin.index.json",
        "pytorch_model.bin.index.json"}) {
    GRADATIM_CHECK(!is_file(root / name), ModelError, 3065, "{} has pickled weights only: {}",
                   folder, kPickledRemedy);
  }
  throw ModelError(3065, fmt::format("{} has no weights: {}.safetensors is missing", folder, stem));
}

StoredArrays by_network_names(const StoredArrays& arrays, const std::string& source) {
  StoredArrays named;
  for (const auto& [before, array] : arrays) {
    const std::string name = name_today(before);
    if (is_no_parameter(name)) continue;
    const auto [at, fresh] = named.emplace(name, array);
    GRADATIM_CHECK(fresh, ModelError, 3066, "{}: '{}' is there twice, once as '{}'", source, name,
                   before);
    flatten_attention(name, at->second.shape);
  }
  return named;
}

}  // namespace gradatim::neural
