// Products of small matrices on the thread that asks, and the layout that perceptrons compute in: a
// block of rows with its features outside, [features, kBlock], so that weights are read as they lie
// in memory and every sum has a register of its own.
#pragma once

#include <cstdint>

namespace gradatim::neural::kernel {

/// Rows of a block. Places behind the last row are computed, too, and mean nothing.
constexpr std::int64_t kBlock = 64;

/// The left factor: element (j, k) is data[j * row + k * column].
struct Left {
  const float* data;
  std::int64_t row, column;
};
/// A matrix whose rows are contiguous, `row` numbers apart.
template <class T>
struct Rows {
  T* data;
  std::int64_t row;
};
struct Sizes {
  std::int64_t rows, inner, columns;
};
/// What sums begin with: 0 or what is there, and a number a row where there is a bias.
struct Start {
  bool there = false;
  const float* bias = nullptr;
};

/// c [rows, columns] = start + a [rows, inner] b [inner, columns]. Each sum runs over `inner` in
/// order, so it does not depend on what else is computed beside it.
void product(const Sizes& sizes, Left a, Rows<const float> b, Rows<float> c, Start start);

/// to [width, height] = from [height, width] transposed.
void transpose(std::int64_t height, std::int64_t width, Rows<const float> from, Rows<float> to);

}  // namespace gradatim::neural::kernel
