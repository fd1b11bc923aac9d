#include "gradatim/boost/bins/choose_bins.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "gradatim/boost/statistics.h"
#include "gradatim/core/philox.h"
#include "gradatim/dist/collectives.h"

namespace gradatim::boost {
namespace {

constexpr std::int64_t kBlock = 4096;
// Two bytes hold the bins and the missing bin of at most so many categories; rarer ones are
// missing.
constexpr std::size_t kMostCategories = 65534;

// What a weight is multiplied with so that sums are integers, whatever the order of rows.
double fixed_point(std::span<const float> weight, std::int64_t rows, const dist::Shard& shard) {
  double most = 0.0;
  for (const float w : weight) most = std::max(most, double{w});
  most = dist::maximum(*shard.group, most);
  const int bits = 61 - ceil_log2(static_cast<double>(shard.rows(rows)) + 1.0);
  return most > 0.0 ? std::ldexp(1.0, bits - ceil_log2(most)) : 1.0;
}

// Categories by falling weight, ties by name, so that the order of the rows does not matter.
std::vector<std::string> categories_by_frequency(const data::Column& column,
                                                 std::span<const float> weight,
                                                 const dist::Shard& shard) {
  const auto& names = column.categories();
  const bool weighed = shard.split() ? dist::maximum(*shard.group, weight.empty() ? 0.0 : 1.0) > 0.0
                                     : !weight.empty();
  const double scale = weighed ? fixed_point(weight, column.rows(), shard) : 1.0;
  std::vector<std::int64_t> total(names.size());
  std::vector<std::int32_t> codes(kBlock);
  for (std::int64_t begin = 0; begin < column.rows(); begin += kBlock) {
    const auto count = std::min(kBlock, column.rows() - begin);
    column.read_codes(begin, std::span(codes).first(count));
    for (std::int64_t i = 0; i < count; ++i) {
      if (codes[i] < 0) continue;
      total[codes[i]] +=
          weight.empty() ? 1 : static_cast<std::int64_t>(double{weight[begin + i]} * scale);
    }
  }
  shard.group->all_reduce(std::span(total), dist::Reduction::sum);
  std::vector<std::size_t> order(names.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return total[a] != total[b] ? total[a] > total[b] : names[a] < names[b];
  });
  std::vector<std::string> sorted;
  for (const std::size_t code : order) {
    if (total[code] > 0 && sorted.size() < kMostCategories) sorted.push_back(names[code]);
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
                                       const data::Schema* known, const dist::Shard& shard) {
  return after_known(known, column.name(), categories_by_frequency(column, weight, shard));
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

std::vector<std::int64_t> quantile_rows_of_ranks(std::int64_t rows, const BinOptions& options) {
  const auto& [group, first, total] = options.shard;
  if (total <= options.sample_rows) return quantile_rows(rows, {.exact = true});
  const Philox random(options.seed, Stream::quantiles);
  using Ranked = std::pair<std::uint64_t, std::int64_t>;  // hash, row
  // Those below a bound that somewhat more rows than are wanted stay below; only they are told.
  double share = 1.25 * static_cast<double>(options.sample_rows) / static_cast<double>(total);
  std::vector<Ranked> below;
  do {
    const double bound = std::min(share, 1.0) * 0x1p64;
    below.clear();
    for (std::int64_t row = first; row < first + rows; ++row) {
      const std::uint64_t hash = random.bits(row);
      if (static_cast<double>(hash) < bound || share >= 1.0) below.emplace_back(hash, row);
    }
    share *= 2.0;
  } while (dist::sum(*group, std::ssize(below)) < options.sample_rows);
  auto all = dist::gather_values<Ranked>(*group, below);
  const auto last = all.begin() + (options.sample_rows - 1);
  std::nth_element(all.begin(), last, all.end());
  std::vector<std::int64_t> sample;
  for (const auto& ranked : below) {
    if (ranked <= *last) sample.push_back(ranked.second - first);
  }
  return sample;
}

FeatureBins choose_bins(const data::Column& column, std::span<const float> weight,
                        const QuantileSample& sample, const BinOptions& options) {
  FeatureBins bins;
  bins.name = column.name();
  bins.type = column.type();
  if (bins.categorical()) {
    bins.categories = categories_of(column, weight, options.known, options.shard);
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
