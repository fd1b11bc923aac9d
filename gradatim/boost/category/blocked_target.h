// The target as integers, its rows in sixteen random blocks: what ordered statistics are sums of.
//
// Prokhorenkova, Gusev, Vorobev, Dorogush and Gulin (2018), CatBoost: unbiased boosting with
// categorical features, take a random permutation; blocks are a coarse one, whose sums are those of
// whole blocks and can be taken in any order. A number y of weight w is round(w y 2^e) in an int64,
// with room for the sum over all rows, so that even a target with outliers keeps its digits.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "gradatim/boost/task.h"

namespace gradatim::boost {

struct BlockedTarget {
  static constexpr int kBlocks = 16;

  std::vector<std::uint32_t> rows;  // that are learned from, by block, then ascending
  std::array<std::int64_t, kBlocks + 1> first = {};  // of each block in `rows`
  int lanes = 1;
  std::vector<std::int64_t> weight;  // [rows], times weight_unit
  std::vector<std::int64_t> target;  // [lanes][rows]: weight times target, times target_unit
  double weight_unit = 1.0;
  std::vector<double> target_unit;  // [lanes]

  std::int64_t size() const { return static_cast<std::int64_t>(rows.size()); }
};

/// What statistics are means of: whether a row is of the second of two classes, or of each of
/// several, or each target's number.  // [lanes][rows]
std::vector<std::vector<float>> target_lanes(const Task& task, std::span<const float> label);

/// `learned` are rows of the table, ascending; the block of the i-th is a pure function of (seed,
/// i). `weight` is empty or [table rows].
BlockedTarget block_target(std::span<const std::uint32_t> learned,
                           const std::vector<std::vector<float>>& lanes,
                           std::span<const float> weight, std::uint64_t seed);

}  // namespace gradatim::boost
