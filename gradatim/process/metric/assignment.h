// The assignment of least cost.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gradatim/process/metric/cost_rows.h"

namespace gradatim::process {

/// One column a row, and the proof that none is better: row_price[i] + column_price[j] is at most
/// the cost of i and j (but for rounding), and equal to it where i has j.
struct Assignment {
  std::vector<std::int32_t> column;
  std::vector<double> row_price, column_price;
};

/// The assignment of least total cost; NumericError GRD-4026 where costs are not finite. O(n^3) at
/// worst, by shortest augmenting paths: Jonker and Volgenant (1987), A shortest augmenting path
/// algorithm for dense and sparse linear assignment problems. Of several, always the same one for
/// the same costs.
Assignment assign(const CostRows& cost);

}  // namespace gradatim::process
