#include "gradatim/data/split.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>

#include "gradatim/core/error.h"
#include "gradatim/core/philox.h"

namespace gradatim::data {
namespace {

using Rows = std::vector<std::int64_t>;

// The rows of each class in the order of their hashes; one stratum where there are no classes.
std::vector<Rows> ranked_strata(std::int64_t rows, std::span<const std::int32_t> classes,
                                std::uint64_t seed) {
  const Philox random(seed, Stream::split);
  std::map<std::int32_t, std::vector<std::pair<std::uint64_t, std::int64_t>>> hashes;
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::int32_t stratum = classes.empty() ? 0 : classes[static_cast<std::size_t>(row)];
    hashes[stratum].emplace_back(random.bits(static_cast<std::uint64_t>(row)), row);
  }
  std::vector<Rows> strata;
  for (auto& [stratum, ranked] : hashes) {
    std::sort(ranked.begin(), ranked.end());
    Rows& order = strata.emplace_back();
    for (const auto& [hash, row] : ranked) order.push_back(row);
  }
  return strata;
}

Split split_strata(const std::vector<Rows>& strata, std::int64_t rows, double fraction) {
  GRADATIM_CHECK(fraction > 0 && fraction < 1, DataError, 2018,
                 "the validation part must lie between 0 and 1, but {} was given", fraction);
  Split split;
  double owed = 0.0;  // so that rounding within small classes evens out over all of them
  for (const auto& order : strata) {
    owed += fraction * static_cast<double>(order.size());
    const auto wanted = static_cast<std::int64_t>(std::llround(owed)) -
                        static_cast<std::int64_t>(split.valid.size());
    const auto count = std::clamp<std::int64_t>(wanted, 0, static_cast<std::int64_t>(order.size()));
    split.valid.insert(split.valid.end(), order.begin(), order.begin() + count);
    split.train.insert(split.train.end(), order.begin() + count, order.end());
  }
  GRADATIM_CHECK(!split.valid.empty() && !split.train.empty(), DataError, 2018,
                 "a validation part of {} leaves {} of {} rows to train and {} to validate; give "
                 "more rows or another part",
                 fraction, split.train.size(), rows, split.valid.size());
  std::sort(split.train.begin(), split.train.end());
  std::sort(split.valid.begin(), split.valid.end());
  return split;
}

std::vector<std::int32_t> assign(const std::vector<Rows>& strata, std::int64_t rows, int folds) {
  GRADATIM_CHECK(folds >= 2 && folds <= rows, DataError, 2018,
                 "{} folds of {} rows are not possible; use at least 2, and no more than rows",
                 folds, rows);
  std::vector<std::int32_t> fold_of_row(static_cast<std::size_t>(rows));
  std::int32_t next = 0;  // goes on from class to class, which keeps the folds equal
  for (const auto& order : strata) {
    for (const auto row : order) {
      fold_of_row[static_cast<std::size_t>(row)] = next;
      next = next + 1 == folds ? 0 : next + 1;
    }
  }
  return fold_of_row;
}

}  // namespace

Split split_rows(std::int64_t rows, double fraction, std::uint64_t seed) {
  return split_strata(ranked_strata(rows, {}, seed), rows, fraction);
}

Split split_stratified(std::span<const std::int32_t> classes, double fraction, std::uint64_t seed) {
  const auto rows = static_cast<std::int64_t>(classes.size());
  return split_strata(ranked_strata(rows, classes, seed), rows, fraction);
}

std::vector<std::int32_t> assign_folds(std::int64_t rows, int folds, std::uint64_t seed) {
  return assign(ranked_strata(rows, {}, seed), rows, folds);
}

std::vector<std::int32_t> assign_folds_stratified(std::span<const std::int32_t> classes, int folds,
                                                  std::uint64_t seed) {
  const auto rows = static_cast<std::int64_t>(classes.size());
  return assign(ranked_strata(rows, classes, seed), rows, folds);
}

std::vector<std::int32_t> assign_folds_by_group(std::span<const std::int32_t> groups, int folds,
                                                std::uint64_t seed) {
  std::vector<std::int64_t> size;
  for (const std::int32_t group : groups) {
    if (static_cast<std::size_t>(group) >= size.size()) size.resize(group + std::size_t{1});
    ++size[group];
  }
  GRADATIM_CHECK(folds >= 2 && static_cast<std::size_t>(folds) <= size.size(), DataError, 2018,
                 "{} folds of {} groups are not possible; use at least 2, and no more than groups",
                 folds, size.size());
  const Philox random(seed, Stream::split);
  std::vector<std::int32_t> order(size.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
    if (size[a] != size[b]) return size[a] > size[b];
    const auto x = random.bits(a);
    const auto y = random.bits(b);
    return x != y ? x < y : a < b;
  });
  std::vector<std::int64_t> rows(folds);
  std::vector<std::int32_t> fold_of_group(size.size());
  for (const std::int32_t group : order) {
    const auto smallest = std::min_element(rows.begin(), rows.end()) - rows.begin();
    fold_of_group[group] = static_cast<std::int32_t>(smallest);
    rows[smallest] += size[group];
  }
  std::vector<std::int32_t> fold_of_row;
  for (const std::int32_t group : groups) fold_of_row.push_back(fold_of_group[group]);
  return fold_of_row;
}

Split fold_split(std::span<const std::int32_t> folds, std::int32_t fold) {
  Split split;
  for (std::size_t row = 0; row < folds.size(); ++row) {
    (folds[row] == fold ? split.valid : split.train).push_back(static_cast<std::int64_t>(row));
  }
  return split;
}

}  // namespace gradatim::data
