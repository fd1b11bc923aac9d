// Helpers of the unit tests in this folder.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "gradatim/core/error.h"
#include "gradatim/data/table.h"

namespace gradatim::data::testing {

/// The whole line of the Error that `f` throws.
template <class F>
std::string error_of(F f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

/// A folder that disappears with its files.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "gradatim-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string path(const std::string& name) const { return path_ + "/" + name; }
  std::string write(const std::string& name, std::string_view bytes) const {
    std::ofstream(path(name), std::ios::binary) << bytes;
    return path(name);
  }

 private:
  std::string path_;
};

/// All cells as text; a missing one is empty.
inline std::vector<std::string> cells(const Column& column) {
  std::vector<std::string> texts;
  for (std::int64_t row = 0; row < column.rows(); ++row) texts.push_back(column.cell(row));
  return texts;
}

/// All cells as numbers.
inline std::vector<double> numbers(const Column& column) {
  std::vector<double> values(static_cast<std::size_t>(column.rows()));
  column.read(0, values);
  return values;
}

inline std::vector<std::int32_t> codes(const Column& column) {
  std::vector<std::int32_t> values(static_cast<std::size_t>(column.rows()));
  column.read_codes(0, values);
  return values;
}

using Texts = std::vector<std::string>;
using Codes = std::vector<std::int32_t>;

}  // namespace gradatim::data::testing
