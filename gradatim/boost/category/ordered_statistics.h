// Ordered target statistics: what the rows before a row say about its category.
//
//   s_i = (sum_j w_j y_j + a m) / (sum_j w_j + a)   over the rows j of i's category in earlier
//                                                   blocks,
//
// with m the mean of y over all rows of earlier blocks and a the weight of this prior
// (Prokhorenkova and others 2018, section 3.2). So s_i depends on no target of its own block or of
// a later one; rows of the first block have nothing before them and are missing. Predictions take
// the sums over all rows. Not the mean without the own row, which tells the row's target.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gradatim/boost/category/blocked_target.h"

namespace gradatim::boost {

/// Categories as codes in [0, cells) in the order of the target's rows; -1 is one of its own that
/// counts for the mean alone.
struct BlockedCodes {
  std::vector<std::int32_t> code;
  std::int64_t cells = 0;
};

/// The statistic of each row.  // [lanes][rows], in the order of the target's rows
std::vector<double> ordered_values(const BlockedTarget& target, const BlockedCodes& codes,
                                   double prior_weight);

/// The statistic of each category over all rows, and last the mean.  // [cells + 1][lanes]
std::vector<double> statistic_table(const BlockedTarget& target, const BlockedCodes& codes,
                                    double prior_weight);

/// The share of the target's variance about the mean so far that the ordered statistic explains,
/// on average over the lanes: below 0 where it is worse than the mean.
double explained(const BlockedTarget& target, const BlockedCodes& codes, double prior_weight);

}  // namespace gradatim::boost
