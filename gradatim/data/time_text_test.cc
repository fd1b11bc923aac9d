#include "gradatim/data/time_text.h"

#include <gtest/gtest.h>

namespace gradatim::data {
namespace {

TEST(Dates, CountDaysSince1970) {
  EXPECT_EQ(parse_date("1970-01-01"), 0);
  EXPECT_EQ(parse_date("2013-01-01"), 15706);
  EXPECT_EQ(parse_date("1969-12-31"), -1);
  EXPECT_EQ(parse_date("2000-02-29"), 11016);
}

TEST(Dates, WhatIsNotOnTheCalendarIsNoDate) {
  for (const char* text : {"", "2013-02-29", "2013-13-01", "2013-1-01", "13-01-01", "2013-01-01 ",
                           "0000-01-01", "2013/01/01", "2013-01-0x"}) {
    EXPECT_FALSE(parse_date(text)) << text;
  }
}

TEST(Timestamps, CountMicrosecondsInUtc) {
  EXPECT_EQ(parse_timestamp("1970-01-01T00:00:01"), 1'000'000);
  EXPECT_EQ(parse_timestamp("1970-01-01 00:01"), 60'000'000);
  EXPECT_EQ(parse_timestamp("1970-01-01T00:00:00.25Z"), 250'000);
  EXPECT_EQ(parse_timestamp("1970-01-01T00:00:00.1234567"), 123'456);
  EXPECT_EQ(parse_timestamp("1970-01-01T02:00:00+02:00"), 0);
  EXPECT_EQ(parse_timestamp("1969-12-31T22:30:00-0130"), 0);
  EXPECT_EQ(parse_timestamp("1970-01-02"), 86'400'000'000);
}

TEST(Timestamps, WhatIsNotOnTheClockIsNoTime) {
  for (const char* text : {"1970-01-01T24:00:00", "1970-01-01T00:60", "1970-01-01T00:00:60",
                           "1970-01-01T", "1970-01-01T00:00:00.", "1970-01-01T00:00:00+",
                           "1970-01-01T00:00:00+24:00", "1970-01-01T00:00:00 x"}) {
    EXPECT_FALSE(parse_timestamp(text)) << text;
  }
}

TEST(TimeText, ReadsBackToTheSameNumber) {
  for (const std::int64_t days : {0, -1, 15706, -719162, 2932896}) {
    EXPECT_EQ(parse_date(time_text(days, TimeUnit::days)), days);
  }
  for (const std::int64_t time :
       {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1357034400250000}}) {
    EXPECT_EQ(parse_timestamp(time_text(time, TimeUnit::microseconds)), time);
  }
  EXPECT_EQ(time_text(-1, TimeUnit::microseconds), "1969-12-31T23:59:59.999999");
  EXPECT_EQ(time_text(5'000'000, TimeUnit::days), "5000000") << "no such year on the calendar";
}

}  // namespace
}  // namespace gradatim::data
