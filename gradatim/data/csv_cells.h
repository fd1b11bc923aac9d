// The growing cells of one column of a CSV file: one small struct a type.
//
// `append` takes a field and says whether it fits the type; nothing is stored where it does not.
// `lenient` cells read what a fitted model needs: 007 is 7, true is 1, a time its day.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "gradatim/data/cell.h"
#include "gradatim/data/csv_scanner.h"
#include "gradatim/data/dictionary.h"
#include "gradatim/data/table.h"

namespace gradatim::data {

/// Stores nothing, and learns which kinds of text there are.
struct UnknownCells {
  CellKinds kinds = 0;
  bool append(const Field& field);
  Column take(std::string name);
};

/// Stores nothing, in a pass that reads other columns again.
struct SkippedCells {
  bool append(const Field& /*field*/) { return true; }
  Column take(std::string name);
};

struct NumericCells {
  bool lenient = false;
  std::vector<double> cells;
  bool append(const Field& field);
  Column take(std::string name);
};

struct IntegerCells {
  bool lenient = false;  // beyond 2^53 too
  std::vector<std::int64_t> cells;
  bool append(const Field& field);
  Column take(std::string name);
};

struct BooleanCells {
  bool lenient = false;  // 0 and 1 too
  std::vector<std::uint8_t> cells;
  bool append(const Field& field);
  Column take(std::string name);
};

struct TimeCells {
  TimeUnit unit = TimeUnit::days;
  bool lenient = false;  // a time as its day
  std::vector<std::int64_t> cells;
  bool append(const Field& field);
  Column take(std::string name);
};

struct WordCells {
  std::unique_ptr<Dictionary> words = std::make_unique<Dictionary>();
  std::vector<std::int32_t> codes;
  bool append(const Field& field);
  Column take(std::string name);
};

using CsvCells = std::variant<UnknownCells, SkippedCells, NumericCells, IntegerCells, BooleanCells,
                              TimeCells, WordCells>;

/// Empty cells of a type, with room for `rows`.
CsvCells cells_for(CellType type, bool lenient, std::int64_t rows);

}  // namespace gradatim::data
