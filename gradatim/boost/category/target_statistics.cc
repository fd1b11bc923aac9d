#include "gradatim/boost/category/target_statistics.h"

#include <fmt/format.h>

#include <algorithm>

#include "gradatim/core/parallel.h"
#include "gradatim/core/text.h"
#include "gradatim/data/convert.h"

namespace gradatim::boost {
namespace {

constexpr std::int64_t kBlock = 4096;

// A feature as the model's type, with the words of the table: what align() makes of it, but a word
// that the model does not know stays apart from a missing cell.
data::Column own_words(const data::Table& table, data::ColumnSchema schema) {
  schema.categories = nullptr;
  return data::align(table, schema);
}

}  // namespace

std::vector<std::vector<std::int32_t>> TargetStatistics::sources() const {
  std::vector<std::vector<std::int32_t>> all;
  for (const FeatureSet& set : sets) {
    std::vector<std::int32_t> features;
    for (const std::int32_t f : set) features.push_back(coded[f].feature);
    for (int lane = 0; lane < lanes; ++lane) all.push_back(features);
  }
  return all;
}

std::vector<std::string> TargetStatistics::names(const data::Schema& schema, const Task& task,
                                                 const std::vector<std::string>& targets) const {
  std::vector<std::string> all;
  for (const FeatureSet& set : sets) {
    std::vector<std::string> features;
    for (const std::int32_t f : set) features.push_back(schema.columns[coded[f].feature].name);
    for (int lane = 0; lane < lanes; ++lane) {
      const std::string what =
          !task.classification()
              ? "mean of " + targets[lane]
              : fmt::format("share of {} {}", targets[0], task.classes[lanes == 1 ? 1 : lane]);
      all.push_back(fmt::format("{} by {}", what, join_and(features)));
    }
  }
  return all;
}

std::int64_t cell_of(std::span<const CodedFeature> coded, const FeatureSet& set,
                     std::span<const std::int32_t> codes) {
  std::int64_t cell = 0;
  for (const std::int32_t f : set) cell = combine(cell, codes[f], coded[f].cells());
  return cell;
}

std::vector<data::Column> TargetStatistics::columns_of(const data::Table& table,
                                                       const data::Schema& schema) const {
  std::vector<std::vector<std::int32_t>> codes;  // [coded][rows]
  for (const auto& feature : coded) {
    const data::ColumnSchema& known = schema.columns[feature.feature];
    const data::Column column = own_words(table, known);
    codes.push_back(boost::codes_of(feature, column, known.categories.get()));
  }
  std::vector<std::vector<double>> values(columns(), std::vector<double>(table.rows()));
  parallel_for(table.rows(), kBlock, [&](std::int64_t begin, std::int64_t end) {
    std::vector<std::int32_t> own(coded.size());
    for (std::int64_t row = begin; row < end; ++row) {
      for (std::size_t f = 0; f < coded.size(); ++f) own[f] = codes[f][row];
      for (std::size_t s = 0; s < sets.size(); ++s) {
        const std::int64_t cell = cell_of(coded, sets[s], own);
        const auto last = static_cast<std::int64_t>(tables[s].size()) / lanes - 1;
        const double* found = tables[s].data() + (cell < 0 ? last : cell) * lanes;
        for (int lane = 0; lane < lanes; ++lane) values[s * lanes + lane][row] = found[lane];
      }
    }
  });
  std::vector<data::Column> made;
  for (std::int64_t c = 0; c < columns(); ++c) {
    made.push_back(data::numeric_column(fmt::format("statistic {}", c), std::move(values[c])));
  }
  return made;
}

void TargetStatistics::append(std::vector<double>& row) const {
  std::vector<std::int32_t> codes;
  for (const auto& feature : coded) codes.push_back(feature.code(row[feature.feature]));
  for (std::size_t s = 0; s < sets.size(); ++s) {
    const std::int64_t cell = cell_of(coded, sets[s], codes);
    const auto last = static_cast<std::int64_t>(tables[s].size()) / lanes - 1;
    const double* found = tables[s].data() + (cell < 0 ? last : cell) * lanes;
    row.insert(row.end(), found, found + lanes);
  }
}

}  // namespace gradatim::boost
