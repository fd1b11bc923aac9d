#include "gradatim/neural/nn/kernel/nearest.h"

#include <gtest/gtest.h>

#include <vector>

#include "gradatim/core/philox.h"
#include "gradatim/neural/size.h"

namespace gradatim::neural::kernel {
namespace {

std::vector<float> drawn(std::int64_t count, std::uint32_t of) {
  const Philox draws(4, Stream::data, of);
  std::vector<float> made;
  for (std::int64_t k = 0; k < count; ++k) {
    made.push_back(static_cast<float>(2.0 * draws.uniform(static_cast<std::uint64_t>(k)) - 1.0));
  }
  return made;
}

struct Codes {
  std::int64_t count, dims;
  std::vector<float> numbers, half_square = std::vector<float>(to_size(count));

  Codes(std::int64_t count_of, std::int64_t dims_of)
      : count(count_of), dims(dims_of), numbers(drawn(count * dims, 1)) {
    for (std::size_t k = 0; k < numbers.size(); ++k) {
      half_square[k / to_size(dims)] += 0.5F * numbers[k] * numbers[k];
    }
  }
  CodeTable table() const { return {numbers.data(), half_square.data(), count, dims}; }
  double square_off(std::int64_t code, const float* z) const {
    double sum = 0.0;
    for (std::int64_t i = 0; i < dims; ++i) {
      const double off = double{z[i]} - double{numbers[to_size(code * dims + i)]};
      sum += off * off;
    }
    return sum;
  }
};

std::vector<std::int64_t> found(const CodeTable& table, const float* z, std::int64_t rows) {
  std::vector<float> turned(to_size(table.dims * kBlock), 7.0F);
  std::vector<std::int64_t> codes(to_size(rows));
  nearest(table, z, rows, turned.data(), codes.data());
  return codes;
}

TEST(NearestKernel, FindsTheLeastDistanceAtEveryEdge) {
  for (const std::int64_t count : {1, 2, 5, 6, 12, 13, 31, 40}) {
    for (const std::int64_t dims : {1, 3, 8, 17}) {
      const Codes codes(count, dims);
      for (const std::int64_t rows : {1, 3, 63, 64}) {
        const auto z = drawn(rows * dims, 2);
        const auto all = found(codes.table(), z.data(), rows);
        for (std::int64_t row = 0; row < rows; ++row) {
          const float* const one = z.data() + row * dims;
          const double least = codes.square_off(all[to_size(row)], one);
          for (std::int64_t k = 0; k < count; ++k) {
            EXPECT_LT(least, codes.square_off(k, one) + 1e-5) << count << " codes, " << dims;
          }
          EXPECT_EQ(found(codes.table(), one, 1).front(), all[to_size(row)]);
        }
      }
    }
  }
}

TEST(NearestKernel, TakesTheFirstOfEqualCodes) {
  for (const std::int64_t count : {2, 9, 25, 50}) {
    Codes codes(count, 3);
    const std::int64_t twin = count / 2;
    for (std::int64_t k = twin; k < count; ++k) {
      std::copy_n(codes.numbers.begin() + twin * 3, 3, codes.numbers.begin() + k * 3);
      codes.half_square[to_size(k)] = codes.half_square[to_size(twin)];
    }
    EXPECT_EQ(found(codes.table(), codes.numbers.data() + twin * 3, 1).front(), twin);
  }
}

TEST(NearestKernel, GathersPullsAndPushesAsWrittenOut) {
  const std::int64_t rows = 7, dims = 19;
  const Codes codes(5, dims);
  const auto z = drawn(rows * dims, 2), by = drawn(rows * dims, 3);
  const auto of = found(codes.table(), z.data(), rows);
  std::vector<float> vectors(z.size()), by_z(z.size()), by_codes(to_size(5 * dims), 1.0F),
      sums(to_size(5 * dims), 1.0F), expected_codes = by_codes, expected_sums = sums;
  double squares = 0.0;
  for (std::int64_t row = 0; row < rows; ++row)
    squares += codes.square_off(of[to_size(row)], &z[to_size(row * dims)]);
  EXPECT_NEAR(gather(codes.table(), z.data(), rows, of.data(), vectors.data()), squares, 1e-4);
  pull(codes.table(), z.data(), rows, of.data(), 0.5F, by.data(), by_z.data());
  for (const auto& [first, last] : {std::pair<std::int64_t, std::int64_t>{0, 16}, {16, dims}}) {
    push(codes.table(), z.data(), rows, of.data(), 0.5F, first, last, by_codes.data());
    add_by_code(z.data(), rows, dims, of.data(), first, last, sums.data());
  }
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t i = 0; i < dims; ++i) {
      const auto at = to_size(row * dims + i), code = to_size(of[to_size(row)] * dims + i);
      EXPECT_EQ(vectors[at], codes.numbers[code]);
      EXPECT_NEAR(by_z[at], by[at] + 0.5F * (z[at] - codes.numbers[code]), 1e-6);
      expected_codes[code] += 0.5F * (codes.numbers[code] - z[at]);
      expected_sums[code] += z[at];
    }
  }
  for (std::size_t k = 0; k < sums.size(); ++k) {
    EXPECT_NEAR(by_codes[k], expected_codes[k], 1e-5);
    EXPECT_NEAR(sums[k], expected_sums[k], 1e-5);
  }
}

}  // namespace
}  // namespace gradatim::neural::kernel
