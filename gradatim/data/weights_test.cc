#include "gradatim/data/weights.h"

#include <gtest/gtest.h>

#include "gradatim/data/testing.h"

namespace gradatim::data {
namespace {

using namespace testing;

Table weighted(std::vector<double> weight) {
  return Table({numeric_column("w", std::move(weight))});
}

TEST(Weights, WhatFloat32RoundsToZeroIsZero) {
  const Table table = weighted({1e-60, 2.0, 0.0, 1e-40, -0.0});
  EXPECT_EQ(weighing_rows(table, "w"), (std::vector<std::int64_t>{1, 3}));
  EXPECT_EQ(drop_weightless(table, "w").rows(), 2);
  EXPECT_EQ(weighing_rows(table, "").size(), 5U) << "no weights";
  EXPECT_EQ(error_of([] {
              weighing_rows(weighted({0.0, 1e-60}), "w");
            }),
            "column 'w': every weight is zero, so no row is left (GRD-2023)");
}

}  // namespace
}  // namespace gradatim::data
