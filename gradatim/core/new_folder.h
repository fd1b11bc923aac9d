// NewFolder: a folder that appears at once, with all that is in it, or not at all.
#pragma once

#include <filesystem>
#include <string>
#include <system_error>

namespace gradatim {

/// Made beside `path` under another name; keep() gives it its own. Without that it goes with the
/// object.
class NewFolder {
 public:
  /// GRD-2002 where `path` is there already, but for an empty folder, or its parent is not.
  explicit NewFolder(const std::string& path);
  ~NewFolder();
  NewFolder(const NewFolder&) = delete;
  NewFolder& operator=(const NewFolder&) = delete;

  /// Of a file or a folder in it, until it is kept.
  std::string path(const std::string& name) const { return (made_ / name).string(); }
  /// GRD-2002 where somebody has put something there meanwhile.
  void keep();

 private:
  std::filesystem::path free_name() const;
  void check(const std::error_code& failed) const;

  std::filesystem::path target_, made_;
};

}  // namespace gradatim
