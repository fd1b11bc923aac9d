#include "gradatim/neural/text/pair_merges.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "gradatim/core/philox.h"
#include "gradatim/neural/text/byte_table.h"

namespace gradatim::neural {
namespace {

using Symbols = std::vector<std::int64_t>;
using Pair = std::pair<std::int64_t, std::int64_t>;
using Words = std::map<std::string, std::int64_t>;

// Merges one pair wherever it is, from the left.
Symbols merged(const Symbols& symbols, const Pair& pair, std::int64_t by) {
  Symbols left;
  for (std::size_t k = 0; k < symbols.size(); ++k) {
    const bool here =
        symbols[k] == pair.first && k + 1 < symbols.size() && symbols[k + 1] == pair.second;
    left.push_back(here ? by : symbols[k]);
    if (here) ++k;
  }
  return left;
}

// Learning as it is written down: all pairs are counted anew before each merge.
LearnedPairs plain_learning(const Words& words, std::size_t most) {
  LearnedPairs learned{byte_symbols(), {}};
  const auto number = [&](const std::string& symbol) {
    return std::ranges::find(learned.symbols, symbol) - learned.symbols.begin();
  };
  std::vector<std::pair<Symbols, std::int64_t>> split;
  for (const auto& [word, count] : words) {
    Symbols symbols;
    for (std::size_t k = 0; k < word.size(); ++k) {
      const auto& seen = byte_characters()[static_cast<std::uint8_t>(word[k])];
      symbols.push_back(number(k + 1 == word.size() ? seen + kWordEnd : seen));
    }
    split.emplace_back(symbols, count);
  }
  while (learned.symbols.size() < most) {
    std::map<Pair, std::int64_t> counts;
    for (const auto& [symbols, count] : split) {
      for (std::size_t k = 0; k + 1 < symbols.size(); ++k) {
        counts[{symbols[k], symbols[k + 1]}] += count;
      }
    }
    const auto best = std::ranges::max_element(
        counts, [](const auto& a, const auto& b) { return a.second < b.second; });
    if (best == counts.end() || best->second < 2) break;
    const auto [left, right] = best->first;
    const std::string spelled = learned.symbols[static_cast<std::size_t>(left)] +
                                learned.symbols[static_cast<std::size_t>(right)];
    if (number(spelled) == std::ssize(learned.symbols)) learned.symbols.push_back(spelled);
    learned.merges.push_back(best->first);
    for (auto& [symbols, count] : split) symbols = merged(symbols, best->first, number(spelled));
  }
  return learned;
}

Words random_words(std::uint64_t seed, std::size_t letters) {
  Words words;
  const Philox draws(seed, Stream::data);
  for (std::uint64_t k = 0; k < 120; ++k) {
    std::string word;
    for (std::uint64_t i = 0; i <= draws.bits(100 * k) % 9; ++i) {
      word += static_cast<char>('a' + draws.bits(100 * k + i + 1) % letters);
    }
    words[word] += static_cast<std::int64_t>(1 + draws.bits(100 * k + 50) % 4);
  }
  return words;
}

TEST(LearnPairs, EqualsCountingEverythingAnew) {
  for (const std::size_t letters : {1U, 2U, 3U, 26U}) {
    for (std::uint64_t seed = 0; seed < 4; ++seed) {
      const Words words = random_words(seed, letters);
      const LearnedPairs fast = learn_pairs(words, 700), plain = plain_learning(words, 700);
      EXPECT_EQ(fast.merges, plain.merges);
      EXPECT_EQ(fast.symbols, plain.symbols);
    }
  }
}

TEST(LearnPairs, TheMostFrequentPairComesFirstAndOfEqualsTheLowest) {
  const LearnedPairs learned = learn_pairs({{"xy", 3}, {"ba", 2}, {"ab", 2}, {"once", 1}}, 600);
  const std::vector<std::string> expected = {"xy</w>", "ab</w>", "ba</w>"};
  const std::vector<std::string> found(learned.symbols.begin() + 512, learned.symbols.end());
  EXPECT_EQ(found, expected);
}

TEST(LearnPairs, StopsAtSoManySymbols) {
  EXPECT_EQ(learn_pairs(random_words(1, 3), 520).symbols.size(), 520U);
}

TEST(PairMerges, EqualsMergingPairAfterPairInTheOrderLearned) {
  for (const std::size_t letters : {1U, 2U, 3U}) {
    const LearnedPairs learned = learn_pairs(random_words(7, letters), 620);
    PairMerges merges;
    const auto number = [&](const Pair& pair) {
      const std::string spelled = learned.symbols[static_cast<std::size_t>(pair.first)] +
                                  learned.symbols[static_cast<std::size_t>(pair.second)];
      return std::ranges::find(learned.symbols, spelled) - learned.symbols.begin();
    };
    for (const Pair& pair : learned.merges) merges.add(pair.first, pair.second, number(pair));
    const Philox draws(3, Stream::data);
    for (std::uint64_t k = 0; k < 50; ++k) {
      Symbols word;
      const auto first = std::ranges::find(learned.symbols, "a") - learned.symbols.begin();
      for (std::uint64_t i = 0; i < 1 + k % 30; ++i) {
        word.push_back(first + static_cast<std::int64_t>(draws.bits(100 * k + i) % letters));
      }
      word.back() += 256;
      Symbols plain = word;
      for (const Pair& pair : learned.merges) plain = merged(plain, pair, number(pair));
      EXPECT_EQ(merges.apply(word), plain);
    }
  }
}

TEST(PairMerges, AVeryLongWordIsMergedInTime) {
  const LearnedPairs learned = learn_pairs({{std::string(64, 'a'), 2}}, 600);
  PairMerges merges;
  merges.add(0, 0, 1);
  merges.add(1, 1, 2);
  EXPECT_EQ(merges.apply(Symbols(100'000, 0)), Symbols(25'000, 2));
}

TEST(ByteTable, EveryByteHasACharacterOfItsOwn) {
  std::string all, seen;
  for (int byte = 0; byte < 256; ++byte) {
    all += static_cast<char>(byte);
    seen += byte_characters()[static_cast<std::size_t>(byte)];
  }
  EXPECT_EQ(bytes_of(seen), all);
  EXPECT_EQ(byte_characters()[' '], "\u0120");
  EXPECT_EQ(byte_characters()[0], "\u0100");
  EXPECT_EQ(byte_characters()[0xAD], "\u0143");
  EXPECT_EQ(byte_symbols().size(), 512U);
  EXPECT_EQ(byte_symbols()[0], "!");
  EXPECT_EQ(byte_symbols()[256], "!</w>");
}

}  // namespace
}  // namespace gradatim::neural
