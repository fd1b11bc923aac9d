#include "gradatim/process/block_means.h"

#include <gtest/gtest.h>

#include <cmath>

#include "gradatim/process/testing.h"

namespace gradatim::process {
namespace {

using namespace testing;

constexpr std::int64_t kShape[] = {2, 5, 4};
constexpr std::size_t kSize = 40;

std::vector<double> image(double phase) {
  std::vector<double> x(kSize);
  for (std::size_t k = 0; k < kSize; ++k) x[k] = std::sin(0.7 * static_cast<double>(k) + phase);
  return x;
}

// By its definition; rows of 5 pixels in 3 blocks are 2, 2 and 1, columns of 4 in 3 blocks 2, 1, 1.
double energy(const std::vector<double>& x, const std::vector<double>& reference) {
  const std::vector<std::size_t> rows = {0, 0, 1, 1, 2}, columns = {0, 0, 1, 2};
  double sum = 0.0;
  for (std::size_t channel = 0; channel < 2; ++channel) {
    for (std::size_t block = 0; block < 9; ++block) {
      double apart = 0.0, pixels = 0.0;
      for (std::size_t k = 0; k < 20; ++k) {
        if (rows[k / 4] != block / 3 || columns[k % 4] != block % 3) continue;
        apart += x[channel * 20 + k] - reference[channel * 20 + k];
        pixels += 1.0;
      }
      sum -= 0.5 * apart * apart / (pixels * pixels);
    }
  }
  return sum;
}

TEST(BlockMeans, ItsGradientIsThatOfTheDistanceToTheReferenceOfTheRow) {
  const auto first = image(0.0), second = image(2.0);
  auto references = first;
  references.insert(references.end(), second.begin(), second.end());
  const auto means = block_means(kShape, 3, references);
  auto x = image(0.5);
  const auto more = image(1.1);
  x.insert(x.end(), more.begin(), more.end());
  Ask ask(x, kSize, 0.0);
  const std::vector<std::int64_t> rows = {4, 7};  // of the sampling: references 0 and 1
  const auto found = ask.out(means->gradient(ask.space, ask.query.x, rows));
  for (std::size_t k = 0; k < x.size(); ++k) {
    const bool other = k >= kSize;
    const auto& reference = other ? second : first;
    std::vector<double> up(x.begin() + (other ? kSize : 0), x.begin() + (other ? 2 : 1) * kSize);
    auto down = up;
    up[k % kSize] += 1e-4;
    down[k % kSize] -= 1e-4;
    EXPECT_NEAR(found[k], (energy(up, reference) - energy(down, reference)) / 2e-4, 1e-9) << k;
  }
}

TEST(BlockMeans, WhatMatchesIsNotPulled) {
  const auto means = block_means(kShape, 2, image(0.3));
  Ask ask(image(0.3), kSize, 0.0);
  for (const double g : ask.out(means->gradient(ask.space, ask.query.x, ask.rows))) {
    EXPECT_NEAR(g, 0.0, 1e-15);
  }
}

TEST(BlockMeans, RowsAndTooManyBlocksAreRefused) {
  const std::int64_t rows[] = {40};
  EXPECT_EQ(code_of([&] { block_means(rows, 1, image(0.0)); }), 1174);
  EXPECT_EQ(code_of([&] { block_means(kShape, 5, image(0.0)); }), 1174);
}

}  // namespace
}  // namespace gradatim::process
