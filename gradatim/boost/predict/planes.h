// Which features some trees look at, and the byte planes that their conditions read.
//
// A numeric feature is its ranks among the trees' thresholds, in up to two planes: one in which
// missing cells are below every threshold, one in which they are above. A categorical feature is a
// bit for each set of categories that the trees ask for, seven sets a plane.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "gradatim/boost/predict/ranks.h"
#include "gradatim/boost/predict/tree_code.h"

namespace gradatim::boost {

/// Bytes that begin where a cache line does.
class PlaneBytes {
 public:
  void resize(std::int64_t planes) { lines_.resize(planes * kStrip / 64); }
  std::int8_t* data() { return lines_.data()->bytes; }
  const std::int8_t* data() const { return lines_.data()->bytes; }

 private:
  struct alignas(64) Line {
    std::int8_t bytes[64] = {};
  };
  std::vector<Line> lines_;
};

class Planes {
 public:
  /// Notes what the tree asks; false, and nothing noted, where a feature would get more thresholds
  /// than a byte can rank, or the sets of categories more words than a cache can hold.
  bool add(const Tree& tree);
  /// Lays out the planes; afterwards condition_of() answers for the trees that were added.
  void finish();
  Condition condition_of(const Tree& tree, const Node& node) const;

  /// At least 1.
  std::int64_t count() const { return count_; }
  /// Planes of `rows` raw rows.  // cells: [features][kStrip]
  void fill(const double* cells, int rows, std::int8_t* planes) const;

 private:
  using Set = std::pair<std::vector<std::uint32_t>, bool>;  // words, and where missing cells go
  struct Numbers {
    std::int32_t feature;
    RankTable ranks;
    std::int64_t missing_left;  // planes, or -1
    std::int64_t missing_right;
  };
  struct Categories {
    std::int32_t feature;
    std::int64_t plane;
    std::vector<std::uint8_t> bits;  // of each code: 1 where it goes right; last of missing cells
  };
  struct Wanted {
    std::set<double> thresholds;
    bool missing[2] = {false, false};  // whether a node sends missing cells right, left
    std::vector<Set> sets;
  };
  static Set set_of(const Tree& tree, const Node& node);
  void lay_out_sets(std::int32_t feature, const std::vector<Set>& sets);

  std::map<std::int32_t, Wanted> wanted_;
  std::map<std::int32_t, std::size_t> numbers_of_;  // a feature's place in numbers_
  std::map<std::int32_t, std::map<Set, std::int64_t>> place_of_set_;  // plane * 7 + bit
  std::int64_t words_ = 0;                                            // of all sets
  std::vector<Numbers> numbers_;
  std::vector<Categories> categories_;
  std::int64_t count_ = 0;
};

}  // namespace gradatim::boost
