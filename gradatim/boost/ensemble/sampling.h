// Which rows and features a member sees: pure functions of (seed, round).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gradatim/dist/shard.h"

namespace gradatim::boost {

/// Rows whose draw is below `share`, ascending; all of them for a share of 1, never none of all
/// ranks' rows.
std::vector<std::uint32_t> sample_rows(std::int64_t rows, double share, std::uint64_t seed,
                                       std::uint32_t round, const dist::Shard& shard = {});
/// max(1, round(share * features)) features, ascending; by `weight` where it is not empty.
std::vector<std::int32_t> sample_features(std::int32_t features, double share, std::uint64_t seed,
                                          std::uint32_t draw, std::span<const double> weight = {});

}  // namespace gradatim::boost
