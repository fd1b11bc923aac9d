#include "gradatim/data/source.h"

#include <fmt/format.h>
#include <glob.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>

#include "gradatim/core/error.h"
#include "gradatim/core/text.h"
#include "gradatim/data/concat.h"
#include "gradatim/data/convert.h"
#include "gradatim/data/csv.h"
#include "gradatim/data/io_library.h"
#include "gradatim/data/libsvm.h"
#include "gradatim/data/npy.h"
#include "gradatim/data/text_file.h"

namespace gradatim::data {
namespace {

namespace fs = std::filesystem;

// Files that carry their own types: read one by one, put together, then converted.
template <Table (*read_one)(const std::string&)>
Table read_each(std::span<const std::string> paths, const ReadOptions& options) {
  std::vector<Table> tables;
  for (const auto& path : paths) tables.push_back(read_one(path));
  Table table = concat(std::move(tables), paths.front());
  return options.schema != nullptr ? apply_schema(table, *options.schema) : table;
}

// In lower case; of what gzip packed, ".csv.gz".
std::string ending_of(const fs::path& path) {
  std::string ending = path.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return ending == ".gz" && path.has_stem() ? ending_of(path.stem()) + ending : ending;
}

template <char separator>
Table read_text(std::span<const std::string> paths, const ReadOptions& options) {
  return read_csv(paths, options, separator);
}

template <char separator>
std::string encode_text(const Table& table, const std::string& path) {
  std::string text = csv_text(table, separator);
  return ending_of(path).ends_with(".gz") ? gzip(text) : text;
}

std::string all_endings() {
  std::vector<std::string> endings;
  for (const auto& format : formats()) {
    endings.insert(endings.end(), format.endings.begin(), format.endings.end());
  }
  return join_and(endings);
}

const Format* find_format(const std::string& path) {
  const std::string ending = ending_of(path);
  for (const auto& format : formats()) {
    if (std::find(format.endings.begin(), format.endings.end(), ending) != format.endings.end()) {
      return &format;
    }
  }
  return nullptr;
}

// Hidden files and the marks of other tools (_SUCCESS, _metadata) are no part of a table.
std::vector<std::string> tables_in(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    const bool hidden = name.front() == '.' || name.front() == '_';
    std::error_code ignored;
    if (!hidden && at->is_regular_file(ignored) && find_format(name) != nullptr) {
      files.push_back(at->path().string());
    }
  }
  GRADATIM_CHECK(!error, DataError, 2001, "cannot read the folder '{}': {}", folder,
                 error.message());
  return files;
}

std::vector<std::string> matches_of(const std::string& pattern) {
  glob_t found{};
  const std::unique_ptr<glob_t, decltype(&::globfree)> cleanup(&found, &::globfree);
  std::vector<std::string> files;
  if (::glob(pattern.c_str(), 0, nullptr, &found) != 0) return files;
  for (std::size_t i = 0; i < found.gl_pathc; ++i) {
    if (!fs::is_directory(found.gl_pathv[i])) files.emplace_back(found.gl_pathv[i]);
  }
  return files;
}

Source of_files(std::vector<std::string> files, const std::string& source) {
  std::sort(files.begin(), files.end());
  Source result{.files = std::move(files)};
  for (const auto& file : result.files) {
    const Format& format = format_of(file);
    GRADATIM_CHECK(result.format == nullptr || result.format == &format, DataError, 2015,
                   "'{}' holds {} and {} files; name one kind, as in '*{}'", source,
                   result.format->name, format.name, format.endings[0]);
    result.format = &format;
  }
  return result;
}

}  // namespace

std::span<const Format> formats() {
  static const Format all[] = {
      {"CSV", {".csv", ".csv.gz"}, read_text<'\0'>, encode_text<','>},
      {"TSV", {".tsv", ".tab", ".tsv.gz"}, read_text<'\t'>, encode_text<'\t'>},
      {"Parquet", {".parquet"}, read_each<read_by_io_library>, encode_by_io_library},
      {"Arrow", {".arrow", ".feather"}, read_each<read_by_io_library>, encode_by_io_library},
      {"LIBSVM", {".libsvm", ".svm", ".svmlight", ".libsvm.gz"}, read_libsvm, nullptr},
      {"NumPy", {".npy"}, read_each<read_npy>, nullptr},
  };
  return all;
}

const Format& format_of(const std::string& path) {
  const Format* format = find_format(path);
  GRADATIM_CHECK(format != nullptr, DataError, 2005,
                 "the ending of '{}' tells no format; use one of {}", path, all_endings());
  return *format;
}

Source find_source(const std::string& source) {
  if (source == "-") return {{"/dev/stdin"}, &formats()[0]};
  std::error_code ignored;
  if (fs::is_directory(source, ignored)) {
    auto files = tables_in(source);
    GRADATIM_CHECK(!files.empty(), DataError, 2015,
                   "the folder '{}' holds no table (no file that ends in {})", source,
                   all_endings());
    return of_files(std::move(files), source);
  }
  if (fs::exists(source, ignored)) return {{source}, &format_of(source)};
  GRADATIM_CHECK(source.find_first_of("*?[") != std::string::npos, DataError, 2001,
                 "cannot read '{}': {}", source, std::strerror(ENOENT));
  auto files = matches_of(source);
  GRADATIM_CHECK(!files.empty(), DataError, 2015, "no file matches '{}'", source);
  return of_files(std::move(files), source);
}

}  // namespace gradatim::data
