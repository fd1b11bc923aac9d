#include "gradatim/boost/bins/choose_bins.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "gradatim/core/philox.h"

namespace gradatim::boost {
namespace {

constexpr std::int64_t kBlock = 4096;
// Two bytes hold the bins and the missing bin of at most so many categories; rarer ones are
// missing.
constexpr std::size_t kMostCategories = 65534;

// Categories by falling weight, ties by name, so that the order of the rows does not matter.
std::vector<std::string> categories_by_frequency(const data::Column& column,
                                                 std::span<const float> weight) {
  const auto& names = column.categories();
  std::vector<double> total(names.size());
  std::vector<std::int32_t> codes(kBlock);
  for (std::int64_t begin = 0; begin < column.rows(); begin += kBlock) {
    const auto count = std::min(kBlock, column.rows() - begin);
    column.read_codes(begin, std::span(codes).first(count));
    for (std::int64_t i = 0; i < count; ++i) {
      if (codes[i] >= 0) total[codes[i]] += weight.empty() ? 1.0 : weight[begin + i];
    }
  }
  std::vector<std::size_t> order(names.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return total[a] != total[b] ? total[a] > total[b] : names[a] < names[b];
  });
  std::vector<std::string> sorted;
  for (const std::size_t code : order) {
    if (total[code] > 0.0 && sorted.size() < kMostCategories) sorted.push_back(names[code]);
  }
  return sorted;
}

// The known categories, then the new ones.
std::vector<std::string> after_known(const data::Schema* known, const std::string& feature,
                                     std::vector<std::string> categories) {
  const data::ColumnSchema* column = known == nullptr ? nullptr : known->find(feature);
  if (column == nullptr || !column->categories) return categories;
  const std::set<std::string_view> old(column->categories->begin(), column->categories->end());
  std::vector<std::string> all = *column->categories;
  for (auto& word : categories) {
    if (all.size() == kMostCategories) break;
    if (!old.contains(word)) all.push_back(std::move(word));
  }
  return all;
}

}  // namespace

std::vector<std::string> categories_of(const data::Column& column, std::span<const float> weight,
                                       const data::Schema* known) {
  return after_known(known, column.name(), categories_by_frequency(column, weight));
}

std::vector<std::int64_t> quantile_rows(std::int64_t rows, const BinOptions& options) {
  std::vector<std::int64_t> sample(rows);
  std::iota(sample.begin(), sample.end(), std::int64_t{0});
  if (options.exact || rows <= options.sample_rows) return sample;
  const Philox random(options.seed, Stream::quantiles);
  std::vector<std::uint64_t> hash(rows);
  for (std::int64_t row = 0; row < rows; ++row) hash[row] = random.bits(row);
  std::nth_element(sample.begin(), sample.begin() + options.sample_rows, sample.end(),
                   [&](std::int64_t a, std::int64_t b) {
                     return hash[a] != hash[b] ? hash[a] < hash[b] : a < b;
                   });
  sample.resize(options.sample_rows);
  std::sort(sample.begin(), sample.end());
  return sample;
}

FeatureBins choose_bins(const data::Column& column, std::span<const float> weight,
                        const QuantileSample& sample, const BinOptions& options) {
  FeatureBins bins;
  bins.name = column.name();
  bins.type = column.type();
  if (bins.categorical()) {
    bins.categories = categories_of(column, weight, options.known);
    bins.bins = std::max(1, static_cast<std::int32_t>(bins.categories.size()));
    return bins;
  }
  const auto values = distinct_values(column, weight, sample);
  const std::int32_t most =
      options.exact ? std::numeric_limits<std::int32_t>::max() : options.max_bin;
  bins.cuts = choose_cuts(values, most);
  bins.bins = static_cast<std::int32_t>(bins.cuts.size()) + 1;
  if (options.exact) {
    for (const auto& value : values) bins.values.push_back(value.first);
  }
  return bins;
}

}  // namespace gradatim::boost
