// The cells of one column in one Arrow array, and what is made of a column of such parts.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gradatim/data/arrow_c.h"
#include "gradatim/data/table.h"

namespace gradatim::data {

/// A run of cells of an array: [first, first + rows), the offsets of the array included.
struct ArrowCells {
  const ArrowArray* array = nullptr;
  std::int64_t first = 0;
  std::int64_t rows = 0;

  const std::uint8_t* validity() const {
    const bool nulls = array->null_count != 0 && array->n_buffers > 0;
    return nulls ? static_cast<const std::uint8_t*>(array->buffers[0]) : nullptr;
  }
  bool is_null(std::int64_t row) const {
    const std::uint8_t* bits = validity();
    const std::int64_t bit = first + row;
    return bits != nullptr && (bits[bit >> 3] >> (bit & 7) & 1) == 0;
  }
  template <class T>
  const T* data(int buffer = 1) const {
    return static_cast<const T*>(array->buffers[buffer]);
  }
};

/// Reads the text of one array of utf8 ("u"), large_utf8 ("U") or utf8_view ("vu").
class ArrowText {
 public:
  /// Nothing where the format is none of these.
  static std::optional<ArrowText> of(std::string_view format, const ArrowCells& cells);
  std::string_view operator()(std::int64_t row) const { return read_(cells_, row); }
  bool is_null(std::int64_t row) const { return cells_.is_null(row); }

 private:
  using Read = std::string_view (*)(const ArrowCells& cells, std::int64_t row);
  ArrowText(const ArrowCells& cells, Read read) : cells_(cells), read_(read) {}
  ArrowCells cells_;
  Read read_;
};

/// What every import needs to know about its column.
struct ArrowColumn {
  const ArrowSchema* schema;
  std::string name;
  std::vector<ArrowCells> parts;
  std::shared_ptr<const void> owner;
  std::string source;
};

/// GRD-2013 where the type cannot be a column.
Column import_column(const ArrowColumn& column);
/// Text and dictionaries: categorical columns.
Column import_text(const ArrowColumn& column);
Column import_dictionary(const ArrowColumn& column);
/// Storage and width of an integer or float format ("c" ... "L", "f", "g"), or nothing.
struct FixedWidth {
  Storage storage;
  std::int64_t width;
};
std::optional<FixedWidth> fixed_width(std::string_view format);

}  // namespace gradatim::data
