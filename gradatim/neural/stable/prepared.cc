#include "gradatim/neural/stable/prepared.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "gradatim/core/hash.h"
#include "gradatim/neural/nn/prepared.h"

namespace gradatim::neural {
namespace {

namespace fs = std::filesystem;

std::string file_text(const fs::path& path) {
  std::error_code unknown;
  const auto size = fs::file_size(path, unknown);
  const auto changed = fs::last_write_time(path, unknown).time_since_epoch().count();
  const auto whole = fs::canonical(path, unknown);
  return fmt::format("{} {} {}", whole.string(), unknown ? 0 : size, unknown ? 0 : changed);
}

// All of a folder's, in an order.
std::vector<std::string> files_text(const std::string& path) {
  std::error_code unknown;
  if (!fs::is_directory(path, unknown)) return {file_text(path)};
  std::vector<std::string> texts;
  for (const auto& entry : fs::directory_iterator(path, unknown)) {
    if (entry.is_directory(unknown)) {
      for (const auto& inner : fs::directory_iterator(entry.path(), unknown)) {
        if (inner.is_regular_file(unknown)) texts.push_back(file_text(inner.path()));
      }
    } else {
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
    for (const auto& text : files_text(path)) hash.add(text);
    hash.add(weight);
  }
  return fmt::format("1, files {:016x}, {}{}{}", hash.value(), packing_machine(),
                     request.eight_bit ? ", 8 bits" : "", request.memory > 0 ? ", lean" : "");
}

std::int64_t write_what_was_prepared(const StableParts& parts) {
  if (parts.prepared_path.empty()) return 0;
  HeldForms forms;
  bool fresh = parts.unet->parameters().add_forms(forms);
  fresh = parts.autoencoder_parameters->add_forms(forms) || fresh;
  fresh = parts.text_parameters->add_forms(forms) || fresh;
  if (!fresh) return 0;
  // What earlier programs used of the other layers stays in.
  if (parts.prepared != nullptr) parts.prepared->add_rest(forms);
  write_prepared(parts.prepared_path, parts.prepared_origin, forms);
  return static_cast<std::int64_t>(fs::file_size(parts.prepared_path));
}

}  // namespace gradatim::neural
