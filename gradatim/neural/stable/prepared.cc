#include "gradatim/neural/stable/prepared.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "gradatim/core/hash.h"
#include "gradatim/neural/checkpoint/lora_file.h"
#include "gradatim/neural/nn/prepared.h"

namespace gradatim::neural {
namespace {

namespace fs = std::filesystem;

// Of what is not there, too. The time of change is the system's own: files that are unpacked with a
// time of their own do not pass for others.
std::string file_text(const fs::path& path) {
  struct stat found = {};
  if (stat(path.c_str(), &found) != 0) return "none";
  const auto time = [](const timespec& at) { return fmt::format("{}.{}", at.tv_sec, at.tv_nsec); };
  std::error_code unknown;
  return fmt::format("{} {} {} {}", fs::canonical(path, unknown).string(), found.st_size,
                     time(found.st_mtim), time(found.st_ctim));
}

// A file, or those of a folder that networks are read from, in an order.
std::vector<std::string> files_text(const fs::path& path) {
  std::error_code unknown;
  if (!fs::is_directory(path, unknown)) return {file_text(path)};
  std::vector<std::string> texts;
  for (const char* network : {"unet", "vae", "text_encoder"}) {
    for (const auto& entry : fs::directory_iterator(path / network, unknown)) {
      texts.push_back(file_text(entry.path()));
    }
  }
  std::ranges::sort(texts);
  return texts;
}

}  // namespace

std::string prepared_origin(const CheckpointRequest& request) {
  Hash hash;
  for (const auto& text : files_text(request.path)) hash.add(text);
  for (const auto& [path, weight] : request.loras) {
    hash.add(file_text(path)).add(file_text(settings_beside(path))).add(weight);
  }
  return fmt::format("1, files {:016x}, {}{}{}", hash.value(), packing_machine(),
                     request.eight_bit ? ", 8 bits" : "", request.memory > 0 ? ", lean" : "");
}

std::int64_t write_what_was_prepared(StableParts& parts) {
  if (parts.prepared_path.empty()) return 0;
  HeldForms forms;
  bool fresh = parts.unet->parameters().add_forms(forms);
  fresh = parts.autoencoder_parameters->add_forms(forms) || fresh;
  fresh = parts.text_parameters->add_forms(forms) || fresh;
  if (!fresh || forms.size() == parts.prepared_count) return 0;
  parts.prepared_count = forms.size();
  // What earlier programs used of the other layers stays in.
  parts.prepared->add_rest(forms);
  write_prepared(parts.prepared_path, parts.prepared_origin, forms);
  return static_cast<std::int64_t>(fs::file_size(parts.prepared_path));
}

}  // namespace gradatim::neural
