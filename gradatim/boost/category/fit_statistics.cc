#include "gradatim/boost/category/fit_statistics.h"

#include <fmt/format.h>

#include <algorithm>

#include "gradatim/boost/bins/choose_bins.h"
#include "gradatim/boost/tree/growth.h"
#include "gradatim/core/hash.h"

namespace gradatim::boost {
namespace {

using Codes = std::vector<std::int32_t>;

// The features with their words in order of bins.
data::Schema coding_schema(const StatisticsRequest& request) {
  data::Schema schema = data::schema_of(request.features);
  for (std::size_t f = 0; f < schema.columns.size(); ++f) {
    if (schema.columns[f].type != data::ColumnType::categorical) continue;
    schema.columns[f].categories = std::make_shared<const data::Categories>(
        categories_of(request.features.columns()[f], request.weight, request.known));
  }
  return schema;
}

std::vector<std::uint32_t> learned_rows(const StatisticsRequest& request) {
  std::vector<std::uint32_t> rows;
  for (std::int64_t row = 0; row < request.features.rows(); ++row) {
    const bool held = !request.held_out.empty() && request.held_out[row] != 0;
    if (!held) rows.push_back(static_cast<std::uint32_t>(row));
  }
  return rows;
}

Codes gather(const Codes& all, std::span<const std::uint32_t> rows) {
  Codes some(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) some[i] = all[rows[i]];
  return some;
}

// Of the rows and what the statistics are taken from, in any order of blocks and of any weights.
std::uint64_t hash_of(const BlockedTarget& target, const std::vector<std::vector<float>>& lanes,
                      const std::vector<Codes>& codes) {
  std::uint64_t sum = 0;
  for (std::int64_t i = 0; i < target.size(); ++i) {
    Hash hash(target.rows[i]);
    for (const auto& lane : lanes) hash.add(double{lane[target.rows[i]]});
    for (const Codes& own : codes) hash.add(static_cast<std::uint64_t>(own[i]));
    sum += hash.value();
  }
  return sum;
}

class StatisticsFit {
 public:
  explicit StatisticsFit(const StatisticsRequest& request)
      : request_(request),
        fitted_{.schema = coding_schema(request)},
        lanes_(target_lanes(request.task, request.label)),
        target_(block_target(learned_rows(request), lanes_, request.weight, request.seed)) {}

  FittedStatistics run() {
    if (request_.before != nullptr) {
      own_ = *request_.before;
      code(own_.coded);
    } else {
      code(candidates());
      own_.lanes = target_.lanes;
      own_.prior_weight = request_.config.prior_weight;
      keep(choose_sets(request_.config, target_, own_.coded, codes_, request_.rules.groups));
      for (const FeatureSet& set : own_.sets) {
        const auto codes = codes_of_set(own_.coded, codes_, set);
        own_.tables.push_back(statistic_table(target_, codes, own_.prior_weight));
      }
      own_.rows_hash = hash();
    }
    if (own_.sets.empty()) return std::move(fitted_);
    fitted_.columns = own_.columns_of(request_.features, fitted_.schema);
    if (own_.rows_hash == hash()) order_learned_rows();
    fitted_.statistics = std::make_shared<const TargetStatistics>(std::move(own_));
    return std::move(fitted_);
  }

 private:
  const data::Categories* words(std::int32_t feature) const {
    return fitted_.schema.columns[feature].categories.get();
  }
  const data::Column& column(std::int32_t feature) const {
    return request_.features.columns()[feature];
  }
  std::uint64_t hash() const { return hash_of(target_, lanes_, codes_); }

  std::vector<CodedFeature> candidates() const {
    std::vector<CodedFeature> found;
    const bool numbers = request_.config.mode == TargetStatisticsMode::combinations;
    const auto count = static_cast<std::int32_t>(request_.features.columns().size());
    for (std::int32_t f = 0; f < count; ++f) {
      const bool monotone = !request_.rules.direction.empty() && request_.rules.direction[f] != 0;
      if ((words(f) == nullptr && !numbers) || monotone) continue;
      if (auto coded = coded_feature(f, column(f), words(f))) found.push_back(std::move(*coded));
    }
    return found;
  }

  void code(const std::vector<CodedFeature>& features) {
    own_.coded = features;
    for (const auto& feature : features) {
      codes_.push_back(
          gather(codes_of(feature, column(feature.feature), words(feature.feature)), target_.rows));
    }
  }

  // Only the features that a set has.
  void keep(std::vector<FeatureSet> sets) {
    std::vector<std::int32_t> place(own_.coded.size(), -1);
    for (const FeatureSet& set : sets) {
      for (const std::int32_t f : set) place[f] = 0;
    }
    std::vector<CodedFeature> coded;
    std::vector<Codes> codes;
    for (std::size_t f = 0; f < place.size(); ++f) {
      if (place[f] < 0) continue;
      place[f] = static_cast<std::int32_t>(coded.size());
      coded.push_back(std::move(own_.coded[f]));
      codes.push_back(std::move(codes_[f]));
    }
    for (FeatureSet& set : sets) {
      for (std::int32_t& f : set) f = place[f];
    }
    own_.coded = std::move(coded);
    own_.sets = std::move(sets);
    codes_ = std::move(codes);
  }

  void order_learned_rows() {
    for (std::size_t s = 0; s < own_.sets.size(); ++s) {
      const auto codes = codes_of_set(own_.coded, codes_, own_.sets[s]);
      const auto ordered = ordered_values(target_, codes, own_.prior_weight);
      for (int lane = 0; lane < own_.lanes; ++lane) {
        data::Column& all = fitted_.columns[s * own_.lanes + lane];
        std::vector<double> cells(all.rows());
        all.read(0, cells);
        for (std::int64_t i = 0; i < target_.size(); ++i) {
          cells[target_.rows[i]] = ordered[lane * target_.size() + i];
        }
        all = data::numeric_column(all.name(), std::move(cells));
      }
    }
  }

  const StatisticsRequest& request_;
  FittedStatistics fitted_;
  std::vector<std::vector<float>> lanes_;
  BlockedTarget target_;
  TargetStatistics own_;
  std::vector<Codes> codes_;  // of own_.coded, in the order of the target's rows
};

}  // namespace

// Most tables are numbers, and rows need no blocks then.
bool may_have_statistics(const TargetStatisticsConfig& config, const data::Table& features) {
  if (config.mode == TargetStatisticsMode::combinations) return true;
  return std::ranges::any_of(features.columns(), [&](const data::Column& column) {
    return column.type() == data::ColumnType::categorical &&
           std::ssize(column.categories()) >= config.high_cardinality;
  });
}

FittedStatistics fit_statistics(const StatisticsRequest& request) {
  if (request.before == nullptr && !may_have_statistics(request.config, request.features)) {
    return {.statistics = nullptr, .schema = coding_schema(request)};
  }
  return StatisticsFit(request).run();
}

}  // namespace gradatim::boost
