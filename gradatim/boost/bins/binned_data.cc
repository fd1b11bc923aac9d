#include "gradatim/boost/bins/binned_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <numeric>
#include <unordered_map>

#include "gradatim/boost/bins/choose_bins.h"
#include "gradatim/boost/bins/search.h"
#include "gradatim/core/error.h"
#include "gradatim/core/parallel.h"
#include "gradatim/data/check.h"
#include "gradatim/dist/collectives.h"
#include "gradatim/dist/gather_table.h"

namespace gradatim::boost {
namespace {

constexpr std::int64_t kBlock = 1024;  // of so many rows all cells of a matrix stay in the cache

int width_of(const FeatureBins& bins) {
  if (bins.bins < 256) return 1;
  return bins.bins < 65536 ? 2 : 4;
}

// The bin of every code of a column: a column's dictionary need not be the training's.
std::vector<std::int32_t> bins_of_codes(const data::Column& column, const FeatureBins& bins) {
  std::unordered_map<std::string_view, std::int32_t> rank;
  for (std::size_t i = 0; i < bins.categories.size(); ++i) {
    rank.emplace(bins.categories[i], static_cast<std::int32_t>(i));
  }
  std::vector<std::int32_t> table;
  for (const auto& name : column.categories()) {
    const auto found = rank.find(name);
    table.push_back(found == rank.end() ? bins.missing_bin() : found->second);
  }
  return table;
}

template <class Bin>
bool bin_numbers(const data::Column& column, const FeatureBins& bins, const CutSearch& search,
                 std::int64_t begin, std::int64_t end, Bin* out) {
  double cells[kBlock];
  std::int32_t found[kBlock];
  const std::span block(cells, static_cast<std::size_t>(end - begin));
  column.read(begin, block);
  const bool missing = search.find(block, bins.missing_bin(), found);
  for (std::int64_t i = 0; i < end - begin; ++i) out[begin + i] = static_cast<Bin>(found[i]);
  return missing;
}

template <class Bin>
bool bin_codes(const data::Column& column, const FeatureBins& bins,
               const std::vector<std::int32_t>& table, std::int64_t begin, std::int64_t end,
               Bin* out) {
  std::vector<std::int32_t> codes(end - begin);
  column.read_codes(begin, codes);
  bool missing = false;
  for (std::int64_t i = 0; i < end - begin; ++i) {
    const std::int32_t bin = codes[i] < 0 ? bins.missing_bin() : table[codes[i]];
    missing = missing || bin == bins.missing_bin();
    out[begin + i] = static_cast<Bin>(bin);
  }
  return missing;
}

bool bin_block(const data::Column& column, const FeatureBins& bins,
               const std::vector<std::int32_t>& table, const CutSearch& search, std::int64_t begin,
               std::int64_t end, BinColumn& out) {
  return visit_column(out, [&]<class Bin>(const Bin*) {
    auto* cells = reinterpret_cast<Bin*>(out.bytes.data());
    return bins.categorical() ? bin_codes(column, bins, table, begin, end, cells)
                              : bin_numbers(column, bins, search, begin, end, cells);
  });
}

}  // namespace

std::int32_t BinColumn::at(std::int64_t row) const {
  return visit_column(*this,
                      [&](const auto* bins) { return static_cast<std::int32_t>(bins[row]); });
}

BinnedData::BinnedData(const data::Table& features, std::span<const float> weight,
                       const BinOptions& options)
    : rows_(features.rows()), shard_(options.shard), exact_(options.exact) {
  GRADATIM_CHECK(shard_.rows(rows_) > 0, DataError, 2031, "{}there is no row to learn from",
                 features.source().empty() ? "" : features.source() + ": ");
  GRADATIM_CHECK(!features.columns().empty(), DataError, 2031,
                 "{}there is no feature to learn from: only the target is left",
                 features.source().empty() ? "" : features.source() + ": ");
  GRADATIM_CHECK(rows_ < (std::int64_t{1} << 32), DataError, 2031,
                 "{} rows are more than 2^32 - 1, the most that one process takes", rows_);
  dist::together(*shard_.group, [&] { data::check_finite(features.columns(), features.source()); });
  choose(features, weight, options);
  const std::size_t made = features_.size() - options.sources.size();
  for (std::size_t k = 0; k < options.sources.size(); ++k) {
    features_[made + k].sources = options.sources[k];
  }
  fill(features);
  if (exact_) {
    sort_rows();
  } else {
    if (options.bundle) bundle();
    place_cells();
    lay_out_rows();
  }
}

BinnedData::BinnedData(const data::Table& features, const BinnedData& like)
    : rows_(features.rows()), exact_(like.exact_), features_(like.features_) {
  fill(features);
}

void BinnedData::choose(const data::Table& features, std::span<const float> weight,
                        const BinOptions& options) {
  features_.resize(features.columns().size());
  const auto choose_all = [&](const data::Table& table, std::span<const float> weights,
                              const QuantileSample& sample, bool categorical) {
    parallel_tasks(std::ssize(features_), [&](std::int64_t f) {
      const data::Column& column = table.columns()[f];
      const bool skipped = column.type() == data::ColumnType::categorical && !categorical;
      if (!skipped) features_[f] = choose_bins(column, weights, sample, options);
    });
  };
  if (!shard_.split()) {
    return choose_all(features, weight, sample_of(quantile_rows(rows_, options), rows_, weight),
                      true);
  }
  // Boundaries are read from the sampled rows of all ranks; ranks count categories together.
  const auto own = quantile_rows_of_ranks(rows_, options);
  const data::Table all = dist::gather(*shard_.group, features.take(own));
  std::vector<float> weights;
  for (const std::int64_t row : own) {
    if (!weight.empty()) weights.push_back(weight[row]);
  }
  weights = dist::gather_values<float>(*shard_.group, weights);
  std::vector<std::int64_t> every(all.rows());
  std::iota(every.begin(), every.end(), std::int64_t{0});
  choose_all(all, weights, sample_of(std::move(every), all.rows(), weights), false);
  for (const data::Column& column : features.columns()) {
    if (column.type() != data::ColumnType::categorical) continue;
    features_[&column - features.columns().data()] = choose_bins(column, weight, {}, options);
  }
}

void BinnedData::fill(const data::Table& features) {
  const auto count = static_cast<std::int64_t>(features_.size());
  columns_.resize(count);
  has_missing_.assign(count, 0);
  sparse_columns_.resize(count);
  stored_sparse_.assign(count, 0);
  for (std::int64_t f = 0; f < count; ++f) {
    stored_sparse_[f] = !exact_ && worth_sparse_bins(features.columns()[f], features_[f]);
    if (stored_sparse_[f]) continue;
    columns_[f].width = width_of(features_[f]);
    columns_[f].bytes.resize(rows_ * columns_[f].width + BinColumn::kPadding);
  }
  struct Search {
    CutSearch cuts;
    std::vector<std::int32_t> codes;
  };
  std::vector<Search> searches;
  for (std::int64_t f = 0; f < count; ++f) {
    const bool categorical = features_[f].categorical();
    searches.push_back({CutSearch(features_[f].cuts),
                        categorical ? bins_of_codes(features.columns()[f], features_[f])
                                    : std::vector<std::int32_t>()});
  }
  parallel_for(rows_, kBlock, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t f = 0; f < count; ++f) {
      if (stored_sparse_[f] != 0) continue;
      const auto& [cuts, codes] = searches[f];
      if (bin_block(features.columns()[f], features_[f], codes, cuts, begin, end, columns_[f])) {
        std::atomic_ref(has_missing_[f]).store(1, std::memory_order_relaxed);
      }
    }
  });
  parallel_tasks(count, [&](std::int64_t f) {
    if (stored_sparse_[f] == 0) return;
    bool missing = false;
    sparse_columns_[f] = sparse_bins(features.columns()[f], features_[f], missing);
    has_missing_[f] = missing;
  });
}

