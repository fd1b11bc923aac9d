// One tree over binned rows, while an ensemble grows: the bins themselves are the planes.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "gradatim/boost/bins/binned_data.h"
#include "gradatim/boost/predict/tree_code.h"

namespace gradatim::boost {

class BinTree {
 public:
  /// Whether the tree has a code and its features have bins of one or two bytes.
  static bool suits(const Tree& tree, const BinnedData& data);

  BinTree(const Tree& tree, const BinnedData& data);

  /// The tree's values for rows [begin, end).  // out: [rows, outputs]
  void predict(std::int64_t begin, std::int64_t end, double* out) const;

 private:
  // A byte of each bin: 7 sets of categories, or ranks among the tree's split bins. Empty where
  // bins of one byte are only shifted.
  struct Plane {
    std::int32_t feature;
    std::int32_t missing;  // the bin of missing cells where they go left, else -1
    std::vector<std::uint8_t> bytes;
    int sets = 0;
  };
  Condition condition_of(const Tree& tree, const Node& node);
  Condition number_condition(const Tree& tree, const Node& node);
  Condition category_condition(const Tree& tree, const Node& node);
  std::vector<std::int32_t> split_bins(const Tree& tree, std::int32_t feature) const;
  void fill(const Plane& plane, std::int64_t begin, int rows, std::int8_t* out) const;

  const BinnedData& data_;
  std::size_t outputs_;
  std::vector<Plane> planes_;
  std::map<std::pair<std::int32_t, bool>, std::size_t> numbers_;  // (feature, missing left)
  std::map<std::int32_t, std::size_t> categories_;                // the plane with room for a set
  TreeCode code_;
};

}  // namespace gradatim::boost
