// The assignment of points to points at the least total distance.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace gradatim::process {

/// The row of b of each row of a (equally many, finite) in a one-to-one assignment of the least sum
/// of |a_i - b_j|^order, order 1 or 2. In up to three dimensions costs are worked out as they are
/// needed, in float64; in more they are kept, in the type of the points.
std::vector<std::int32_t> assign_points(std::span<const double> a, std::span<const double> b,
                                        std::int64_t dims, int order);
/// Of squared distances.
std::vector<std::int32_t> assign_points(std::span<const float> a, std::span<const float> b,
                                        std::int64_t dims);

/// An order of points in which the first 2^k, whatever k, are spread like all of them: leaf by leaf
/// of a tree that halves the widest dimension, then every other half first.
std::vector<std::int32_t> spread_order(std::span<const double> points, std::int64_t dims);
std::vector<std::int32_t> spread_order(std::span<const float> points, std::int64_t dims);

}  // namespace gradatim::process
