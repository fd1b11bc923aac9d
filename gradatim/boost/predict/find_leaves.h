// The leaf of each row of a strip, and the sum of what leaves say.
#pragma once

#include <cstdint>

#include "gradatim/boost/predict/tree_code.h"

namespace gradatim::boost {

/// leaf[i] = number of row i's leaf.  // planes: bytes [planes][kStrip] at 64 n, leaf: [kStrip]
void find_leaves(const TreeCode& tree, const std::int8_t* planes, std::uint8_t* leaf);

/// sum[i] += the value of row i's leaf.  // [kStrip]
void add_leaves(const TreeCode& tree, const std::uint8_t* leaf, double* sum);

/// The same of a tree with several outputs.  // [kStrip][stride]
void add_vectors(const TreeCode& tree, const std::uint8_t* leaf, double* sum);

}  // namespace gradatim::boost
