#include "gradatim/data/dictionary.h"

#include <gtest/gtest.h>

#include <string>

namespace gradatim::data {
namespace {

TEST(Dictionary, NumbersWordsInOrderOfAppearance) {
  Dictionary words;
  EXPECT_EQ(words.find("b"), -1);
  EXPECT_EQ(words.code("b"), 0);
  EXPECT_EQ(words.code(""), 1);
  EXPECT_EQ(words.code("b"), 0);
  EXPECT_EQ(words.find(""), 1);
  EXPECT_EQ(words.find("c"), -1);
  EXPECT_EQ(words.take(), (Categories{"b", ""}));
  EXPECT_EQ(words.find("b"), -1) << "empty after take";
}

TEST(Dictionary, KeepsManyWordsApart) {
  Dictionary words;
  for (int pass = 0; pass < 2; ++pass) {
    for (int i = 0; i < 100'000; ++i) ASSERT_EQ(words.code("N" + std::to_string(i)), i);
  }
  EXPECT_EQ(words.words().size(), 100'000U);
  EXPECT_EQ(Dictionary(Categories{"x", "y"}).find("y"), 1);
}

}  // namespace
}  // namespace gradatim::data
