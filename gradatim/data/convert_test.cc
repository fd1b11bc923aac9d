#include "gradatim/data/convert.h"

#include <gtest/gtest.h>

#include <cmath>

#include "gradatim/data/testing.h"

namespace gradatim::data {
namespace {

using namespace testing;

ColumnSchema categorical_schema(std::string name, Categories words) {
  return {.name = std::move(name),
          .type = ColumnType::categorical,
          .categories = std::make_shared<const Categories>(std::move(words))};
}

TEST(Align, CategoriesGetTheModelsCodesAndUnseenOnesAreMissing) {
  const Table table({categorical_column("c", {0, 1, 2, -1}, {"b", "new", "a"})}, "t.csv");
  const Column column = align(table, categorical_schema("c", {"a", "b"}));
  EXPECT_EQ(codes(column), (Codes{1, -1, 0, -1}));
  EXPECT_EQ(column.categories(), (Categories{"a", "b"}));
}

TEST(Align, CategoriesOfNumbersAndTruthsAreKnownInOtherSpellings) {
  const auto codes = [](Categories words, Categories known) { return codes_among(words, known); };
  EXPECT_EQ(codes({"1.0", "1", "2.50", "x"}, {"1", "2.5"}), (Codes{0, 0, 1, -1}));
  EXPECT_EQ(codes({"1", "-0"}, {"1.0", "0"}), (Codes{0, 1}));
  EXPECT_EQ(codes({"True", "FALSE"}, {"false", "true"}), (Codes{1, 0}));
  EXPECT_EQ(codes({"7", "007"}, {"007"}), (Codes{-1, 0})) << "a code is no number";
  EXPECT_EQ(codes({"1e0"}, {"1", "1.0"}), (Codes{-1})) << "two could be meant";
  EXPECT_EQ(codes({"1234567890123456001"}, {"1234567890123456000"}), (Codes{-1}))
      << "doubles would take them for one";
}

TEST(Align, EqualCategoriesAreUsedWhereTheyLie) {
  const Table table({categorical_column("c", {0, 1}, {"a", "b"})}, "t.csv");
  EXPECT_EQ(align(table, categorical_schema("c", {"a", "b"})).chunks()[0].data,
            table.column("c").chunks()[0].data);
}

TEST(Align, NumbersBecomeTheWordsThatTrainingSaw) {
  const Table table({integer_column("i", {7, kMissingInteger, 8}), numeric_column("x", {7, 8, 0.5}),
                     boolean_column("b", {1, 0, 255})});
  EXPECT_EQ(codes(align(table, categorical_schema("i", {"8", "7"}))), (Codes{1, -1, 0}));
  EXPECT_EQ(codes(align(table, categorical_schema("x", {"8", "7"}))), (Codes{1, 0, -1}));
  EXPECT_EQ(codes(align(table, categorical_schema("b", {"false", "true"}))), (Codes{1, 0, -1}));
}

TEST(Align, ANumberHasOneWordInFloat32AndInFloat64) {
  const double narrow = 0.1F;
  const Table table({numeric_column("x", {0.1, narrow, 0.5, 123456792.0, 1.0 / 3.0})});
  EXPECT_EQ(codes(align(table, categorical_schema("x", {"0.1", "0.5", "123456792"}))),
            (Codes{0, 0, 1, 2, -1}));
}

TEST(Align, WordsBecomeNumbersIfAllOfThemAre) {
  const Table table({categorical_column("a", {0, -1, 1, 2}, {"1.5", "007", "true"})}, "t.csv");
  const auto values = numbers(align(table, {.name = "a"}));
  EXPECT_EQ(values[0], 1.5);
  EXPECT_TRUE(std::isnan(values[1]));
  EXPECT_EQ(values[2], 7);
  EXPECT_EQ(values[3], 1);
}

TEST(Align, TextWhereAModelExpectsANumberIsNamedByRowAndColumn) {
  const Table table({categorical_column("age", {0, 2}, {"1", "unused", "old"})}, "t.parquet");
  EXPECT_EQ(
      error_of([&] { align(table, {.name = "age"}); }),
      "t.parquet, row 2, column 'age': 'old' is not a number, which the model was trained on; "
      "correct the cell or leave it empty (GRD-2010)");
}

TEST(Align, AMissingColumnNamesTheNearest) {
  const Table table({numeric_column("dep_tme", {1})}, "t.csv");
  EXPECT_EQ(error_of([&] { align(table, {.name = "dep_time"}); }),
            "t.csv has no column 'dep_time', which the model needs; did you mean 'dep_tme'? "
            "(GRD-2004)");
}

TEST(Align, TheSchemaGivesTheOrderAndDropsOtherColumns) {
  const Table table({numeric_column("x", {1}), numeric_column("y", {2}), numeric_column("z", {3})});
  const Table aligned = align(table, Schema{{{.name = "z"}, {.name = "x"}}});
  ASSERT_EQ(aligned.columns().size(), 2U);
  EXPECT_EQ(aligned.columns()[0].name(), "z");
}

TEST(Align, DatesAndTimesMeetInTheModelsUnit) {
  const Table table(
      {integer_column("d", {1, -1}).with_time_unit(TimeUnit::days),
       integer_column("t", {86'400'000'001, -1}).with_time_unit(TimeUnit::microseconds),
       categorical_column("w", {0, -1}, {"1970-01-02"}), numeric_column("x", {1, 2})},
      "t.arrow");
  ColumnSchema days{.name = "t", .type = ColumnType::integer, .time_unit = TimeUnit::days};
  EXPECT_EQ(cells(align(table, days)), (Texts{"1970-01-02", "1969-12-31"}));
  days.name = "w";
  EXPECT_EQ(cells(align(table, days)), (Texts{"1970-01-02", ""}));
  const ColumnSchema times{
      .name = "d", .type = ColumnType::integer, .time_unit = TimeUnit::microseconds};
  EXPECT_EQ(cells(align(table, times)), (Texts{"1970-01-02T00:00:00", "1969-12-31T00:00:00"}));
  days.name = "x";
  EXPECT_EQ(error_of([&] { align(table, days); }),
            "column 'x' of t.arrow holds numbers, not a date like 2013-01-31, which the model was "
            "trained on; convert it (GRD-2010)");
}

TEST(ApplySchema, ConvertsTypedColumns) {
  const Table table(
      {integer_column("month", {1, 12}), numeric_column("n", {1, 2}), integer_column("ok", {0, 1})},
      "t.parquet");
  const Table applied = apply_schema(
      table,
      parse_schema(R"({"columns": {"month": "categorical", "n": "integer", "ok": "boolean"}})",
                   "s.json"));
  EXPECT_EQ(applied.column("month").categories(), (Categories{"1", "12"}));
  EXPECT_EQ(applied.column("n").type(), ColumnType::integer);
  EXPECT_EQ(cells(applied.column("ok")), (Texts{"false", "true"}));
  EXPECT_EQ(
      error_of([&] {
        apply_schema(table, parse_schema(R"({"columns": {"month": "boolean"}})", "s.json"));
      }),
      "t.parquet, row 2, column 'month': '12' is not true or false, which the schema asks for; "
      "correct the cell or leave it empty (GRD-2010)");
}

}  // namespace
}  // namespace gradatim::data
