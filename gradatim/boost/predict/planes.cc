#include "gradatim/boost/predict/planes.h"

#include <algorithm>

namespace gradatim::boost {
namespace {

constexpr std::int64_t kSetsAPlane = 7;  // the eighth bit is the sign
constexpr std::int64_t kMostWords = 1 << 18;

}  // namespace

bool Planes::add(const Tree& tree) {
  std::map<std::int32_t, std::set<double>> more;
  std::int64_t words = words_;
  for (const Node& node : tree.nodes) {
    if (node.leaf()) continue;
    if (node.categorical) {
      words += node.words;
      continue;
    }
    const auto known = wanted_.find(node.feature);
    if (known != wanted_.end() && known->second.thresholds.contains(node.threshold)) continue;
    more[node.feature].insert(node.threshold);
  }
  if (words > kMostWords) return false;
  for (const auto& [feature, thresholds] : more) {
    const auto known = wanted_.find(feature);
    const std::size_t before = known == wanted_.end() ? 0 : known->second.thresholds.size();
    if (before + thresholds.size() > RankTable::kMost) return false;
  }
  words_ = words;
  for (const Node& node : tree.nodes) {
    if (node.leaf()) continue;
    Wanted& wanted = wanted_[node.feature];
    if (node.categorical) {
      wanted.sets.push_back(set_of(tree, node));
    } else {
      wanted.thresholds.insert(node.threshold);
      wanted.missing[node.missing_left ? 1 : 0] = true;
    }
  }
  return true;
}

Planes::Set Planes::set_of(const Tree& tree, const Node& node) {
  const auto first = tree.category_words.begin() + node.first_word;
  return {{first, first + node.words}, node.missing_left};
}

void Planes::finish() {
  for (const auto& [feature, wanted] : wanted_) {
    if (!wanted.thresholds.empty()) {
      const std::vector<double> thresholds(wanted.thresholds.begin(), wanted.thresholds.end());
      numbers_of_[feature] = numbers_.size();
      numbers_.push_back({feature, RankTable(thresholds), -1, -1});
      if (wanted.missing[1]) numbers_.back().missing_left = count_++;
      if (wanted.missing[0]) numbers_.back().missing_right = count_++;
    }
    std::vector<Set> sets = wanted.sets;
    std::sort(sets.begin(), sets.end());
    sets.erase(std::unique(sets.begin(), sets.end()), sets.end());
    lay_out_sets(feature, sets);
  }
  wanted_.clear();
  count_ = std::max<std::int64_t>(count_, 1);
}

void Planes::lay_out_sets(std::int32_t feature, const std::vector<Set>& sets) {
  std::size_t words = 0;
  for (const Set& set : sets) words = std::max(words, set.first.size());
  const std::int64_t codes = static_cast<std::int64_t>(words) * 32;
  for (std::size_t s = 0; s < sets.size(); ++s) {
    const auto bit = static_cast<std::int64_t>(s) % kSetsAPlane;
    if (bit == 0) categories_.push_back({feature, count_++, std::vector<std::uint8_t>(codes + 1)});
    place_of_set_[feature][sets[s]] = categories_.back().plane * kSetsAPlane + bit;
    for (std::int64_t code = 0; code <= codes; ++code) {
      const auto& [set, missing_left] = sets[s];
      const bool known = code < static_cast<std::int64_t>(set.size()) * 32;
      const bool left = known ? (set[code >> 5] >> (code & 31) & 1U) != 0 : missing_left;
      if (!left) categories_.back().bits[code] |= static_cast<std::uint8_t>(1U << bit);
    }
  }
}

Condition Planes::condition_of(const Tree& tree, const Node& node) const {
  auto at = [](std::int64_t plane) { return static_cast<std::uint32_t>(plane * kStrip); };
  if (node.categorical) {
    const std::int64_t place = place_of_set_.at(node.feature).at(set_of(tree, node));
    return {.plane = at(place / kSetsAPlane),
            .bound = 0,
            .mask = four_times(1U << (place % kSetsAPlane))};
  }
  const Numbers& numbers = numbers_[numbers_of_.at(node.feature)];
  return {.plane = at(node.missing_left ? numbers.missing_left : numbers.missing_right),
          .bound = four_times(RankTable::bound(numbers.ranks.index_of(node.threshold)))};
}

void Planes::fill(const double* cells, int rows, std::int8_t* planes) const {
  auto plane = [&](std::int64_t p) { return p < 0 ? nullptr : planes + p * kStrip; };
  for (const Numbers& numbers : numbers_) {
    numbers.ranks.find(cells + std::int64_t{numbers.feature} * kStrip, rows,
                       plane(numbers.missing_left), plane(numbers.missing_right));
  }
  std::int32_t code[kStrip];
  std::int32_t feature = -1;
  for (const Categories& categories : categories_) {
    const auto codes = static_cast<double>(categories.bits.size() - 1);
    if (categories.feature != feature) {
      feature = categories.feature;
      const double* x = cells + std::int64_t{feature} * kStrip;
      // Fractions are cut off as Tree::goes_left does it; NaN fails both comparisons.
      for (int i = 0; i < rows; ++i) {
        code[i] = static_cast<std::int32_t>(x[i] > -1.0 && x[i] < codes ? x[i] : codes);
      }
    }
    std::int8_t* out = plane(categories.plane);
    for (int i = 0; i < rows; ++i) out[i] = static_cast<std::int8_t>(categories.bits[code[i]]);
  }
}

}  // namespace gradatim::boost
