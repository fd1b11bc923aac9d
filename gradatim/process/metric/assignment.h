// The assignment of least cost.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace gradatim::process {

/// The column of each row of `cost` [n, n] in a one-to-one assignment of least total cost (finite).
/// O(n^3), by shortest augmenting paths: Jonker and Volgenant (1987), A shortest augmenting path
/// algorithm for dense and sparse linear assignment problems.
std::vector<std::int64_t> assign(std::span<const double> cost, std::int64_t n);

}  // namespace gradatim::process
