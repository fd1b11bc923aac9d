#include "gradatim/data/schema.h"

#include <gtest/gtest.h>

#include "gradatim/data/testing.h"

namespace gradatim::data {
namespace {

using namespace testing;

std::string fault(std::string_view json) {
  return error_of([&] { parse_schema(json, "s.json"); });
}

TEST(Schema, APersonsFormNamesTypes) {
  const Schema schema =
      parse_schema(R"({"columns": {"month": "categorical", "t": "timestamp"}})", "s.json");
  ASSERT_EQ(schema.columns.size(), 2U);
  EXPECT_EQ(schema.find("month")->type, ColumnType::categorical);
  EXPECT_EQ(schema.find("month")->categories, nullptr);
  EXPECT_EQ(schema.find("t")->time_unit, TimeUnit::microseconds);
  EXPECT_EQ(schema.find("x"), nullptr);
}

TEST(Schema, AModelsFormKeepsOrderTypesAndCategories) {
  const Table table({categorical_column("zip", {0}, {"b", "\xC3\xBC", "a"}),
                     numeric_column("age", {1}), boolean_column("ok", {1}),
                     integer_column("day", {1}).with_time_unit(TimeUnit::days)});
  const std::string json = schema_json(schema_of(table));
  EXPECT_EQ(json, R"({"columns":[{"name":"zip","type":"categorical","categories":["b","ü","a"]},)"
                  R"({"name":"age","type":"numeric"},{"name":"ok","type":"boolean"},)"
                  R"({"name":"day","type":"date"}]})");
  const Schema again = parse_schema(json, "model");
  EXPECT_EQ(*again.find("zip")->categories, (Categories{"b", "\xC3\xBC", "a"}));
  EXPECT_EQ(schema_json(again), json);
}

TEST(Schema, AMisspeltTypeNamesTheNearest) {
  EXPECT_EQ(fault(R"({"columns": {"a": "categoric"}})"),
            "s.json: column 'a' has the type 'categoric'; use one of numeric, integer, boolean, "
            "categorical, date and timestamp; did you mean 'categorical'? (GRD-2012)");
  EXPECT_EQ(
      fault(R"({"columns": {"a": 5}})"),
      "s.json: column 'a' has the type '5'; use one of numeric, integer, boolean, categorical, "
      "date and timestamp (GRD-2012)");
}

TEST(Schema, WhatIsNoSchemaIsRefused) {
  const std::string form = "; a schema is like {\"columns\": {\"age\": \"numeric\"}} (GRD-2012)";
  EXPECT_EQ(fault("{"), "s.json: not valid JSON" + form);
  EXPECT_EQ(fault("[]"), "s.json: no \"columns\"" + form);
  EXPECT_EQ(fault(R"({"columns": 5})"),
            "s.json: \"columns\" is neither an object nor a list" + form);
  EXPECT_EQ(fault(R"({"columns": [{"name": "a"}]})"),
            "s.json: a column needs a name and a type" + form);
  EXPECT_EQ(fault(R"({"columns": [{"name": "a", "type": "numeric", "categories": []}]})"),
            "s.json: column 'a' is not categorical, but has categories" + form);
  EXPECT_EQ(
      fault(R"({"columns": [{"name": "a", "type": "categorical", "categories": ["x", "x"]}]})"),
      "s.json: categories of 'a' are not distinct words" + form);
  EXPECT_EQ(
      fault(R"({"columns": [{"name": "a", "type": "numeric"}, {"name": "a", "type": "date"}]})"),
      "s.json: column 'a' is listed twice" + form);
}

}  // namespace
}  // namespace gradatim::data
