#include "gradatim/neural/nn/kernel/product.h"

#include <gtest/gtest.h>

#include <vector>

#include "gradatim/neural/size.h"

namespace gradatim::neural::kernel {
namespace {

std::vector<float> whole_numbers(std::int64_t count) {
  std::vector<float> made;
  for (std::int64_t k = 0; k < count; ++k) made.push_back(static_cast<float>(k * 7 % 11 - 5));
  return made;
}

// Whole numbers are exact in any order, so sums must be equal.
void expect_product(const Sizes& sizes, bool transposed, bool there, bool biased) {
  const auto [rows, inner, columns] = sizes;
  const auto a = whole_numbers(rows * inner), b = whole_numbers(inner * columns),
             bias = whole_numbers(rows);
  auto c = whole_numbers(rows * columns), expected = c;
  const Left left = transposed ? Left{a.data(), 1, rows} : Left{a.data(), inner, 1};
  for (std::int64_t j = 0; j < rows; ++j) {
    for (std::int64_t i = 0; i < columns; ++i) {
      float& sum = expected[to_size(j * columns + i)];
      sum = (there ? sum : 0.0F) + (biased ? bias[to_size(j)] : 0.0F);
      for (std::int64_t k = 0; k < inner; ++k) {
        sum += left.data[j * left.row + k * left.column] * b[to_size(k * columns + i)];
      }
    }
  }
  product(sizes, left, {b.data(), columns}, {c.data(), columns},
          {there, biased ? bias.data() : nullptr});
  EXPECT_EQ(c, expected) << rows << " x " << inner << " x " << columns;
}

TEST(Product, IsTheSumOfProductsAtEveryEdge) {
  for (const std::int64_t rows : {1, 2, 7, 12, 13, 30}) {
    for (const std::int64_t columns : {1, 3, 4, 15, 16, 33, 64, 71}) {
      expect_product({rows, 5, columns}, false, false, true);
      expect_product({rows, 3, columns}, true, true, false);
      expect_product({rows, 1, columns}, false, true, true);
    }
  }
}

TEST(Transpose, LaysRowsAsColumns) {
  for (const std::int64_t height : {1, 4, 7, 64}) {
    for (const std::int64_t width : {1, 3, 4, 10, 64}) {
      const auto from = whole_numbers(height * width);
      std::vector<float> to(from.size());
      transpose(height, width, {from.data(), width}, {to.data(), height});
      for (std::int64_t i = 0; i < height; ++i) {
        for (std::int64_t k = 0; k < width; ++k) {
          EXPECT_EQ(to[to_size(k * height + i)], from[to_size(i * width + k)]);
        }
      }
    }
  }
}

}  // namespace
}  // namespace gradatim::neural::kernel
