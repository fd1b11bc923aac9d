#include "gradatim/core/new_folder.h"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>

#include "gradatim/core/error.h"

namespace gradatim {

namespace fs = std::filesystem;

NewFolder::NewFolder(const std::string& path) : target_(path) {
  if (!target_.has_filename()) target_ = target_.parent_path();  // "folder/"
  std::error_code ignored;
  const bool empty = fs::is_directory(target_, ignored) && fs::is_empty(target_, ignored);
  GRADATIM_CHECK(empty || !fs::exists(fs::symlink_status(target_, ignored)), DataError, 2002,
                 "cannot write '{}': it is there already and not an empty folder; name a new one",
                 target_.string());
  made_ = free_name();
  std::error_code failed;
  fs::create_directory(made_, failed);
  check(failed);
}

NewFolder::~NewFolder() {
  std::error_code ignored;
  if (!made_.empty()) fs::remove_all(made_, ignored);
}

void NewFolder::keep() {
  std::error_code failed;
  fs::rename(made_, target_, failed);
  check(failed);
  made_.clear();
}

// Whatever lies at a name already, of another call or a killed one, is not touched.
fs::path NewFolder::free_name() const {
  static std::atomic<unsigned> calls{0};
  while (true) {
    fs::path name = target_.string() + fmt::format(".tmp.{}.{}", ::getpid(), calls++);
    std::error_code ignored;
    if (!fs::exists(fs::symlink_status(name, ignored))) return name;
  }
}

void NewFolder::check(const std::error_code& failed) const {
  GRADATIM_CHECK(!failed, DataError, 2002, "cannot write the folder '{}': {}", target_.string(),
                 failed.message());
}

}  // namespace gradatim
