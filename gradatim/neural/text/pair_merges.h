// Byte-pair encoding: the symbols of a word, merged pair by pair, the pair learned first first.
// Sennrich, Haddow and Birch (2016), Neural machine translation of rare words with subword units.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace gradatim::neural {

class PairMerges {
 public:
  /// That `left` and `right` side by side become `merged`, behind all that were added before. Of a
  /// pair that comes again the last counts.
  void add(std::int64_t left, std::int64_t right, std::int64_t merged);
  /// What is left of the symbols; of equal pairs the left one is merged first.
  std::vector<std::int64_t> apply(const std::vector<std::int64_t>& symbols) const;

 private:
  struct Rule {
    std::int64_t rank = 0, merged = 0;
  };
  const Rule* find(std::int64_t left, std::int64_t right) const;

  std::unordered_map<std::uint64_t, Rule> rules_;  // by pair; looked up, never walked through
  std::int64_t next_ = 0;
};

/// Merges learned from words and how often each occurs: by turns the pair that is most frequent, of
/// equals the lowest, until there are so many symbols or no pair occurs twice.
struct LearnedPairs {
  std::vector<std::string> symbols;  // bytes, bytes at a word's end, then merged ones
  std::vector<std::pair<std::int64_t, std::int64_t>> merges;
};
LearnedPairs learn_pairs(const std::map<std::string, std::int64_t>& words, std::size_t symbols);

/// What the last symbol of a word ends in.
inline constexpr const char* kWordEnd = "</w>";
/// The symbols that every such vocabulary begins with: 256 bytes, and 256 that end a word.
std::vector<std::string> byte_symbols();

}  // namespace gradatim::neural
