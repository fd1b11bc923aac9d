#include "gradatim/boost/category/combinations.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "gradatim/core/parallel.h"

namespace gradatim::boost {
namespace {

constexpr double kWorthAlone = 0.002;     // of the target's variance
constexpr double kWorthTogether = 0.001;  // ... beyond the parts'
// A mean of few rows is mostly noise; as much prior as this tells what is left of its signal.
constexpr double kLeastPrior = 10.0;
constexpr std::size_t kMostSingles = 16;  // that are combined
constexpr std::size_t kTriples = 2;
constexpr std::int64_t kMostCells = std::int64_t{1} << 30;

struct Scored {
  FeatureSet set;
  double gain = 0.0;
};

class Chooser {
 public:
  Chooser(const TargetStatisticsConfig& config, const BlockedTarget& target,
          std::span<const CodedFeature> features, std::span<const std::vector<std::int32_t>> codes,
          std::span<const std::vector<std::int32_t>> groups)
      : config_(config), target_(target), features_(features), codes_(codes), groups_(groups) {
    std::vector<FeatureSet> singles;
    for (std::size_t f = 0; f < features.size(); ++f) {
      singles.push_back({static_cast<std::int32_t>(f)});
    }
    single_ = explained_by(singles);
  }

  std::vector<FeatureSet> singles() const {
    std::vector<FeatureSet> sets;
    for (std::size_t f = 0; f < features_.size(); ++f) {
      const bool many =
          features_[f].values.empty() && features_[f].count >= config_.high_cardinality;
      if (many && single_[f] >= kWorthAlone) sets.push_back({static_cast<std::int32_t>(f)});
    }
    return sets;
  }

  std::vector<FeatureSet> combinations() const {
    const auto pair = best_of(pairs(), 0.0, 1);
    if (pair.empty()) return {};
    std::vector<FeatureSet> triples;
    for (std::size_t f = 0; f < features_.size(); ++f) {
      FeatureSet set = pair[0].set;
      if (std::ranges::find(set, static_cast<std::int32_t>(f)) != set.end()) continue;
      set.push_back(static_cast<std::int32_t>(f));
      std::ranges::sort(set);
      triples.push_back(std::move(set));
    }
    std::vector<FeatureSet> sets = {pair[0].set};
    for (const Scored& triple : best_of(std::move(triples), pair[0].gain, kTriples)) {
      sets.push_back(triple.set);
    }
    return sets;
  }

 private:
  std::vector<FeatureSet> pairs() const {
    std::vector<std::int32_t> best(features_.size());
    std::iota(best.begin(), best.end(), 0);
    std::ranges::stable_sort(best, [&](auto a, auto b) { return single_[a] > single_[b]; });
    best.resize(std::min(best.size(), kMostSingles));
    std::ranges::sort(best);
    std::vector<FeatureSet> sets;
    for (std::size_t i = 0; i < best.size(); ++i) {
      for (std::size_t j = i + 1; j < best.size(); ++j) sets.push_back({best[i], best[j]});
    }
    return sets;
  }

  bool may_meet(const FeatureSet& set) const {
    return groups_.empty() || std::ranges::any_of(groups_, [&](const auto& group) {
             return std::ranges::all_of(set, [&](std::int32_t f) {
               return std::ranges::binary_search(group, features_[f].feature);
             });
           });
  }

  // What each set explains beyond its parts, `together` being what the parts gain as a pair; the
  // best `most` that are worth it, ties in order of sets.
  std::vector<Scored> best_of(std::vector<FeatureSet> sets, double together,
                              std::size_t most) const {
    std::erase_if(sets, [&](const FeatureSet& set) {
      return cells_of(features_, set) > std::min(target_.size(), kMostCells) || !may_meet(set);
    });
    const auto shares = explained_by(sets);
    std::vector<Scored> scored;
    for (std::size_t s = 0; s < sets.size(); ++s) {
      double gain = shares[s] - together;
      for (const std::int32_t f : sets[s]) gain -= single_[f];
      if (gain >= kWorthTogether) scored.push_back({std::move(sets[s]), gain});
    }
    std::ranges::stable_sort(scored, [](const auto& a, const auto& b) { return a.gain > b.gain; });
    if (scored.size() > most) scored.resize(most);
    return scored;
  }

  std::vector<double> explained_by(const std::vector<FeatureSet>& sets) const {
    std::vector<double> shares(sets.size());
    parallel_tasks(static_cast<std::int64_t>(sets.size()), [&](std::int64_t s) {
      shares[s] = explained(target_, codes_of_set(features_, codes_, sets[s]),
                            std::max(config_.prior_weight, kLeastPrior));
    });
    return shares;
  }

  const TargetStatisticsConfig& config_;
  const BlockedTarget& target_;
  std::span<const CodedFeature> features_;
  std::span<const std::vector<std::int32_t>> codes_;
  std::span<const std::vector<std::int32_t>> groups_;
  std::vector<double> single_;
};

}  // namespace

std::int64_t cells_of(std::span<const CodedFeature> features, const FeatureSet& set) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  std::int64_t cells = 1;
  for (const std::int32_t f : set) {
    if (cells > kMost / features[f].cells()) return kMost;
    cells *= features[f].cells();
  }
  return cells;
}

BlockedCodes codes_of_set(std::span<const CodedFeature> features,
                          std::span<const std::vector<std::int32_t>> codes, const FeatureSet& set) {
  BlockedCodes blocked{codes[set[0]], features[set[0]].cells()};
  for (std::size_t p = 1; p < set.size(); ++p) {
    const std::int64_t cells = features[set[p]].cells();
    const auto& next = codes[set[p]];
    for (std::size_t i = 0; i < blocked.code.size(); ++i) {
      blocked.code[i] = static_cast<std::int32_t>(combine(blocked.code[i], next[i], cells));
    }
    blocked.cells *= cells;
  }
  return blocked;
}

std::vector<FeatureSet> choose_sets(const TargetStatisticsConfig& config,
                                    const BlockedTarget& target,
                                    std::span<const CodedFeature> features,
                                    std::span<const std::vector<std::int32_t>> codes,
                                    std::span<const std::vector<std::int32_t>> groups) {
  const Chooser chooser(config, target, features, codes, groups);
  auto sets = chooser.singles();
  if (config.mode != TargetStatisticsMode::combinations) return sets;
  const auto combined = chooser.combinations();
  sets.insert(sets.end(), combined.begin(), combined.end());
  return sets;
}

}  // namespace gradatim::boost
