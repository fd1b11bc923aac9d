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
constexpr std::int64_t kRowsAGroup = std::int64_t{1} << 20;

struct IoLibrary {
  SharedLibrary file{kFileName, "GRADATIM_IO_LIBRARY"};
  decltype(&gradatim_io_read) read = nullptr;
  decltype(&gradatim_io_write) write = nullptr;
  decltype(&gradatim_io_row_groups) row_groups = nullptr;
  decltype(&gradatim_io_read_groups) read_groups = nullptr;
  std::string missing = file.missing();

  IoLibrary() {
    read = reinterpret_cast<decltype(read)>(file.find("gradatim_io_read"));
    write = reinterpret_cast<decltype(write)>(file.find("gradatim_io_write"));
    row_groups = reinterpret_cast<decltype(row_groups)>(file.find("gradatim_io_row_groups"));
    read_groups = reinterpret_cast<decltype(read_groups)>(file.find("gradatim_io_read_groups"));
    if (missing.empty() && !complete()) {
      missing = "it is of another version";
    }
  }
  bool complete() const {
    return read != nullptr && write != nullptr && row_groups != nullptr && read_groups != nullptr;
  }
};

const IoLibrary& io_library(const std::string& path) {
  static const IoLibrary library;
  if (!library.complete()) {
    throw DataError(2014, fmt::format("'{}' needs {}, which cannot be opened ({}); install pyarrow "
                                      "and build again, set GRADATIM_IO_LIBRARY, or convert the "
                                      "file to CSV",
                                      path, kFileName, library.missing));
  }
  return library;
}

// Calls a function of the library that fills `error`.
template <class F>
void call(const std::string& path, F f) {
  std::array<char, 512> error{};
  if (f(error.data(), error.size()) != 0) {
    throw DataError(2016, fmt::format("{}: {}", path, error.data()));
  }
}

std::string encode(const Table& table, const std::string& path, std::int64_t rows_a_group) {
  const IoLibrary& library = io_library(path);
  std::array<char, 512> error{};
  ArrowArrayStream stream{};
  export_stream(table, &stream);
  std::string bytes;
  auto sink = [](void* out, const char* data, std::size_t count) {
    static_cast<std::string*>(out)->assign(data, count);
  };
  const std::string ending = std::filesystem::path(path).extension().string();
  const int failed = library.write(ending.c_str(), &stream, rows_a_group, sink, &bytes,
                                   error.data(), error.size());
  if (stream.release != nullptr) stream.release(&stream);
  GRADATIM_CHECK(failed == 0, DataError, 2002, "cannot write '{}': {}", path, error.data());
  return bytes;
}

}  // namespace

Table read_by_io_library(const std::string& path) {
  const IoLibrary& library = io_library(path);
  ArrowArrayStream stream{};
  call(path, [&](char* error, std::size_t size) {
    return library.read(path.c_str(), &stream, error, size);
  });
  return import_stream(&stream, path);
}

std::vector<std::int64_t> parquet_row_groups(const std::string& path) {
  const IoLibrary& library = io_library(path);
  std::vector<std::int64_t> groups;
  auto sink = [](void* out, std::int64_t rows) {
    static_cast<std::vector<std::int64_t>*>(out)->push_back(rows);
  };
  call(path, [&](char* error, std::size_t size) {
    return library.row_groups(path.c_str(), sink, &groups, error, size);
  });
  return groups;
}

Table read_parquet_groups(const std::string& path, int first, int count) {
  const IoLibrary& library = io_library(path);
  ArrowArrayStream stream{};
  call(path, [&](char* error, std::size_t size) {
    return library.read_groups(path.c_str(), first, count, &stream, error, size);
  });
  return import_stream(&stream, path);
}

std::string encode_by_io_library(const Table& table, const std::string& path) {
  return encode(table, path, kRowsAGroup);
}

std::string encode_parquet(const Table& table, std::int64_t rows_a_group) {
  return encode(table, "table.parquet", rows_a_group);
}

}  // namespace gradatim::data
