// Histograms over ranks. Each rank owns some of the features: it adds up, over all ranks, the cells
// of these alone (reduce-scatter), finds their best splits and tells the others. So a histogram
// crosses the wire once, and what each rank keeps and scans falls with the number of ranks.
//
// Which bins share columns, bundles or sparse entries may differ from rank to rank: on the wire,
// and in the summed histograms, each feature has its own cells one after the other, missing last.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gradatim/boost/bins/binned_data.h"
#include "gradatim/boost/tree/split.h"

namespace gradatim::boost {

/// What is on the way, kept from exchange to exchange, since fresh pages are not free.
struct CellsOnTheWay {
  std::vector<std::int64_t> sent, received;
};

class RankCells {
 public:
  /// Of `features`, an ascending list, in histograms of so many lanes a cell. Without ranks it is
  /// empty.
  RankCells(const BinnedData& data, std::span<const std::int32_t> features, int lanes,
            CellsOnTheWay& buffers);

  /// Whether this rank finds the splits of the feature.
  bool owns(std::int32_t feature) const { return first_[feature] >= 0; }
  /// The first cell of an owned feature in a summed histogram.
  std::int64_t first_cell(std::int32_t feature) const { return first_[feature]; }
  /// Cells of a summed histogram here, and of all ranks together.
  std::int64_t own_cells() const { return counts_[data_.shard().group->rank()]; }
  std::int64_t all_cells() const;

  /// Each candidate becomes the best of all ranks' candidates in its place.
  void choose_best(std::span<Candidate* const> candidates) const;

  /// Adds up histograms of this rank's rows, in the layout of `data`, to those of all ranks' rows.
  /// `sums`, as many on every rank, are added up by the same exchange, for all ranks; without
  /// histograms by one of their own.
  void add_up(std::span<std::int64_t* const> own, std::span<std::int64_t* const> summed,
              std::span<std::int64_t> sums) const;

 private:
  const BinnedData& data_;
  std::span<const std::int32_t> features_;
  int lanes_;
  CellsOnTheWay& buffers_;
  std::vector<std::int64_t> first_;   // [features of the data]; -1 where another rank owns it
  std::vector<std::int64_t> counts_;  // cells, by rank
  std::size_t words_ = 0;             // that the categories of a candidate take at most
};

}  // namespace gradatim::boost
