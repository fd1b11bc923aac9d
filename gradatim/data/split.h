// Splits: which rows validate, and which fold a row is in.
//
// Rows are ranked by Philox(seed, split, row), so that the answer depends on nothing but the seed
// and the number of rows; the counts are exact. Stratified variants rank within each class, which
// keeps the classes' shares.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace gradatim::data {

struct Split {
  std::vector<std::int64_t> train;  // in ascending order, both
  std::vector<std::int64_t> valid;
};

/// `fraction` of the rows, rounded, to valid. GRD-2018 where either part would be empty.
Split split_rows(std::int64_t rows, double fraction, std::uint64_t seed);
/// The same with the fraction of every class; -1 (no class) is a class here.
Split split_stratified(std::span<const std::int32_t> classes, double fraction, std::uint64_t seed);

/// The fold, 0 to folds - 1, of every row; sizes differ by one at most. GRD-2018 unless
/// 2 <= folds <= rows.
std::vector<std::int32_t> assign_folds(std::int64_t rows, int folds, std::uint64_t seed);
/// The same with every class spread evenly; the sizes still differ by one at most.
std::vector<std::int32_t> assign_folds_stratified(std::span<const std::int32_t> classes, int folds,
                                                  std::uint64_t seed);

/// The same with rows of one group in one fold; the largest groups are placed first, each where
/// there are fewest rows. GRD-2018 where there are fewer groups than folds.
std::vector<std::int32_t> assign_folds_by_group(std::span<const std::int32_t> groups, int folds,
                                                std::uint64_t seed);

/// The rows outside and inside of one fold.
Split fold_split(std::span<const std::int32_t> folds, std::int32_t fold);

}  // namespace gradatim::data
