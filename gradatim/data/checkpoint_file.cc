#include "gradatim/data/checkpoint_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "gradatim/core/error.h"
#include "gradatim/core/file.h"

namespace gradatim::data {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMetadataKey = "gradatim.checkpoint";
constexpr int kFormat = 1;
constexpr double kShare = 50.0;  // a checkpoint costs at most 1 / kShare of the time between two

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void check_identity(const std::string& path, const nlohmann::json& there, const Identity& here) {
  for (const auto& [what, text] : here) {
    GRADATIM_CHECK(there.value(what, std::string()) == text, UsageError, 1035,
                   "{} is of a fit with another {}; take an empty folder, or repeat that fit to go "
                   "on with it",
                   path, what);
  }
}

}  // namespace

CheckpointFile::CheckpointFile(const std::string& folder, double seconds)
    : seconds_(seconds), written_(now()) {
  if (folder.empty()) return;
  std::error_code failed;
  fs::create_directories(folder, failed);
  const bool made = !failed && fs::is_directory(folder, failed);
  GRADATIM_CHECK(made, DataError, 2002, "cannot make the folder '{}' for checkpoints: {}", folder,
                 failed ? failed.message() : "a file of that name is there");
  path_ = (fs::path(folder) / "checkpoint.safetensors").string();
  there_ = fs::exists(path_, failed);
  // What a process that was killed while it wrote has left.
  std::vector<fs::path> left;
  if (!failed) {
    const fs::directory_iterator end;
    for (fs::directory_iterator at(folder, failed); !failed && at != end; at.increment(failed)) {
      if (at->path().string().starts_with(path_ + ".tmp.")) left.push_back(at->path());
    }
  }
  GRADATIM_CHECK(!failed, DataError, 2002, "cannot keep checkpoints in the folder '{}': {}", folder,
                 failed.message());
  for (const fs::path& path : left) fs::remove(path, failed);
}

bool CheckpointFile::load(const Identity& identity, const Read& read) const {
  if (!there_) return false;
  try {
    const SafetensorsFile file(path_);
    const auto json = nlohmann::json::parse(file.metadata(kMetadataKey));
    GRADATIM_CHECK(json.at("format").get<int>() == kFormat, UsageError, 1035,
                   "{} is of another version of gradatim; take an empty folder", path_);
    check_identity(path_, json.at("identity"), identity);
    read(file, json);
    return true;
  } catch (const UsageError&) {
    throw;
  } catch (const std::exception& error) {
    throw ModelError(3011, fmt::format("{} is damaged; remove it to begin the fit anew ({})", path_,
                                       error.what()));
  }
}

bool CheckpointFile::due() const {
  if (!wanted()) return false;
  const double wait = seconds_ > 0.0 ? std::max(seconds_, kShare * cost_) : 0.0;
  return now() - written_ >= wait;
}

void CheckpointFile::write(const Identity& identity, nlohmann::json state,
                           SafetensorsWriter& file) {
  if (!wanted()) return;
  const double begin = now();
  state["format"] = kFormat;
  for (const auto& [what, text] : identity) state["identity"][what] = text;
  file.set_metadata(kMetadataKey, state.dump());
  file.write(path_);
  written_ = now();
  cost_ = written_ - begin;
}

}  // namespace gradatim::data
