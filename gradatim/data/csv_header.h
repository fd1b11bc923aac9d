// CsvHeader: the columns that the first lines of delimited files name, and what is asked of them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "gradatim/data/cell.h"
#include "gradatim/data/csv_scanner.h"
#include "gradatim/data/reader.h"

namespace gradatim::data {

struct CsvName {
  std::string name;
  std::optional<CellType> asked;  // by the schema or the model
  bool by_model = false;
};

class CsvHeader {
 public:
  explicit CsvHeader(const ReadOptions& options) : options_(options) {}

  /// Reads the first line of the next file, and gives the column of each of its fields. The first
  /// file names the columns; the others have the same in any order. GRD-2003, GRD-2004, GRD-2009.
  std::vector<std::size_t> read(CsvScanner& scanner);
  const std::vector<CsvName>& columns() const { return columns_; }

 private:
  void name_columns(const std::vector<std::string>& names);
  void ask(CsvName& column) const;
  std::vector<std::size_t> match(const std::vector<std::string>& names,
                                 const std::string& path) const;

  const ReadOptions& options_;
  std::string first_path_;
  std::vector<CsvName> columns_;
  std::unordered_map<std::string, std::size_t> index_;
};

}  // namespace gradatim::data
