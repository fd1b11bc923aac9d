// Learning of merges. Counts are kept up to date word by word, since a merge touches few words; the
// plain form, which counts everything anew, is the reference of the test.
#include <algorithm>
#include <queue>
#include <set>
#include <unordered_map>

#include "gradatim/neural/text/byte_table.h"
#include "gradatim/neural/text/pair_merges.h"

namespace gradatim::neural {
namespace {

using Pair = std::pair<std::int64_t, std::int64_t>;

struct CountedWord {
  std::vector<std::int64_t> symbols;
  std::int64_t count = 0;
};

std::vector<CountedWord> as_symbols(const std::map<std::string, std::int64_t>& words) {
  std::vector<std::int64_t> place(256);
  for (std::size_t k = 0; k < 256; ++k) place[bytes_in_order()[k]] = static_cast<std::int64_t>(k);
  std::vector<CountedWord> counted;
  for (const auto& [word, count] : words) {
    if (word.empty()) continue;
    CountedWord next{.count = count};
    for (const char byte : word) next.symbols.push_back(place[static_cast<std::uint8_t>(byte)]);
    next.symbols.back() += 256;
    counted.push_back(std::move(next));
  }
  return counted;
}

class PairCounts {
 public:
  explicit PairCounts(std::vector<CountedWord> words) : words_(std::move(words)) {
    for (std::size_t k = 0; k < words_.size(); ++k) change(k, +1);
    offer();
  }

  /// The most frequent pair, of equals the lowest; nothing where none occurs twice.
  const Pair* best() {
    while (!queue_.empty()) {
      const auto& [count, pair] = queue_.top();
      if (count >= 2 && counts_.at(pair.pair) == count) return &pair.pair;
      queue_.pop();
    }
    return nullptr;
  }

  void merge(const Pair& pair, std::int64_t merged) {
    const std::set<std::size_t> touched = std::move(places_[pair]);
    for (const std::size_t word : touched) {
      change(word, -1);
      replace(words_[word].symbols, pair, merged);
      change(word, +1);
    }
    offer();
  }

 private:
  struct Lowest {
    Pair pair;
    bool operator<(const Lowest& other) const { return other.pair < pair; }
  };

  static void replace(std::vector<std::int64_t>& symbols, const Pair& pair, std::int64_t merged) {
    std::size_t kept = 0;
    for (std::size_t k = 0; k < symbols.size(); ++kept) {
      const bool here =
          k + 1 < symbols.size() && symbols[k] == pair.first && symbols[k + 1] == pair.second;
      symbols[kept] = here ? merged : symbols[k];
      k += here ? 2 : 1;
    }
    symbols.resize(kept);
  }

  void change(std::size_t word, int sign) {
    const auto& symbols = words_[word].symbols;
    for (std::size_t k = 0; k + 1 < symbols.size(); ++k) {
      const Pair pair{symbols[k], symbols[k + 1]};
      counts_[pair] += sign * words_[word].count;
      if (sign > 0) places_[pair].insert(word);
      changed_.insert(pair);
    }
  }

  void offer() {
    for (const Pair& pair : changed_) queue_.emplace(counts_[pair], Lowest{pair});
    changed_.clear();
  }

  std::vector<CountedWord> words_;
  std::map<Pair, std::int64_t> counts_;
  std::map<Pair, std::set<std::size_t>> places_;  // words that have had the pair
  std::set<Pair> changed_;
  std::priority_queue<std::pair<std::int64_t, Lowest>> queue_;  // former counts too
};

}  // namespace

LearnedPairs learn_pairs(const std::map<std::string, std::int64_t>& words, std::size_t symbols) {
  LearnedPairs learned{.symbols = byte_symbols()};
  std::unordered_map<std::string, std::int64_t> known;
  for (const auto& symbol : learned.symbols) {
    known.emplace(symbol, static_cast<std::int64_t>(known.size()));
  }
  PairCounts counts(as_symbols(words));
  while (learned.symbols.size() < symbols) {
    const Pair* best = counts.best();
    if (best == nullptr) break;
    const Pair pair = *best;
    const auto name = [&](std::int64_t k) { return learned.symbols[static_cast<std::size_t>(k)]; };
    const std::string merged = name(pair.first) + name(pair.second);
    // Two pairs may spell the same; they are one symbol.
    const auto [at, fresh] =
        known.emplace(merged, static_cast<std::int64_t>(learned.symbols.size()));
    if (fresh) learned.symbols.push_back(merged);
    learned.merges.push_back(pair);
    counts.merge(pair, at->second);
  }
  return learned;
}

}  // namespace gradatim::neural
