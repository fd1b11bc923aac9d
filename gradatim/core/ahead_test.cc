#include "gradatim/core/ahead.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>

#include "gradatim/core/error.h"

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

TEST(Ahead, AnItemThatNobodyWillTakeEndsAtItsNextCheck) {
  std::atomic<bool> begun = false, given_up = false;
  {
    const Ahead<int> ahead(
        [&](std::int64_t) {
          begun = true;
          try {
            for (int turn = 0; turn < 1 << 28; ++turn) check_interrupt();
          } catch (const Interrupted&) {
            given_up = true;
            throw;
          }
          return 1;
        },
        0, 2);
    while (!begun) std::this_thread::yield();
  }
  EXPECT_TRUE(given_up);
  EXPECT_NO_THROW(check_interrupt());
}

TEST(Ahead, WhatItMakesRunsSerially) {
  Ahead<int> ahead([](std::int64_t) { return current_threads(); }, 0, 1);
  EXPECT_EQ(ahead.next(), 1);
}

}  // namespace
}  // namespace gradatim
