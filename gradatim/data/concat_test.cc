#include "gradatim/data/concat.h"

#include <gtest/gtest.h>

#include "gradatim/data/testing.h"

namespace gradatim::data {
namespace {

using namespace testing;

TEST(Concat, EqualTypesStayWhereTheyLie) {
  const Table a({numeric_column("x", {1, 2})}, "a");
  const Table b({numeric_column("x", {3})}, "b");
  const Table both = concat({a, b}, "both");
  EXPECT_EQ(numbers(both.column("x")), (std::vector<double>{1, 2, 3}));
  EXPECT_EQ(both.column("x").chunks()[0].data, a.column("x").chunks()[0].data);
}

TEST(Concat, NumbersOfDifferentTypesBecomeDoubles) {
  const Table both =
      concat({Table({integer_column("x", {1})}), Table({numeric_column("x", {2.5})})}, "both");
  EXPECT_EQ(numbers(both.column("x")), (std::vector<double>{1, 2.5}));
}

TEST(Concat, CategoriesAreUnited) {
  const Table a({categorical_column("c", {0, -1}, {"x"})}, "a");
  const Table b({categorical_column("c", {0, 1}, {"y", "x"})}, "b");
  const Column column = concat({a, b}, "both").column("c");
  EXPECT_EQ(cells(column), (Texts{"x", "", "y", "x"}));
  EXPECT_EQ(column.categories(), (Categories{"x", "y"}));
}

TEST(Concat, ColumnsAreMatchedByName) {
  const Table a({numeric_column("x", {1}), numeric_column("y", {2})}, "a");
  const Table b({numeric_column("y", {4}), numeric_column("x", {3})}, "b");
  EXPECT_EQ(numbers(concat({a, b}, "both").column("x")), (std::vector<double>{1, 3}));
  EXPECT_EQ(error_of([&] {
              concat({a, b.without("x")}, "both");
            }),
            "b lacks the column 'x' of a; all files need the same columns (GRD-2004)");
  EXPECT_EQ(error_of([&] {
              concat({a.without("x"), b}, "both");
            }),
            "b has a column 'x' that a does not have; all files need the same columns (GRD-2004)");
}

TEST(Concat, WordsAndNumbersDoNotMix) {
  const Table a({categorical_column("c", {0}, {"x"})}, "a");
  const Table b({numeric_column("c", {1})}, "b");
  EXPECT_EQ(
      error_of([&] {
        concat({a, b}, "both");
      }),
      "column 'c' is categorical in a, but numeric in b; give both the same type, or a schema "
      "(GRD-2010)");
}

}  // namespace
}  // namespace gradatim::data
