#include "gradatim/boost/bins/distinct_values.h"

#include <algorithm>
#include <cmath>

#include "gradatim/boost/bins/search.h"
#include "gradatim/data/sparse.h"

namespace gradatim::boost {
namespace {

// Equal neighbours of a sorted list become one value with their total weight.
std::vector<WeightedValue> merge_equal(std::vector<WeightedValue> values) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (kept > 0 && values[kept - 1].first == values[i].first) {
      values[kept - 1].second += values[i].second;
    } else {
      values[kept++] = values[i];
    }
  }
  values.resize(kept);
  return values;
}

std::vector<WeightedValue> count_equal(std::vector<double> present) {
  sort_ascending(present);
  std::size_t distinct = 0;
  for (std::size_t i = 0; i < present.size(); ++i) {
    distinct += i == 0 || present[i] != present[i - 1];
  }
  std::vector<WeightedValue> values;
  values.reserve(distinct);
  for (std::size_t i = 0; i < present.size();) {
    std::size_t end = i + 1;
    while (end < present.size() && present[end] == present[i]) ++end;
    values.emplace_back(present[i], static_cast<double>(end - i));
    i = end;
  }
  return values;
}

std::vector<WeightedValue> sort_and_merge(std::vector<WeightedValue> values) {
  std::sort(values.begin(), values.end());
  return merge_equal(std::move(values));
}

std::vector<WeightedValue> values_of_cells(const data::Column& column,
                                           std::span<const float> weight,
                                           const QuantileSample& sample) {
  const std::size_t count = sample.rows.size();
  std::vector<double> cells(count);
  (sample.chosen.empty() ? column : column.take(sample.rows)).read(0, cells);
  if (!weight.empty()) {
    std::vector<WeightedValue> values;
    for (std::size_t i = 0; i < count; ++i) {
      if (!std::isnan(cells[i])) values.emplace_back(cells[i] + 0.0, weight[sample.rows[i]]);
    }
    return sort_and_merge(std::move(values));
  }
  std::erase_if(cells, [](double x) { return std::isnan(x); });
  for (double& x : cells) x += 0.0;
  return count_equal(std::move(cells));
}

// Adds up in the order in which written out zeros would be: by rising weight.
double weight_of_zeros(const std::vector<std::uint8_t>& elsewhere, std::span<const float> weight,
                       const QuantileSample& sample) {
  double total = 0.0;
  for (const std::int64_t row : sample.by_weight) total += elsewhere[row] != 0 ? 0.0 : weight[row];
  return total;
}

// Rows without an entry are counted, not visited.
std::vector<WeightedValue> values_of_entries(const data::Column& column,
                                             std::span<const float> weight,
                                             const QuantileSample& sample) {
  const bool absent_is_zero = column.absent() == data::Absent::zero;
  std::vector<WeightedValue> values;
  std::vector<double> present;
  std::vector<std::uint8_t> elsewhere(weight.empty() || !absent_is_zero ? 0 : column.rows());
  auto zeros = static_cast<std::int64_t>(sample.rows.size());
  data::for_entries(column, [&](std::int64_t row, double x) {
    if (!sample.chosen.empty() && sample.chosen[row] == 0) return;
    if (absent_is_zero && x == 0.0) return;
    --zeros;
    if (!elsewhere.empty()) elsewhere[row] = 1;
    if (std::isnan(x)) return;
    if (weight.empty()) {
      present.push_back(x + 0.0);
    } else {
      values.emplace_back(x + 0.0, weight[row]);
    }
  });
  values = weight.empty() ? count_equal(std::move(present)) : sort_and_merge(std::move(values));
  if (absent_is_zero && zeros > 0) {
    const double total =
        weight.empty() ? static_cast<double>(zeros) : weight_of_zeros(elsewhere, weight, sample);
    const WeightedValue zero{0.0, total};
    values.insert(std::lower_bound(values.begin(), values.end(), zero), zero);
  }
  return values;
}

}  // namespace

QuantileSample sample_of(std::vector<std::int64_t> rows, std::int64_t table_rows,
                         std::span<const float> weight) {
  QuantileSample sample{.rows = std::move(rows)};
  if (static_cast<std::int64_t>(sample.rows.size()) < table_rows) {
    sample.chosen.resize(table_rows);
    for (const std::int64_t row : sample.rows) sample.chosen[row] = 1;
  }
  if (!weight.empty()) {
    sample.by_weight = sample.rows;
    std::stable_sort(sample.by_weight.begin(), sample.by_weight.end(),
                     [&](std::int64_t a, std::int64_t b) { return weight[a] < weight[b]; });
  }
  return sample;
}

std::vector<WeightedValue> distinct_values(const data::Column& column,
                                           std::span<const float> weight,
                                           const QuantileSample& sample) {
  return column.sparse() ? values_of_entries(column, weight, sample)
                         : values_of_cells(column, weight, sample);
}

}  // namespace gradatim::boost
