#include "gradatim/data/check.h"

#include <gtest/gtest.h>

#include <cmath>

#include "gradatim/data/testing.h"

namespace gradatim::data {
namespace {

using namespace testing;

TEST(CheckFinite, NamesTheRowAndTheColumn) {
  std::vector<double> values(10'000, 1.0);
  values[2] = NAN;
  const Column fine = numeric_column("x", values);
  EXPECT_NO_THROW(check_finite(fine, "t.csv"));
  values[8000] = -INFINITY;
  EXPECT_EQ(
      error_of([&] { check_finite(numeric_column("x", values), "t.csv"); }),
      "t.csv, row 8001, column 'x': the value is -inf, but only finite numbers can be learned "
      "from; correct the cell or leave it empty (GRD-2011)");
  EXPECT_NO_THROW(check_finite(categorical_column("c", {0}, {"inf"}), "t.csv"));
}

TEST(CheckNumeric, NamesTheFirstWordOrDate) {
  const auto told = [](const Column& column) {
    return error_of([&] { check_numeric(column, "t.csv", "weights", 2023); });
  };
  EXPECT_EQ(told(categorical_column("w", {-1, 0, 1}, {"1.5", "low"})),
            "t.csv, row 3, column 'w': the cell is 'low', and weights are numbers; correct it or "
            "name another column (GRD-2023)");
  EXPECT_EQ(told(categorical_column("w", {0, 1}, {"1", "2"})),
            "t.csv, column 'w' holds categories, and weights are numbers; convert it (GRD-2023)");
  EXPECT_EQ(told(integer_column("w", {0}).with_time_unit(TimeUnit::days)).substr(0, 53),
            "t.csv, row 1, column 'w': the cell is '1970-01-01', a");
  EXPECT_EQ(told(integer_column("w", {}).with_time_unit(TimeUnit::days)), "no error")
      << "a rank's part";
  EXPECT_EQ(told(boolean_column("w", {1, 0})), "no error");
}

TEST(CheckFinite, OfSeveralColumnsTheFirstBadOneIsNamed) {
  std::vector<double> late(10'000, 1.0);
  std::vector<double> early = late;
  late[9999] = INFINITY;
  early[3] = -INFINITY;
  const Column sound = numeric_column("a", std::vector<double>(10'000, NAN));
  const Column words = categorical_column("c", std::vector<std::int32_t>(10'000), {"inf"});
  const std::vector<Column> fine = {sound, words};
  EXPECT_NO_THROW(check_finite(fine, ""));
  const std::vector<Column> bad = {sound, words, numeric_column("x", late),
                                   numeric_column("y", early)};
  EXPECT_EQ(error_of([&] { check_finite(bad, ""); }).substr(0, 21), "row 10000, column 'x'");
}

TEST(CheckNoMissing, NamesTheRowAndTheColumn) {
  EXPECT_NO_THROW(check_no_missing(boolean_column("y", {1, 0}), "t.csv"));
  EXPECT_EQ(
      error_of([] {
        check_no_missing(categorical_column("y", {0, -1}, {"a"}), "");
      }),
      "row 2, column 'y': the cell is missing, but every row needs one here; fill it or leave "
      "the row out (GRD-2019)");
}

}  // namespace
}  // namespace gradatim::data
