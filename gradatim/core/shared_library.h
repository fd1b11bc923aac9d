// SharedLibrary: a part of gradatim that lies beside libgradatim and is opened when it is needed,
// so that what it links (Arrow, torch) burdens nobody else.
#pragma once

#include <filesystem>
#include <string>

namespace gradatim {

/// Where libgradatim lies (or the program that this code is linked into).
std::filesystem::path library_folder();

class SharedLibrary {
 public:
  /// Opens `file_name` beside libgradatim, or what the environment variable `place_variable` names.
  SharedLibrary(const char* file_name, const char* place_variable);

  /// Why it could not be opened; empty where it could.
  const std::string& missing() const { return missing_; }
  /// A function by its name; null where there is none.
  void* find(const char* name) const;

 private:
  void* handle_ = nullptr;
  std::string missing_;
};

}  // namespace gradatim
