// Table: named, typed columns of equal length with missing values, over memory that others own.
//
// Columns are views: NumPy, pandas, Polars and Arrow data are used where they lie. A missing value
// is NaN, a null of the Arrow validity bitmap, or code -1. A sparse column (sparse.h) names the
// rows that have an entry; what the others hold is zero, or missing where its owner says so.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace gradatim::data {

/// What a column means. Dates and times are integer columns (days, or microseconds since 1970).
enum class ColumnType { numeric, integer, boolean, categorical };

/// What the integers of a date or time column count, since 1970-01-01T00:00:00.
enum class TimeUnit { none, days, microseconds };

/// How the cells lie in memory. `bit` is Arrow's packed boolean.
enum class Storage { f32, f64, i8, i16, i32, i64, u8, u16, u32, u64, byte, bit };

/// What the rows without an entry of a sparse column hold.
enum class Absent { zero, missing };

/// The words of a categorical column, in order of first appearance, or sorted if the source was.
using Categories = std::vector<std::string>;

/// What read_integers gives for a missing cell.
inline constexpr std::int64_t kMissingInteger = std::numeric_limits<std::int64_t>::min();

/// A run of cells. `stride` is in bytes (0 for bit storage), so that a column of a row-major matrix
/// is a chunk too. `validity` is an Arrow bitmap whose first bit of interest is `validity_offset`;
/// null means that no cell is null.
struct Chunk {
  std::int64_t rows = 0;
  const void* data = nullptr;
  std::int64_t stride = 0;
  std::int64_t bit_offset = 0;  // of bit storage
  const std::uint8_t* validity = nullptr;
  std::int64_t validity_offset = 0;
  // A sparse chunk has cells for these rows only, ascending and counted from the chunk's first.
  bool sparse = false;
  const std::uint32_t* entry_rows = nullptr;
  std::int64_t entries = 0;
};

class Column {
 public:
  Column(std::string name, ColumnType type, Storage storage, std::vector<Chunk> chunks,
         std::shared_ptr<const void> owner, std::shared_ptr<const Categories> categories = nullptr);

  const std::string& name() const { return name_; }
  ColumnType type() const { return type_; }
  TimeUnit time_unit() const { return time_unit_; }
  Storage storage() const { return storage_; }
  std::int64_t rows() const { return rows_; }
  /// Of a categorical column; the codes index it. Empty for the other types.
  const Categories& categories() const;
  std::shared_ptr<const Categories> shared_categories() const { return categories_; }
  /// Whether only entries are stored.
  bool sparse() const;
  Absent absent() const { return absent_; }
  /// Where the cells lie, and what keeps them there.
  std::span<const Chunk> chunks() const { return chunks_; }
  const std::shared_ptr<const void>& owner() const { return owner_; }

  /// Cells [begin, begin + out.size()) as numbers; missing is NaN, a category its code.
  void read(std::int64_t begin, std::span<double> out) const;
  /// Cells of a categorical column as codes; missing is -1, and so is a code without a category.
  void read_codes(std::int64_t begin, std::span<std::int32_t> out) const;
  /// Cells as integers, without the rounding of read() beyond 2^53; missing is kMissingInteger.
  /// Fractions are cut off.
  void read_integers(std::int64_t begin, std::span<std::int64_t> out) const;
  /// One cell as a person would write it; empty where it is missing.
  std::string cell(std::int64_t row) const;

  Column renamed(std::string name) const;
  Column with_time_unit(TimeUnit unit) const;
  Column with_absent(Absent absent) const;
  /// The cells at these rows, copied, in that order; the categories are shared.
  Column take(std::span<const std::int64_t> rows) const;

 private:
  template <class Out, class Convert>
  void read_as(std::int64_t begin, std::span<Out> out, Out missing, Convert convert) const;

  std::string name_;
  ColumnType type_;
  TimeUnit time_unit_ = TimeUnit::none;
  Absent absent_ = Absent::zero;
  Storage storage_;
  std::int64_t rows_ = 0;
  std::vector<Chunk> chunks_;
  std::shared_ptr<const void> owner_;
  std::shared_ptr<const Categories> categories_;
};

class Table {
 public:
  Table() = default;
  /// Columns of equal length with distinct names. DataError GRD-2003 otherwise. `source` names the
  /// file in messages ("flights.csv").
  explicit Table(std::vector<Column> columns, std::string source = {});

  std::int64_t rows() const { return rows_; }
  std::span<const Column> columns() const {
    return columns_ ? std::span<const Column>(*columns_) : std::span<const Column>();
  }
  const std::string& source() const { return source_; }
  /// The column of that name, or nullptr. By a hash, since wide tables are matched name by name.
  const Column* find(std::string_view name) const;
  /// The column of that name; GRD-2004 with the nearest name where there is none.
  const Column& column(std::string_view name) const;
  /// The same table without one column.
  Table without(std::string_view name) const;
  /// The rows at these indices, copied, in that order.
  Table take(std::span<const std::int64_t> rows) const;

 private:
  using Index = std::unordered_map<std::string_view, std::size_t>;

  // Shared and never changed, so that a copy of a table is cheap and the index's names stay valid.
  std::shared_ptr<const std::vector<Column>> columns_;
  std::shared_ptr<const Index> index_;
  std::int64_t rows_ = 0;
  std::string source_;
};

/// Columns that own their cells. Missing: NaN, kMissingInteger, any byte above 1, code -1.
Column numeric_column(std::string name, std::vector<double> cells);
Column integer_column(std::string name, std::vector<std::int64_t> cells);
Column boolean_column(std::string name, std::vector<std::uint8_t> cells);
Column categorical_column(std::string name, std::vector<std::int32_t> codes, Categories categories);

/// "column 'age' of people.csv", or without the source where it has none.
std::string describe_column(std::string_view name, std::string_view source);

}  // namespace gradatim::data
