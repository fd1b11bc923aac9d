// Checkpoints of Stable Diffusion from one layout into the other, array after array, and what has
// no place in the other layout carried along.

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "gradatim/core/error.h"
#include "gradatim/core/file.h"
#include "gradatim/core/new_folder.h"
#include "gradatim/neural/checkpoint/folder_arrays.h"
#include "gradatim/neural/checkpoint/ldm_file.h"
#include "gradatim/neural/checkpoint/single_file_writer.h"
#include "gradatim/neural/convert.h"

namespace gradatim::neural {
namespace {

namespace fs = std::filesystem;

void write_arrays(const StoredArrays& arrays, const std::string& path) {
  SafetensorsViews file;
  for (const auto& [name, array] : arrays) file.add(name, view_of(array));
  file.set_metadata("format", "pt");
  file.write(path);
}

// model_index.json without what the folder will not have, such as a safety checker.
std::string index_of_parts(const StoredCheckpoint& stored) {
  const auto file = stored.files.find("model_index.json");
  auto json =
      nlohmann::ordered_json::parse(file == stored.files.end() ? "" : file->second, nullptr, false);
  if (!json.is_object()) return {};
  for (auto& [name, part] : json.items()) {
    const bool there = std::ranges::any_of(
        stored.files, [&](const auto& each) { return each.first.starts_with(name + "/"); });
    if (part.is_array() && !there) part = {nullptr, nullptr};
  }
  if (json.contains("requires_safety_checker")) json["requires_safety_checker"] = false;
  return json.dump(2) + "\n";
}

// What lies in a folder beside what is carried over.
void note_left_out(const std::string& path, std::vector<std::string>& notes) {
  for (const char* name : {"safety_checker", "feature_extractor", "image_encoder"}) {
    if (!is_folder(fs::path(path) / name)) continue;
    notes.push_back(fmt::format("{} is left out: a single file has no place for it", name));
  }
}

// The text network's arrays as its own file calls them: with what was carried along, and with the
// prefix that they had.
StoredArrays text_arrays(StoredCheckpoint& stored, const std::string& prefix) {
  StoredArrays text = std::move(stored.text);
  for (auto at = stored.rest.begin(); at != stored.rest.end();) {
    const bool carried = at->first.starts_with(kCarried);
    if (carried) text[at->first.substr(std::string(kCarried).size())] = at->second;
    at = carried ? stored.rest.erase(at) : std::next(at);
  }
  StoredArrays named;
  const std::string usual = kTextPrefix;
  for (auto& [name, array] : text) {
    const std::string plain = name.starts_with(usual) ? name.substr(usual.size()) : name;
    const bool outside = plain == "text_projection.weight" || plain == "logit_scale";
    named[(outside ? "" : prefix) + plain] = std::move(array);
  }
  return named;
}

void write_folder(StoredCheckpoint stored, const std::string& out,
                  std::vector<std::string>& notes) {
  const StoredFile file(stored.path);
  const std::string told = file.arrays().metadata(kTextPrefixKey);
  NewFolder folder(out);
  for (const char* name : {"unet", "vae", "text_encoder"}) fs::create_directory(folder.path(name));
  stored.files["model_index.json"] = index_of_parts(stored);
  for (const auto& [name, text] : stored.files) {
    const std::string path = folder.path(name);
    fs::create_directories(fs::path(path).parent_path());
    write_atomically(path, text);
  }
  const auto weights = [&](const char* part, const char* stem) {
    return folder.path(fmt::format("{}/{}.safetensors", part, stem));
  };
  write_arrays(by_network_names(stored.unet, stored.path), weights("unet", kDiffusersStem));
  write_arrays(by_network_names(stored.autoencoder, stored.path), weights("vae", kDiffusersStem));
  write_arrays(text_arrays(stored, told == "none" ? "" : kTextPrefix),
               weights("text_encoder", kTransformersStem));
  if (!stored.rest.empty()) {
    write_arrays(stored.rest, folder.path(kRestFile));
    notes.push_back(fmt::format("{} arrays are no network's, such as '{}'; they are in {}",
                                stored.rest.size(), stored.rest.begin()->first, kRestFile));
  }
  if (!stored.files.contains("tokenizer/vocab.json") &&
      !stored.files.contains("tokenizer/tokenizer.json")) {
    notes.push_back("the folder has no tokenizer, which every drawing then must be given");
  }
  folder.keep();
}

}  // namespace

bool is_stable_diffusion(const std::string& path) {
  const fs::path root(path);
  if (is_folder(root)) {
    return is_folder(root / "unet") && is_folder(root / "text_encoder") && is_folder(root / "vae");
  }
  const StoredFile file(path);
  const auto& arrays = file.arrays().arrays();
  const auto at = arrays.lower_bound(kLdmUnet);
  return at != arrays.end() && at->first.starts_with(kLdmUnet);
}

std::vector<std::string> convert_stable_diffusion(const std::string& path, const std::string& out,
                                                  const CheckpointOptions& options) {
  const bool to_file = fs::path(out).extension() == ".safetensors";
  const bool from_folder = is_folder(path);
  GRADATIM_CHECK(from_folder || !to_file, UsageError, 1002,
                 "{} is a single file already; the other layout is a folder, and '{}' is named "
                 "like a file",
                 path, out);
  GRADATIM_CHECK(!from_folder || to_file, UsageError, 1002,
                 "{} is a folder already; the other layout is a single file, name it '{}'", path,
                 out + ".safetensors");
  StoredCheckpoint stored = open_checkpoint(path, options);
  std::vector<std::string> notes = stored.notes;
  if (stored.single_file) {
    write_folder(std::move(stored), out, notes);
    return notes;
  }
  StoredArrays rest;
  const fs::path beside = fs::path(path) / kRestFile;
  if (is_file(beside)) rest = arrays_of(std::make_shared<StoredFile>(beside.string()));
  stored.files["model_index.json"] = index_of_parts(stored);
  note_left_out(path, notes);
  write_single_file(stored, rest, out);
  return notes;
}

}  // namespace gradatim::neural
