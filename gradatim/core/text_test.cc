#include "gradatim/core/text.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "gradatim/core/philox.h"

namespace gradatim {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(NumberText, IsTheShortestThatReadsBack) {
  EXPECT_EQ(number_text(0.1), "0.1");
  EXPECT_EQ(number_text(1.0), "1");
  EXPECT_EQ(number_text(-0.0), "-0");
  EXPECT_EQ(number_text(1e-05), "1e-05");
  EXPECT_EQ(number_text(1.0 / 3.0), "0.3333333333333333");
  EXPECT_EQ(number_text(kInfinity), "inf");
  EXPECT_EQ(number_text(-kInfinity), "-inf");
  EXPECT_EQ(number_text(std::nan("")), "nan");
  EXPECT_EQ(number_text(-std::nan("")), "nan");
}

TEST(NumberText, RoundTripsEveryBit) {
  const Philox random(1, Stream::noise);
  for (std::uint64_t i = 0; i < 20000; ++i) {
    const auto x = std::bit_cast<double>(random.bits(i));
    if (std::isnan(x)) continue;
    const auto back = parse_number(number_text(x));
    ASSERT_TRUE(back) << number_text(x);
    ASSERT_EQ(std::bit_cast<std::uint64_t>(*back), std::bit_cast<std::uint64_t>(x));
  }
  for (const double x : {5e-324, -5e-324, 1.7976931348623157e308, 2.2250738585072014e-308, -0.0}) {
    EXPECT_EQ(std::bit_cast<std::uint64_t>(parse_number(number_text(x)).value()),
              std::bit_cast<std::uint64_t>(x));
  }
  EXPECT_EQ(parse_number("inf"), kInfinity);
  EXPECT_EQ(parse_number("-inf"), -kInfinity);
  EXPECT_TRUE(std::isnan(parse_number("nan").value()));
}

TEST(ParseNumber, TakesOneWholeDecimalNumber) {
  EXPECT_EQ(parse_number("+2.5"), 2.5);
  EXPECT_EQ(parse_number("-.5"), -0.5);
  EXPECT_EQ(parse_number("5."), 5.0);
  EXPECT_EQ(parse_number("1E+2"), 100.0);
  for (const char* bad :
       {"",    "+",   "-",   ".",   "e5",  "1 ",  " 1", "0x1",    "1,5", "1e",
        "1e+", "--1", "+-1", "-+1", "++1", "1_0", "1f", "nan(1)", "one", "\xd9\xa1"}) {
    EXPECT_EQ(parse_number(bad), std::nullopt) << '"' << bad << '"';
  }
  EXPECT_EQ(parse_number(std::string_view("1\0", 2)), std::nullopt);
  EXPECT_EQ(parse_number({}), std::nullopt);
}

TEST(ParseNumber, OutOfRangeIsInfiniteOrZeroByTheMagnitude) {
  EXPECT_EQ(parse_number("1e999"), kInfinity);
  EXPECT_EQ(parse_number("-1e999"), -kInfinity);
  EXPECT_EQ(parse_number("1e-999"), 0.0);
  EXPECT_TRUE(std::signbit(parse_number("-1e-999").value()));
  EXPECT_EQ(parse_number("1e99999999999999999999"), kInfinity);
  EXPECT_EQ(parse_number("1e-99999999999999999999"), 0.0);
  EXPECT_EQ(parse_number("0e99999999999999999999"), 0.0);
  // The magnitude is in the digits, not in the exponent's sign.
  const std::string zeros(400, '0');
  EXPECT_EQ(parse_number("0." + zeros + "1"), 0.0);
  EXPECT_EQ(parse_number("1" + zeros), kInfinity);
  EXPECT_EQ(parse_number("1" + zeros + "e-5"), kInfinity);
  EXPECT_EQ(parse_number("-0." + zeros + "1e5"), 0.0);
  EXPECT_EQ(parse_number("1" + zeros + "e-400"), 1.0);
  EXPECT_EQ(parse_number("0." + zeros + "1e401"), 1.0);
}

TEST(ParseInteger, TakesOneWholeIntegerInRange) {
  EXPECT_EQ(parse_integer("42"), 42);
  EXPECT_EQ(parse_integer("+42"), 42);
  EXPECT_EQ(parse_integer("-7"), -7);
  EXPECT_EQ(parse_integer("9223372036854775807"), std::numeric_limits<long long>::max());
  EXPECT_EQ(parse_integer("-9223372036854775808"), std::numeric_limits<long long>::min());
  for (const char* bad : {"", "+", "-", "+-1", "--1", "1.0", "1e3", " 1", "1 ", "0x10",
                          "9223372036854775808", "-9223372036854775809"}) {
    EXPECT_EQ(parse_integer(bad), std::nullopt) << '"' << bad << '"';
  }
}

TEST(NearestName, IsTheOneWithTheFewestEdits) {
  const std::vector<std::string> names = {"n_estimators", "learning_rate", "max_depth", "max_bin"};
  EXPECT_EQ(nearest_name("n_estimator", names), "n_estimators");
  EXPECT_EQ(nearest_name("learing_rate", names), "learning_rate");
  EXPECT_EQ(nearest_name("max_bins", names), "max_bin");
  EXPECT_EQ(nearest_name("max_depth", names), "max_depth");
  EXPECT_EQ(nearest_name("colsample", names), std::nullopt);
  EXPECT_EQ(nearest_name("", names), std::nullopt);
  EXPECT_EQ(nearest_name("max_depth", {}), std::nullopt);
}

TEST(NearestName, PrefersTheFirstOfEquals) {
  const std::vector<std::string> names = {"abcd", "abce"};
  EXPECT_EQ(nearest_name("abcf", names), "abcd");
}

TEST(NearestName, SuggestsNothingThatSharesNoLetter) {
  const std::vector<std::string> names = {"ab", "c"};
  EXPECT_EQ(nearest_name("x", names), std::nullopt);
  EXPECT_EQ(nearest_name("a", names), "ab");
}

TEST(DidYouMean, IsAnEndOfASentenceOrNothing) {
  const std::vector<std::string> names = {"huber"};
  EXPECT_EQ(did_you_mean("hubert", names), "; did you mean 'huber'?");
  EXPECT_EQ(did_you_mean("quantile", names), "");
}

TEST(JoinAnd, WritesAListAsInASentence) {
  const std::vector<std::string> words = {"a", "b", "c"};
  const std::span<const std::string> all(words);
  EXPECT_EQ(join_and(all), "a, b and c");
  EXPECT_EQ(join_and(all.first(2)), "a and b");
  EXPECT_EQ(join_and(all.first(1)), "a");
  EXPECT_EQ(join_and({}), "");
}

TEST(Split, KeepsEmptyParts) {
  using Parts = std::vector<std::string>;
  EXPECT_EQ(split("a,b,c", ','), (Parts{"a", "b", "c"}));
  EXPECT_EQ(split(",a,,b,", ','), (Parts{"", "a", "", "b", ""}));
  EXPECT_EQ(split("abc", ','), (Parts{"abc"}));
  EXPECT_EQ(split("", ','), (Parts{""}));
}

TEST(Trim, RemovesBlanksAtBothEnds) {
  EXPECT_EQ(trim(" \t a b\r\n"), "a b");
  EXPECT_EQ(trim("a"), "a");
  EXPECT_EQ(trim(" \n "), "");
  EXPECT_EQ(trim(""), "");
}

TEST(InvalidUtf8, AcceptsEveryLengthAndItsLimits) {
  for (const char* good :
       {"", "abc", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
        "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "größe ✓ 😀"}) {
    EXPECT_EQ(invalid_utf8(good), std::nullopt) << good;
  }
  EXPECT_EQ(invalid_utf8(std::string_view("a\0b", 3)), std::nullopt);
}

TEST(InvalidUtf8, FindsTheFirstBadSequence) {
  struct Case {
    const char* text;
    std::size_t at;
  };
  for (const auto& [text, at] : std::vector<Case>{
           {"ab\x80", 2},            // a continuation without a lead
           {"\xc0\xaf", 0},          // overlong, 2 bytes
           {"\xc1\xbf", 0},          // overlong, 2 bytes
           {"\xe0\x9f\xbf", 0},      // overlong, 3 bytes
           {"\xf0\x8f\xbf\xbf", 0},  // overlong, 4 bytes
           {"x\xed\xa0\x80", 1},     // surrogate
           {"x\xed\xbf\xbf", 1},     // surrogate
           {"\xf4\x90\x80\x80", 0},  // above U+10FFFF
           {"\xf5\x80\x80\x80", 0},  // above U+10FFFF
           {"\xff", 0},
           {"a\xc3", 1},  // cut short
           {"a\xe2\x82", 1},
           {"a\xf0\x9f\x98", 1},
           {"\xc3(", 0},  // not a continuation
           {"\xe2\x28\xa1", 0},
           {"\xe2\x82\x28", 0},
           {"\xf0\x9f\x98(", 0},
           {"\xc3\xa9\xc3\xa9\xfe", 4},
       }) {
    EXPECT_EQ(invalid_utf8(text), at) << text;
  }
}

}  // namespace
}  // namespace gradatim
