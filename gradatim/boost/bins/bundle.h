// Exclusive feature bundling: features of which no row has two outside their default bins share one
// column of codes, as the columns of a one-hot encoding do. Ke and others (2017), LightGBM, section
// 4, with no conflict allowed, so that every sum is what it is without bundles.
//
// A code is the cell of the feature that is outside its default bin, counted from the bundle's
// first cell; features have their cells one after the other, default bin included. A row that has
// none outside adds to the default cell of the first feature, which, like all default cells, is not
// read but taken from the node's total (sparse_histogram.h).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gradatim/boost/bins/bin_column.h"
#include "gradatim/boost/bins/sparse_bins.h"

namespace gradatim::boost {

/// A feature that is mostly in one bin: by its column or by its entries.
struct BundleCandidate {
  std::int32_t feature = 0;
  std::int32_t default_bin = 0;
  std::int32_t cells = 0;             // bins and the missing bin
  std::int64_t outside = 0;           // rows not in the default bin
  const BinColumn* column = nullptr;  // one byte a bin, or
  const SparseColumn* sparse = nullptr;
};

struct Bundle {
  static constexpr std::int32_t kMostCodes = 256;

  std::vector<BundleCandidate> members;  // without their columns
  std::vector<std::int32_t> first_code;  // of each member
  std::int32_t codes = 0;
  BinColumn column;  // the code of every row
};

/// The most frequent bin of a one-byte column and the rows outside it.
BundleCandidate candidate_of(const BinColumn& column, std::int32_t cells, std::int32_t feature,
                             std::int64_t rows);

BundleCandidate candidate_of(const SparseColumn& column, std::int32_t cells, std::int32_t feature);

/// Bundles of two features or more, greedily by falling number of rows outside the default bin;
/// sparse features alone are bundled where a code a row costs less than their entries.
std::vector<Bundle> bundle_features(std::vector<BundleCandidate> candidates, std::int64_t rows);

}  // namespace gradatim::boost
