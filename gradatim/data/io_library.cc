#include "gradatim/data/io_library.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <filesystem>

#include "gradatim/core/error.h"
#include "gradatim/data/arrow/io.h"
#include "gradatim/data/arrow_c.h"

namespace gradatim::data {
namespace {

constexpr const char* kFileName = "libgradatim_io.so";

// Beside libgradatim (or the Python module, or the program that this code is linked into).
std::filesystem::path own_folder() {
  Dl_info info{};
  if (::dladdr(reinterpret_cast<const void*>(&own_folder), &info) == 0) return {};
  std::error_code ignored;
  return std::filesystem::weakly_canonical(info.dli_fname, ignored).parent_path();
}

struct IoLibrary {
  decltype(&gradatim_io_read) read = nullptr;
  decltype(&gradatim_io_write) write = nullptr;
  std::string missing;  // why it could not be opened

  IoLibrary() {
    const char* asked = std::getenv("GRADATIM_IO_LIBRARY");
    const std::string place = asked != nullptr ? asked : (own_folder() / kFileName).string();
    void* library = ::dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
      const char* why = ::dlerror();
      missing = why != nullptr ? why : place;
      return;
    }
    read = reinterpret_cast<decltype(read)>(::dlsym(library, "gradatim_io_read"));
    write = reinterpret_cast<decltype(write)>(::dlsym(library, "gradatim_io_write"));
    if (read == nullptr || write == nullptr) missing = "it is of another version";
  }
};

const IoLibrary& io_library(const std::string& path) {
  static const IoLibrary library;
  if (library.read == nullptr || library.write == nullptr) {
    throw DataError(2014, fmt::format("'{}' needs {}, which cannot be opened ({}); install pyarrow "
                                      "and build again, set GRADATIM_IO_LIBRARY, or convert the "
                                      "file to CSV",
                                      path, kFileName, library.missing));
  }
  return library;
}

}  // namespace

Table read_by_io_library(const std::string& path) {
  const IoLibrary& library = io_library(path);
  std::array<char, 512> error{};
  ArrowArrayStream stream{};
  if (library.read(path.c_str(), &stream, error.data(), error.size()) != 0) {
    throw DataError(2016, fmt::format("{}: {}", path, error.data()));
  }
  return import_stream(&stream, path);
}

std::string encode_by_io_library(const Table& table, const std::string& path) {
  const IoLibrary& library = io_library(path);
  std::array<char, 512> error{};
  ArrowArrayStream stream{};
  export_stream(table, &stream);
  std::string bytes;
  auto sink = [](void* out, const char* data, std::size_t count) {
    static_cast<std::string*>(out)->assign(data, count);
  };
  const std::string ending = std::filesystem::path(path).extension().string();
  const int failed =
      library.write(ending.c_str(), &stream, sink, &bytes, error.data(), error.size());
  if (stream.release != nullptr) stream.release(&stream);
  GRADATIM_CHECK(failed == 0, DataError, 2002, "cannot write '{}': {}", path, error.data());
  return bytes;
}

}  // namespace gradatim::data
