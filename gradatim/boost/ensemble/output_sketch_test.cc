#include "gradatim/boost/ensemble/output_sketch.h"

#include <gtest/gtest.h>

#include "gradatim/boost/testing.h"

namespace gradatim::boost {
namespace {

using namespace testing;

// Three rows of four outputs; sums of squares 14, 50, 0, 3.
const std::vector<float> kG = {1, 2, 3, 3, 4, 5, 0, 0, 0, 1, -1, 1};
const std::vector<float> kH = {1, 1, 1, 2, 2, 2, 3, 3, 3, 6, 6, 6};

SketchInput input() { return {kG, kH, {}, 3, 4}; }

OutputSketch sketch_of(SketchMethod method, int outputs, std::uint32_t round = 0) {
  OutputSketch sketch({outputs, method}, 4);
  sketch.make(input(), 7, round);
  return sketch;
}

std::vector<float> copy(std::span<const float> values) { return {values.begin(), values.end()}; }

TEST(OutputSketch, IsMadeWhereItIsAskedForOrOutputsAreMany) {
  EXPECT_FALSE(OutputSketch({.outputs = 0}, 1000).on());
  EXPECT_FALSE(OutputSketch({.outputs = -1}, 64).on());
  EXPECT_TRUE(OutputSketch({.outputs = -1}, 65).on());
  EXPECT_EQ(OutputSketch({.outputs = 5}, 6).outputs(), 5);
  EXPECT_FALSE(OutputSketch({.outputs = 5}, 5).on());
}

TEST(OutputSketch, TopOutputsAreThoseOfTheLargestSquares) {
  const auto squares = sums_of_squares(input());
  EXPECT_EQ(squares[0] / squares[3], 14.0 / 3.0);
  EXPECT_EQ(squares[1] / squares[3], 50.0 / 3.0);
  EXPECT_EQ(squares[2], 0.0);
  const auto sketch = sketch_of(SketchMethod::top_outputs, 2);
  EXPECT_EQ(copy(sketch.g(0)), (std::vector<float>{3, 4, 5}));
  EXPECT_EQ(copy(sketch.h(0)), (std::vector<float>{2, 2, 2}));
  EXPECT_EQ(copy(sketch.g(1)), (std::vector<float>{1, 2, 3}));
  EXPECT_EQ(copy(sketch.h(1)), (std::vector<float>{1, 1, 1}));
}

TEST(OutputSketch, WeightsCountInTheLargestSquares) {
  const std::vector<float> weight = {0, 0, 4};
  SketchInput weighted = input();
  weighted.weight = weight;
  const auto squares = sums_of_squares(weighted);  // 9, 25, 0, 1
  EXPECT_EQ(squares[1] / squares[3], 25.0);
}

TEST(OutputSketch, AProjectionAddsEveryOutputWithASign) {
  const auto sketch = sketch_of(SketchMethod::random_projection, 3);
  for (int j = 0; j < 3; ++j) {
    // Row 1 is 2, 4, 0, -1, whose sums with signs are odd.
    const double sum = double{sketch.g(j)[1]} * std::sqrt(3.0);
    EXPECT_NEAR(std::abs(std::remainder(sum, 2.0)), 1.0, 1e-5);
    EXPECT_LE(std::abs(sum), 7.00001);
    EXPECT_EQ(copy(sketch.h(j)), (std::vector<float>{3, 3, 3})) << "the mean of 1, 2, 3, 6";
  }
}

// What a split is worth is a sum of squares of sums; the sketch keeps its mean.
TEST(OutputSketch, RandomSketchesKeepSumsOfSquaresInTheMean) {
  const double expected = 6.0 * 6.0 + 12.0 * 12.0 + 0.0 + 1.0;
  for (const auto method : {SketchMethod::random_projection, SketchMethod::random_sampling}) {
    double mean = 0.0;
    constexpr int kRounds = 4000;
    for (std::uint32_t round = 0; round < kRounds; ++round) {
      const auto sketch = sketch_of(method, 2, round);
      for (int j = 0; j < 2; ++j) {
        const double sum = double{sketch.g(j)[0]} + sketch.g(j)[1] + sketch.g(j)[2];
        mean += sum * sum / kRounds;
      }
    }
    EXPECT_NEAR(mean, expected, 0.04 * expected);
  }
}

TEST(OutputSketch, GradientsThatAreAllZeroAreSketchedAsZeros) {
  const std::vector<float> zeros(12);
  for (const auto method : {SketchMethod::top_outputs, SketchMethod::random_sampling}) {
    OutputSketch sketch({2, method}, 4);
    sketch.make({zeros, kH, {}, 3, 4}, 7, 0);
    EXPECT_EQ(copy(sketch.g(1)), std::vector<float>(3));
  }
}

TEST(OutputSketch, DrawsAreFunctionsOfSeedAndRound) {
  for (const auto method : {SketchMethod::random_projection, SketchMethod::random_sampling}) {
    EXPECT_EQ(copy(sketch_of(method, 3, 5).g(2)), copy(sketch_of(method, 3, 5).g(2)));
    int others = 0;
    for (std::uint32_t round = 0; round < 100; ++round) {
      others += copy(sketch_of(method, 3, round).g(2)) != copy(sketch_of(method, 3, 5).g(2));
    }
    EXPECT_GT(others, 10);
  }
}

}  // namespace
}  // namespace gradatim::boost