void BinnedData::bundle() {
  std::vector<BundleCandidate> found(features_.size());
  parallel_tasks(static_cast<std::int64_t>(features_.size()), [&](std::int64_t i) {
    const auto f = static_cast<std::int32_t>(i);
    const std::int32_t cells = features_[f].bins + 1;
    if (2 * cells > Bundle::kMostCodes) return;
    found[f] = sparse(f) ? candidate_of(sparse_columns_[f], cells, f)
                         : candidate_of(columns_[f], cells, f, rows_);
  });
  std::erase_if(found, [&](const auto& candidate) {
    return candidate.cells == 0 || 2 * candidate.outside > rows_;
  });
  bundles_ = bundle_features(std::move(found), rows_);
}

void BinnedData::choose_positions() {
  const std::size_t count = features_.size();
  position_of_.resize(count);
  default_bin_.assign(count, -1);
  cells_of_.resize(count + bundles_.size());
  for (std::size_t f = 0; f < count; ++f) {
    const auto feature = static_cast<std::int32_t>(f);
    position_of_[f] = feature;
    if (sparse(feature)) {
      default_bin_[f] = sparse_columns_[f].default_bin;
    } else {
      cells_of_[f] = features_[f].bins + 1;
    }
  }
  for (std::size_t b = 0; b < bundles_.size(); ++b) {
    cells_of_[count + b] = bundles_[b].codes;
    for (const auto& member : bundles_[b].members) {
      position_of_[member.feature] = static_cast<std::int32_t>(count + b);
      default_bin_[member.feature] = member.default_bin;
      cells_of_[member.feature] = 0;
    }
  }
}

