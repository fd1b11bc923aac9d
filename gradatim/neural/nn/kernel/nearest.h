// The nearest of some codes to every vector, and what learning makes of it. Distances never lie in
// memory: a tile of products is compared while it is in registers.
#pragma once

#include <cstdint>

#include "gradatim/neural/nn/kernel/product.h"

namespace gradatim::neural::kernel {

/// Codes as vectors.
struct CodeTable {
  const float* codes;        // [count, dims]
  const float* half_square;  // [count]: |e|^2 / 2
  std::int64_t count, dims;
};

/// The codes of up to kBlock vectors z [rows, dims]: the least |e|^2 / 2 - z e, the first of equal
/// ones. A vector's code does not depend on those beside it. `turned` is room for [dims, kBlock].
void nearest(const CodeTable& table, const float* z, std::int64_t rows, float* turned,
             std::int64_t* codes);

/// Writes the vectors of codes; returns the sum of (z - e)^2.
double gather(const CodeTable& table, const float* z, std::int64_t rows, const std::int64_t* codes,
              float* vectors);

/// by_z = by_vectors + factor (z - e); by_vectors may be null, and means 0 then.
void pull(const CodeTable& table, const float* z, std::int64_t rows, const std::int64_t* codes,
          float factor, const float* by_vectors, float* by_z);

/// Numbers [first, last) of every vector: adds factor (e - z) to the row of its code, vector after
/// vector, so that sums do not depend on threads, which share the numbers.
void push(const CodeTable& table, const float* z, std::int64_t rows, const std::int64_t* codes,
          float factor, std::int64_t first, std::int64_t last, float* by_codes);

/// The same with z instead of factor (e - z); vectors of codes below 0 are left out.
void add_by_code(const float* z, std::int64_t rows, std::int64_t dims, const std::int64_t* codes,
                 std::int64_t first, std::int64_t last, float* sums);

}  // namespace gradatim::neural::kernel
