#include "gradatim/data/cell.h"

#include <gtest/gtest.h>

namespace gradatim::data {
namespace {

CellKinds kinds_of(std::initializer_list<const char*> texts) {
  CellKinds kinds = 0;
  for (const char* text : texts) kinds = static_cast<CellKinds>(kinds | CellKinds(cell_kind(text)));
  return kinds;
}

CellType type_of(std::initializer_list<const char*> texts) {
  return narrowest_type(kinds_of(texts));
}

TEST(CellKind, KnowsWhatAPersonWouldSee) {
  for (const char* text : {"", "NA", "NaN", "nan", "null", "NULL", "None", "N/A", "?"}) {
    EXPECT_EQ(cell_kind(text), CellKind::missing) << text;
  }
  for (const char* text : {"true", "FALSE", "True"}) {
    EXPECT_EQ(cell_kind(text), CellKind::boolean) << text;
  }
  for (const char* text : {"0", "-7", "+7", "9007199254740992"}) {
    EXPECT_EQ(cell_kind(text), CellKind::integer) << text;
  }
  for (const char* text : {"9007199254740993", "123456789012345678901234567890"}) {
    EXPECT_EQ(cell_kind(text), CellKind::big_integer) << text;
  }
  for (const char* text : {"1.5", ".5", "5.", "1e3", "-1E-3", "inf", "-Infinity", "0.5"}) {
    EXPECT_EQ(cell_kind(text), CellKind::decimal) << text;
  }
  EXPECT_EQ(cell_kind("007"), CellKind::code);
  EXPECT_EQ(cell_kind("2013-01-31"), CellKind::date);
  EXPECT_EQ(cell_kind("2013-01-31T05:00:00Z"), CellKind::timestamp);
  for (const char* text : {"abc", "0x1", "1,5", "1 2", "-", "+", ".", "e5", "infinite", "nan(1)"}) {
    EXPECT_EQ(cell_kind(text), CellKind::word) << text;
  }
}

TEST(NarrowestType, HoldsEveryCell) {
  EXPECT_EQ(type_of({}), (CellType{ColumnType::numeric}));
  EXPECT_EQ(type_of({"true", "", "false"}), (CellType{ColumnType::boolean}));
  EXPECT_EQ(type_of({"1", "NA"}), (CellType{ColumnType::integer}));
  EXPECT_EQ(type_of({"1", "1.5"}), (CellType{ColumnType::numeric}));
  EXPECT_EQ(type_of({"1", "1e300", "9007199254740993"}), (CellType{ColumnType::numeric}));
  EXPECT_EQ(type_of({"2013-01-01"}), (CellType{ColumnType::integer, TimeUnit::days}));
  EXPECT_EQ(type_of({"2013-01-01", "2013-01-01 05:00"}),
            (CellType{ColumnType::integer, TimeUnit::microseconds}));
}

TEST(NarrowestType, WhatDoesNotFitTogetherIsCategorical) {
  const CellType categorical{ColumnType::categorical};
  EXPECT_EQ(type_of({"1", "007"}), categorical) << "a code keeps its zeros";
  EXPECT_EQ(type_of({"1", "9007199254740993"}), categorical) << "an identifier keeps its digits";
  EXPECT_EQ(type_of({"1", "true"}), categorical);
  EXPECT_EQ(type_of({"1", "2013-01-01"}), categorical);
  EXPECT_EQ(type_of({"1.5", "abc"}), categorical);
}

}  // namespace
}  // namespace gradatim::data