void BinnedData::place_cells() {
  choose_positions();
  const std::size_t count = features_.size();
  first_cell_.assign(cells_of_.size(), 0);
  groups_ = group_positions(cells_of_);
  for (auto& group : groups_) {
    group.first_cell = cells_;
    for (std::size_t p = 0; p < group.features.size(); ++p) {
      first_cell_[group.features[p]] = cells_ + static_cast<std::int64_t>(p) * group.stride;
    }
    cells_ += group.cells();
  }
  for (std::size_t f = 0; f < count; ++f) {
    if (cells_of_[f] <= 256) continue;
    wide_features_.push_back(static_cast<std::int32_t>(f));
    first_cell_[f] = cells_;
    cells_ += cells_of_[f];
  }
  for (std::size_t b = 0; b < bundles_.size(); ++b) {
    for (std::size_t m = 0; m < bundles_[b].members.size(); ++m) {
      first_cell_[bundles_[b].members[m].feature] =
          first_cell_[count + b] + bundles_[b].first_code[m];
    }
  }
  place_sparse_cells();
}

void BinnedData::place_sparse_cells() {
  std::vector<SparseCells> cells;
  for (std::size_t f = 0; f < features_.size(); ++f) {
    const auto feature = static_cast<std::int32_t>(f);
    if (!sparse(feature) || position_of_[f] != feature) continue;
    sparse_features_.push_back(feature);
    first_cell_[f] = cells_;
    cells.push_back({&sparse_columns_[f], cells_, features_[f].bins + std::int64_t{1}});
    cells_ += features_[f].bins + 1;
  }
  if (cells.empty() && bundles_.empty()) return;
  total_cell_ = cells_++;
  tiles_ = lay_out_tiles(cells, rows_);
}

const BinColumn& BinnedData::column_of(std::int32_t position) const {
  const auto count = static_cast<std::int32_t>(features_.size());
  return position < count ? columns_[position] : bundles_[position - count].column;
}

void BinnedData::lay_out_rows() {
  for (auto& group : groups_) {
    group.bins.resize(rows_ * group.positions);
    parallel_for(rows_, 1024, [&](std::int64_t begin, std::int64_t end) {
      for (std::size_t p = 0; p < group.features.size(); ++p) {
        const auto* column = column_of(group.features[p]).as<std::uint8_t>();
        std::uint8_t* out = group.bins.data() + p;
        for (std::int64_t row = begin; row < end; ++row) out[row * group.positions] = column[row];
      }
    });
  }
}

// A counting sort by bin: with exact bins the order of bins is the order of values.
void BinnedData::sort_rows() {
  sorted_.resize(features_.size());
  parallel_tasks(static_cast<std::int64_t>(features_.size()), [&](std::int64_t f) {
    if (features_[f].categorical()) return;
    const std::int32_t missing = features_[f].missing_bin();
    visit_column(columns_[f], [&](const auto* bins) {
      std::vector<std::uint32_t> first(missing + 2);
      for (std::int64_t row = 0; row < rows_; ++row) ++first[bins[row] + 1];
      for (std::int32_t b = 0; b <= missing; ++b) first[b + 1] += first[b];
      sorted_[f].resize(first[missing]);
      for (std::int64_t row = 0; row < rows_; ++row) {
        const auto bin = static_cast<std::uint32_t>(bins[row]);
        if (static_cast<std::int32_t>(bin) == missing) continue;
        sorted_[f][first[bin]++] = {static_cast<std::uint32_t>(row), bin};
      }
    });
  });
}

}  // namespace gradatim::boost
