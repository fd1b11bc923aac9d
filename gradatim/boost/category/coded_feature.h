// CodedFeature: a feature of few enough values to count by them, as codes.
//
// The code of a category is its place in the model's schema, of a number its place among the values
// that training saw. The code after the last is of missing cells, and -1 of what training did not
// see.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "gradatim/data/schema.h"
#include "gradatim/data/table.h"

namespace gradatim::boost {

struct CodedFeature {
  static constexpr std::size_t kMostValues = 256;  // of a numeric feature

  std::int32_t feature = 0;
  std::int32_t count = 0;      // of categories, or of values
  std::vector<double> values;  // of a numeric feature, ascending

  std::int64_t cells() const { return std::int64_t{count} + 1; }
  /// Of a row's number as predict_row has it: the place of a category in the schema, or a value.
  std::int32_t code(double x) const;
};

/// The feature where it can be coded: with two categories or more, or with 2 to kMostValues
/// distinct whole numbers. `words` are the model's categories, null of a numeric column.
std::optional<CodedFeature> coded_feature(std::int32_t feature, const data::Column& column,
                                          const data::Categories* words);

/// The code of every row; the column's own dictionary need not be the model's.
std::vector<std::int32_t> codes_of(const CodedFeature& coded, const data::Column& column,
                                   const data::Categories* words);

}  // namespace gradatim::boost
