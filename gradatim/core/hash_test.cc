#include "gradatim/core/hash.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>
#include <string>
#include <vector>

namespace gradatim {
namespace {

std::uint64_t of(std::string_view text) { return Hash().add(text).value(); }

TEST(Hash, IsTheSameEverywhere) { EXPECT_EQ(of("gradatim"), 11259186960364063635U); }

TEST(Hash, TellsTextsApart) {
  std::set<std::uint64_t> seen;
  std::string text;
  for (int i = 0; i < 1000; ++i) {
    seen.insert(of(text));
    text += static_cast<char>(i % 3 == 0 ? 0 : i);
  }
  EXPECT_EQ(seen.size(), 1000U);
  EXPECT_NE(Hash().add("ab").add("c").value(), Hash().add("a").add("bc").value());
  EXPECT_NE(Hash(1).value(), Hash(2).value());
}

TEST(Hash, TakesEqualNumbersForEqual) {
  const auto nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(Hash().add(nan).value(), Hash().add(-nan).value());
  EXPECT_EQ(Hash().add(0.0).value(), Hash().add(-0.0).value());
  EXPECT_NE(Hash().add(1.0).value(), Hash().add(1.0 + 0x1p-52).value());
  const std::vector<double> numbers = {1, 2, 3};
  EXPECT_NE(Hash().add(std::span<const double>(numbers)).value(),
            Hash().add(std::span<const double>(numbers).first(2)).value());
}

}  // namespace
}  // namespace gradatim
