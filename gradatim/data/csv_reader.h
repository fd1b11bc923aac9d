// CsvReader: a table of delimited text, in steps that the readers of its parts can take together.
//
//  1. add() every file in order; keep() of each the part that is this reader's.
//  2. sample() looks at the first rows of files, to guess the types.
//  3. read() parses all rows by the guess, and learns of the columns that broke it.
//  4. take() reads only these again, and gives the columns.
//
// The answer is the narrowest type of all cells, in nearly always one pass over the bytes. Readers
// of parts put what each step found together (CsvFindings::add, in the order of the rows) before
// the next one; then their columns, one behind the other, are those of one reader, but for the
// codes of categories, which each numbers by itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gradatim/data/csv_cells.h"
#include "gradatim/data/csv_header.h"
#include "gradatim/data/csv_states.h"
#include "gradatim/data/csv_text.h"

namespace gradatim::data {

/// What rows showed.
struct CsvFindings {
  std::int64_t rows = 0;
  std::int64_t bytes = 0;              // that the rows take
  std::vector<CellKinds> kinds;        // of each column
  std::vector<std::string> surprises;  // the first cell that broke the guess; mostly empty

  /// And what later rows showed.
  void add(const CsvFindings& later);
};

class CsvReader {
 public:
  explicit CsvReader(const ReadOptions& options) : options_(options), header_(options) {}

  /// Reads the first line. The bytes have been checked, and stay as long as the reader does.
  void add(std::string_view bytes, const std::string& path, char separator);
  /// Where the first record behind the names begins.
  std::size_t first_row(std::size_t file) const;
  CsvDialect dialect(std::size_t file) const;
  /// Reads but the records of this part of a file. `samples`: whether sample() looks at the file,
  /// of which it sees the first rows though they be in the parts of others.
  void keep(std::size_t file, TextPart part, bool samples);

  CsvFindings sample();
  /// DataError GRD-2006, GRD-2008, GRD-2010; GRD-2009 where nobody saw a row.
  CsvFindings read(const CsvFindings& sampled);
  std::vector<Column> take(const CsvFindings& all);
  /// Tells the observer what was surprising, of all rows.
  void warn(const CsvFindings& all, std::span<const Column> columns) const;

 private:
  struct File {
    CsvScanner scanner;
    std::string_view bytes;
    std::size_t first_row;
    std::vector<std::size_t> order;  // the column of each field
    TextPart part;
    bool samples = true;
  };
  struct Cells {
    CsvCells cells;
    CellType type;
    std::string surprise;
  };

  std::int64_t pass();
  std::int64_t read_rows(File& file, std::int64_t most);
  void read_row(File& file);
  void refuse(const File& file, const char* row, std::size_t column, const Field& field);
  std::int64_t expected_rows(const CsvFindings& sampled) const;
  void limit(File& file, TextPart part);

  const ReadOptions& options_;
  CsvHeader header_;
  std::vector<File> files_;
  std::vector<Cells> columns_;
  std::int64_t rows_ = 0;  // of the parts, once they are read
};

}  // namespace gradatim::data
