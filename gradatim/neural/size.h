// Counts of torch are signed, those of the standard library are not.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gradatim::neural {

constexpr std::size_t to_size(std::int64_t count) { return static_cast<std::size_t>(count); }

}  // namespace gradatim::neural
