#include "gradatim/data/csv.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "gradatim/core/observer.h"
#include "gradatim/data/testing.h"

namespace gradatim::data {
namespace {

using namespace testing;

Table parse(std::string_view text) { return parse_csv(text, "t.csv"); }

struct Warnings : Observer {
  std::vector<std::string> texts;
  void on_warning(const std::string& text) override { texts.push_back(text); }
};

TEST(Csv, InfersTheTypeOfEveryColumn) {
  const Table table = parse(
      "i,x,b,c,d,t,zip,none\n"
      "1,1.5,true,UA,2013-01-01,2013-01-01T05:00:00Z,01234,NA\n"
      "NA,2,False,AA,,2013-01-01 06:30,99999,?\n");
  ASSERT_EQ(table.rows(), 2);
  EXPECT_EQ(table.column("i").type(), ColumnType::integer);
  EXPECT_EQ(cells(table.column("i")), (Texts{"1", ""}));
  EXPECT_EQ(table.column("x").type(), ColumnType::numeric);
  EXPECT_EQ(numbers(table.column("x")), (std::vector<double>{1.5, 2}));
  EXPECT_EQ(table.column("b").type(), ColumnType::boolean);
  EXPECT_EQ(cells(table.column("b")), (Texts{"true", "false"}));
  EXPECT_EQ(table.column("c").categories(), (Categories{"UA", "AA"}));
  EXPECT_EQ(table.column("d").time_unit(), TimeUnit::days);
  EXPECT_EQ(cells(table.column("d")), (Texts{"2013-01-01", ""}));
  EXPECT_EQ(cells(table.column("t")), (Texts{"2013-01-01T05:00:00", "2013-01-01T06:30:00"}));
  EXPECT_EQ(cells(table.column("zip")), (Texts{"01234", "99999"}));
  EXPECT_EQ(table.column("none").type(), ColumnType::numeric);
  EXPECT_TRUE(std::isnan(numbers(table.column("none"))[0]));
}

TEST(Csv, AStrayWordAmongNumbersIsToldOf) {
  Warnings warnings;
  std::string text = "a,code\n";
  for (int i = 0; i < 40; ++i) text += std::to_string(i) + ".5,x" + std::to_string(i) + "\n";
  parse_csv(text + "oops,y\n", "t.csv", {.observer = &warnings});
  ASSERT_EQ(warnings.texts.size(), 1U);
  EXPECT_EQ(warnings.texts[0],
            "column 'a' has 40 different numbers and 'oops', so that the whole column is read as "
            "categories; a schema decides otherwise");
}

TEST(Csv, TheTypeIsThatOfAllCellsHoweverLateTheyCome) {
  for (const auto& [late, type, last] : {std::tuple{"2.5", ColumnType::numeric, "2.5"},
                                         {"abc", ColumnType::categorical, "abc"},
                                         {"007", ColumnType::categorical, "007"}}) {
    std::string text = "a,b\n";
    for (int i = 0; i < 5000; ++i) text += std::to_string(i) + ",1\n";
    const Table table = parse(text + late + ",1\n");
    const Column& column = table.column("a");
    EXPECT_EQ(column.type(), type) << late;
    EXPECT_EQ(column.rows(), 5001);
    EXPECT_EQ(column.cell(17), "17");
    EXPECT_EQ(column.cell(5000), last);
    EXPECT_EQ(table.column("b").type(), ColumnType::integer);
  }
}

TEST(Csv, ADecimalAmongIntegersBeyond2To53MakesNumbersHoweverLateItComes) {
  std::string text = "a\n";
  for (int i = 0; i < 5000; ++i) text += "9007199254740993\n";
  EXPECT_EQ(parse(text).column("a").type(), ColumnType::categorical);
  EXPECT_EQ(parse(text + "0.5\n").column("a").type(), ColumnType::numeric);
  EXPECT_EQ(parse(text + "0.5\nx\n").column("a").type(), ColumnType::categorical);
}

TEST(Csv, AColumnThatBeginsWithManyMissingCellsIsStillInferred) {
  std::string text = "a,b\n";
  for (int i = 0; i < 3000; ++i) text += ",1\n";
  EXPECT_EQ(parse(text + "true,1\n").column("a").type(), ColumnType::boolean);
  EXPECT_EQ(parse(text + "x,1\n").column("a").cell(3000), "x");
}

TEST(Csv, QuotesHoldSeparatorsQuotesAndLineEnds) {
  const Table table = parse("\"a,b\",c\n\"x,\"\"y\"\"\",\"two\nlines\"\n \"z\" ,\"\"\"\"\n");
  EXPECT_EQ(cells(table.column("a,b")), (Texts{"x,\"y\"", "z"}));
  EXPECT_EQ(cells(table.column("c")), (Texts{"two\nlines", "\""}));
}

TEST(Csv, AQuoteInsideAFieldThatIsNotQuotedIsAPlainCharacter) {
  EXPECT_EQ(cells(parse("pipe,n\n5\" steel,1\n").column("pipe")), (Texts{"5\" steel"}));
}

TEST(Csv, LineEndsByteOrderMarksBlankLinesAndBlanksAreTakenAsMeant) {
  for (const char* text : {"a,b\n1,x\n2,y\n", "a,b\r\n1,x\r\n2,y\r\n", "a,b\r1,x\r2,y\r",
                           "\xEF\xBB\xBF"
                           "a,b\n1,x\n2,y",
                           "\n\na , b\n\n 1, x\n\n2 ,y \n\n"}) {
    const Table table = parse(text);
    EXPECT_EQ(numbers(table.column("a")), (std::vector<double>{1, 2})) << text;
    EXPECT_EQ(cells(table.column("b")), (Texts{"x", "y"})) << text;
  }
}

TEST(Csv, ALastLineWithoutAnEndIsARow) {
  EXPECT_EQ(cells(parse("a,b\n1,\n2,").column("a")), (Texts{"1", "2"}));
  EXPECT_EQ(cells(parse("a\n1\n2").column("a")), (Texts{"1", "2"}));
}

TEST(Csv, TheSeparatorIsFoundInTheFirstLine) {
  EXPECT_EQ(cells(parse("a;b\n1,5;x\n").column("a")), (Texts{"1,5"}));
  EXPECT_EQ(cells(parse("a\tb\n1\t\n").column("b")), (Texts{""}));
  EXPECT_EQ(cells(parse("a|b\n1|2\n").column("b")), (Texts{"2"}));
  EXPECT_EQ(cells(parse("\"a;b\",c\n1,2\n").column("a;b")), (Texts{"1"}));
}

TEST(Csv, AnUnnamedColumnIsCalledByItsPlace) {
  EXPECT_EQ(cells(parse(",a\n0,5\n1,6\n").column("column_1")), (Texts{"0", "1"}));
}

TEST(Csv, AMissingWordInQuotesIsACategoryButNoNumber) {
  EXPECT_EQ(cells(parse("country,n\n\"NA\",\"NA\"\nDE,1\nNA,2\n\"\",3\n").column("country")),
            (Texts{"NA", "DE", "", ""}));
  EXPECT_EQ(parse("n,m\n\"NA\",1\n\"5\",1\n").column("n").type(), ColumnType::integer);
}

TEST(Csv, ASchemaOverrulesTheInference) {
  const Schema schema = parse_schema(
      R"({"columns": {"month": "categorical", "age": "numeric", "day": "date", "ok": "boolean"}})",
      "s.json");
  const ReadOptions options{.schema = &schema};
  const Table table =
      parse_csv("month,age,day,ok\n01,1,2013-01-01,1\n2,2,NA,0\n", "t.csv", options);
  EXPECT_EQ(table.column("month").categories(), (Categories{"01", "2"}));
  EXPECT_EQ(table.column("age").type(), ColumnType::numeric);
  EXPECT_EQ(table.column("day").time_unit(), TimeUnit::days);
  EXPECT_EQ(cells(table.column("ok")), (Texts{"true", "false"}));
}

TEST(Csv, WhatAModelExpectsDecidesHowItsColumnsAreRead) {
  const Schema expected = parse_schema(
      R"({"columns": {"month": "categorical", "count": "integer", "flag": "boolean"}})", "model");
  const ReadOptions options{.expected = &expected};
  const Table table =
      parse_csv("month,count,flag,other\n1,2.5,1,x\n2,007,true,y\n", "t.csv", options);
  EXPECT_EQ(table.column("month").categories(), (Categories{"1", "2"}));
  EXPECT_EQ(numbers(table.column("count")), (std::vector<double>{2.5, 7}));
  EXPECT_EQ(numbers(table.column("flag")), (std::vector<double>{1, 1}));
}

TEST(Csv, ATimeIsItsDayForAModelOfDates) {
  const Schema expected = parse_schema(R"({"columns": {"d": "date"}})", "model");
  const Table table = parse_csv("d\n1969-12-31T23:00:00\n1970-01-02 00:00\n1970-01-01\n", "t.csv",
                                {.expected = &expected});
  EXPECT_EQ(numbers(table.column("d")), (std::vector<double>{-1, 1, 0}));
}

TEST(Csv, SurprisesAreToldToTheObserver) {
  std::string text = "age,id\n";
  for (int i = 0; i < 2000; ++i) text += "5,9007199254740993\n";
  Warnings warnings;
  const ReadOptions options{.observer = &warnings};
  parse_csv(text + "unknown,1\n", "t.csv", options);
  ASSERT_EQ(warnings.texts.size(), 2U);
  EXPECT_EQ(warnings.texts[0],
            "t.csv, line 2002, column 'age': 'unknown' is not an integer, so that the whole column "
            "is read as categories; a schema decides otherwise");
  EXPECT_EQ(warnings.texts[1],
            "column 'id' has integers beyond 2^53 and is read as categories; a schema decides "
            "otherwise");
}

TEST(CsvText, ReadsBackToTheSameTable) {
  const Table table({numeric_column("x,1", {0.1, NAN, -1e-300}),
                     integer_column("i", {1, kMissingInteger, 9007199254740992}),
                     boolean_column("b", {1, 0, 255}),
                     categorical_column("c", {0, 1, -1}, {"NA", " a\"b,\n"}),
                     integer_column("d", {0, -1, 15706}).with_time_unit(TimeUnit::days)});
  const std::string text = csv_text(table);
  EXPECT_EQ(text,
            "\"x,1\",i,b,c,d\n"
            "0.1,1,true,\"NA\",1970-01-01\n"
            ",,false,\" a\"\"b,\n\",1969-12-31\n"
            "-1e-300,9007199254740992,,,2013-01-01\n");
  const Table again = parse(text);
  for (const auto& column : table.columns()) {
    EXPECT_EQ(cells(again.column(column.name())), cells(column)) << column.name();
    EXPECT_EQ(again.column(column.name()).type(), column.type()) << column.name();
  }
}

TEST(CsvText, AMissingCellInTheOnlyColumnIsNoBlankLine) {
  const Table table({numeric_column("x", {1, NAN, 2})});
  EXPECT_EQ(csv_text(table), "x\n1\n\"\"\n2\n");
  EXPECT_EQ(parse(csv_text(table)).rows(), 3);
}

}  // namespace
}  // namespace gradatim::data
