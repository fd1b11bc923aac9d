// Generated files on the disk: only what differs is written, and what is stale goes.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "gradatim/api/write/writers.h"
#include "gradatim/core/error.h"
#include "gradatim/core/file.h"

namespace gradatim::api {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFolders[] = {"api", "docs/reference", "python/gradatim"};

std::string contents(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// The mark stands in the first line, or in the second one of JSON.
bool marked(const std::string& text) {
  const auto at = text.find(kGeneratedMark);
  return at != std::string::npos && at < 32;
}

std::vector<std::string> stale(const fs::path& root, const std::set<std::string>& wanted) {
  std::vector<std::string> found;
  for (const auto folder : kFolders) {
    if (!fs::is_directory(root / folder)) continue;
    for (const auto& file : fs::recursive_directory_iterator(root / folder)) {
      const auto path = file.path().lexically_relative(root).generic_string();
      if (!file.is_regular_file() || wanted.contains(path)) continue;
      const auto ending = file.path().extension();
      if (ending != ".py" && ending != ".md" && ending != ".txt" && ending != ".json") continue;
      if (marked(contents(file.path()))) found.push_back(path);
    }
  }
  return found;
}

}  // namespace

std::vector<GeneratedFile> all_files(const Registry& registry) {
  std::vector<GeneratedFile> files = golden_files(registry);
  files.push_back({"api/schema.json", schema_text(registry)});
  for (auto& file : reference_files(registry)) files.push_back(std::move(file));
  for (auto& file : python_files(registry)) files.push_back(std::move(file));
  std::ranges::sort(files, {}, &GeneratedFile::path);
  return files;
}

Written write_files(const std::string& root, std::span<const GeneratedFile> files) {
  Written done;
  std::set<std::string> wanted;
  for (const auto& [path, text] : files) {
    wanted.insert(path);
    const fs::path target = fs::path(root) / path;
    if (contents(target) == text) continue;
    std::error_code error;
    fs::create_directories(target.parent_path(), error);
    GRADATIM_CHECK(!error, DataError, 2002, "{}: the folder cannot be made: {}",
                   target.parent_path().string(), error.message());
    write_atomically(target.string(), text);
    done.changed.push_back(path);
  }
  done.removed = stale(root, wanted);
  for (const auto& path : done.removed) fs::remove(fs::path(root) / path);
  std::ranges::sort(done.removed);
  return done;
}

}  // namespace gradatim::api
