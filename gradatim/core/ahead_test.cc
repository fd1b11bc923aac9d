#include "gradatim/core/ahead.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace gradatim {
namespace {

TEST(Ahead, ItemsComeInOrder) {
  Ahead<std::int64_t> ahead([](std::int64_t k) { return k * k; }, 3, 1000);
  for (std::int64_t k = 3; k < 1000; ++k) ASSERT_EQ(ahead.next(), k * k);
}

TEST(Ahead, AnErrorIsThrownInPlaceOfItsItem) {
  Ahead<std::int64_t> ahead(
      [](std::int64_t k) {
        if (k == 2) throw std::runtime_error("two");
        return k;
      },
      0, 10);
  EXPECT_EQ(ahead.next(), 0);
  EXPECT_EQ(ahead.next(), 1);
  EXPECT_THROW(ahead.next(), std::runtime_error);
}

TEST(Ahead, EndsBeforeAllItemsAreTaken) {
  Ahead<int> one([](std::int64_t) { return 1; }, 0, 1 << 30);
  EXPECT_EQ(one.next(), 1);
  const Ahead<int> none([](std::int64_t) { return 1; }, 0, 1 << 30);
}

TEST(Ahead, WhatItMakesRunsSerially) {
  Ahead<int> ahead([](std::int64_t) { return current_threads(); }, 0, 1);
  EXPECT_EQ(ahead.next(), 1);
}

}  // namespace
}  // namespace gradatim
