#include "gradatim/data/csv_states.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "gradatim/core/philox.h"
#include "gradatim/data/csv_scanner.h"
#include "gradatim/data/csv_text.h"
#include "gradatim/data/testing.h"

namespace gradatim::data {
namespace {

// Where records begin, as the scanner sees it; to where it throws.
std::vector<std::size_t> records(const std::string& text) {
  std::vector<std::size_t> starts;
  CsvScanner scanner(text, "t.csv", ',');
  Field field;
  try {
    while (true) {
      scanner.skip_blank_lines();
      if (scanner.at_end()) break;
      starts.push_back(static_cast<std::size_t>(scanner.position() - text.data()));
      while (scanner.next(field) != FieldEnd::line) {
      }
    }
  } catch (const DataError&) {
  }
  return starts;
}

CsvState state_behind(std::string_view text) {
  return csv_states_through({}, text)[static_cast<std::size_t>(CsvState::field)];
}

TEST(CsvStates, AQuoteOpensAFieldOnlyAtItsStart) {
  EXPECT_EQ(state_behind("1,\"x\n"), CsvState::quoted);
  EXPECT_EQ(state_behind("1,  \"x\n"), CsvState::quoted);
  EXPECT_EQ(state_behind("1,5\" \n"), CsvState::field);
  EXPECT_EQ(state_behind("\"a\"\"b"), CsvState::quoted);
  EXPECT_EQ(state_behind("\"a\" "), CsvState::closed);
  EXPECT_EQ(state_behind("\"a\" b\n\n"), CsvState::bad);
}

std::string random_text(std::uint64_t seed) {
  constexpr std::string_view kBytes = "\"\"\"\n\n,, \rab";
  const Philox draws(seed, Stream::data);
  std::string text;
  const auto size = draws.below(60, 0);
  for (std::uint32_t i = 0; i < size; ++i) {
    text += kBytes[draws.below(static_cast<std::uint32_t>(kBytes.size()), i + 1)];
  }
  return text + "\n";  // so that no line ends in CR
}

TEST(CsvStates, TellRecordsFromLinesWhereverATextIsCut) {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    const std::string text = random_text(seed);
    const auto starts = records(text);
    for (std::size_t cut = 1; cut <= text.size(); ++cut) {
      const auto state = state_behind(std::string_view(text).substr(0, cut));
      const auto next = next_record({}, text, cut, state);
      // No record of the scanner begins between the cut and what was found.
      for (const auto start : starts) ASSERT_FALSE(start >= cut && start < next) << text << cut;
      // What was found is the scanner's, or a blank line in front of it, or the end.
      CsvScanner scanner(text, "t.csv", ',');
      scanner.limit(text.data() + next, text.data() + text.size());
      scanner.skip_blank_lines();
      const auto found = static_cast<std::size_t>(scanner.position() - text.data());
      const bool known = std::find(starts.begin(), starts.end(), found) != starts.end();
      ASSERT_TRUE(known || scanner.at_end()) << text << cut;
    }
  }
}

TEST(CsvStates, ThroughTwoPartsAreThroughTheWhole) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const std::string text = random_text(seed);
    const auto whole = csv_states_through({}, text);
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
      const auto first = csv_states_through({}, std::string_view(text).substr(0, cut));
      const auto second = csv_states_through({}, std::string_view(text).substr(cut));
      for (std::size_t s = 0; s < whole.size(); ++s) {
        ASSERT_EQ(second[static_cast<std::size_t>(first[s])], whole[s]) << text << cut;
      }
    }
  }
}

TEST(CsvText, IsCheckedInPartsAsInOne) {
  const std::string good = "a\xC3\xBC\xE2\x82\xAC\xF0\x9F\x98\x80z,long enough for words";
  const std::string bad = good + "\xE2\x82" + good + "\xBC\xBC\xBC\xBC\xBC";
  for (const auto& text : {good, bad, "\x80" + good, good + "\xF0\x9F\x98"}) {
    const auto whole = testing::error_of([&] { check_text(text, "t.csv"); });
    for (std::size_t a = 0; a <= text.size(); ++a) {
      for (std::size_t b = a; b <= text.size(); ++b) {
        std::string first = "no error";  // of three parts
        for (const auto& part : {TextPart{0, a}, TextPart{a, b}, TextPart{b, text.size()}}) {
          if (first != "no error") break;
          first = testing::error_of([&] { check_utf8(text, part, "t.csv"); });
        }
        ASSERT_EQ(first, whole) << a << " " << b;
      }
    }
  }
}

}  // namespace
}  // namespace gradatim::data
