// The numbers of samples, whatever they are kept as.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "gradatim/data/samples.h"

namespace gradatim::data {

/// [count, shape...]. DataError GRD-2090 where the samples have another shape; `whose` begins the
/// message, as in "the source's samples".
std::vector<double> values_of(const Samples& samples, std::span<const std::int64_t> shape,
                              std::string_view whose);

}  // namespace gradatim::data
