#include "gradatim/data/io_library.h"

#include <fmt/format.h>

#include <array>
#include <filesystem>

#include "gradatim/core/error.h"
#include "gradatim/core/shared_library.h"
#include "gradatim/data/arrow/io.h"
#include "gradatim/data/arrow_c.h"

namespace gradatim::data {
namespace {

constexpr const char* kFileName = "libgradatim_io.so";

struct IoLibrary {
  SharedLibrary file{kFileName, "GRADATIM_IO_LIBRARY"};
  decltype(&gradatim_io_read) read = nullptr;
  decltype(&gradatim_io_write) write = nullptr;
  std::string missing = file.missing();

  IoLibrary() {
    read = reinterpret_cast<decltype(read)>(file.find("gradatim_io_read"));
    write = reinterpret_cast<decltype(write)>(file.find("gradatim_io_write"));
    if (missing.empty() && (read == nullptr || write == nullptr)) {
      missing = "it is of another version";
    }
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
