#include "gradatim/core/shared_library.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>

namespace gradatim {

std::filesystem::path library_folder() {
  Dl_info info{};
  if (::dladdr(reinterpret_cast<const void*>(&library_folder), &info) == 0) return {};
  std::error_code ignored;
  return std::filesystem::weakly_canonical(info.dli_fname, ignored).parent_path();
}

SharedLibrary::SharedLibrary(const char* file_name, const char* place_variable) {
  const char* asked = std::getenv(place_variable);
  const std::string place = asked != nullptr ? asked : (library_folder() / file_name).string();
  handle_ = ::dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle_ != nullptr) return;
  const char* why = ::dlerror();
  missing_ = why != nullptr ? why : place;
}

void* SharedLibrary::find(const char* name) const {
  return handle_ == nullptr ? nullptr : ::dlsym(handle_, name);
}

}  // namespace gradatim
