#include "gradatim/core/error.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <type_traits>

namespace gradatim {
namespace {

TEST(Error, WhatIsTheMessageFollowedByTheCode) {
  const UsageError error(1003, "delta must be above 0; got -1");
  EXPECT_STREQ(error.what(), "delta must be above 0; got -1 (GRD-1003)");
  EXPECT_EQ(error.message(), "delta must be above 0; got -1");
  EXPECT_EQ(error.code(), 1003);
}

TEST(Error, IsOneLineOfPlainCharactersWhateverTheNamesHold) {
  const std::string name = "a\nb\r\tc\x1b[31m\x7f" + std::string(1, '\0') + "d";
  const DataError error(2001, name);
  EXPECT_EQ(error.message(), "a b  c [31m  d");
  EXPECT_STREQ(error.what(), "a b  c [31m  d (GRD-2001)");
  EXPECT_EQ(DataError(2001, "größe").message(), "größe") << "other UTF-8 is kept";
}

TEST(Error, EveryKindIsAnErrorAndARuntimeErrorAndInterruptedIsNot) {
  EXPECT_THROW(throw UsageError(1001, "x"), Error);
  EXPECT_THROW(throw DataError(2001, "x"), Error);
  EXPECT_THROW(throw ModelError(3001, "x"), Error);
  EXPECT_THROW(throw NumericError(4001, "x"), Error);
  EXPECT_THROW(throw DistributedError(5001, "x"), Error);
  EXPECT_THROW(throw Interrupted(), std::runtime_error);
  EXPECT_FALSE((std::is_base_of_v<Error, Interrupted>));
}

TEST(Check, ThrowsItsKindWithTheFormattedMessage) {
  try {
    GRADATIM_CHECK(1 + 1 == 3, NumericError, 4001, "step {} is {}", 7, "nan");
    FAIL() << "nothing was thrown";
  } catch (const NumericError& error) {
    EXPECT_STREQ(error.what(), "step 7 is nan (GRD-4001)");
  }
}

TEST(Check, BuildsNoMessageWhereTheConditionHolds) {
  int built = 0;
  GRADATIM_CHECK(true, DataError, 2001, "{}", ++built);
  EXPECT_EQ(built, 0);
}

TEST(Check, IsOneStatement) {
  bool taken = false;
  if (false)
    GRADATIM_CHECK(false, DataError, 2001, "x");
  else
    taken = true;
  EXPECT_TRUE(taken);
}

TEST(Assertion, NamesTheConditionAndThePlace) {
  try {
    internal::assertion_failed("a < b", "x.cc", 12);
    FAIL() << "nothing was thrown";
  } catch (const std::logic_error& error) {
    EXPECT_STREQ(error.what(), "x.cc:12: assertion failed: a < b");
  }
}

TEST(Assertion, IsCheckedInDebugBuildsOnly) {
#ifdef NDEBUG
  EXPECT_NO_THROW(GRADATIM_ASSERT(1 + 1 == 3));
#else
  EXPECT_THROW(GRADATIM_ASSERT(1 + 1 == 3), std::logic_error);
#endif
  EXPECT_NO_THROW(GRADATIM_ASSERT(1 + 1 == 2));
}

}  // namespace
}  // namespace gradatim
