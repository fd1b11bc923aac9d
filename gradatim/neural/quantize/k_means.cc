#include "gradatim/neural/quantize/k_means.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

#include "gradatim/neural/quantize/codebook_function.h"
#include "gradatim/neural/size.h"

namespace gradatim::neural {
namespace {

constexpr std::int64_t kVectorsOfAMean = 64;  // that are enough to find it

Tensor enough(const Tensor& z, std::int64_t codes) {
  const std::int64_t step = std::max<std::int64_t>(1, z.size(0) / (kVectorsOfAMean * codes));
  return z.slice(0, 0, z.size(0), step).contiguous();
}

// Draws a vector by its squared distance; by its number alone where all are 0.
std::int64_t drawn_by(const std::vector<float>& square, double uniform) {
  double all = 0.0;
  for (const float each : square) all += double{each};
  const auto count = std::ssize(square);
  if (!(all > 0.0)) return std::min(count - 1, static_cast<std::int64_t>(uniform * double(count)));
  double left = uniform * all;
  std::int64_t chosen = 0;
  for (std::int64_t k = 0; k < count; ++k) {
    if (square[to_size(k)] == 0.0F) continue;
    chosen = k;
    left -= double{square[to_size(k)]};
    if (left < 0.0) break;
  }
  return chosen;
}

// As many sums as fill vectors.
float square_off(const float* a, const float* b, std::int64_t dims) {
  constexpr std::int64_t kLanes = 8;
  float sums[kLanes] = {};
  std::int64_t i = 0;
  for (; i + kLanes <= dims; i += kLanes) {
    for (std::int64_t j = 0; j < kLanes; ++j) {
      sums[j] += (a[i + j] - b[i + j]) * (a[i + j] - b[i + j]);
    }
  }
  for (; i < dims; ++i) sums[i % kLanes] += (a[i] - b[i]) * (a[i] - b[i]);
  return std::accumulate(std::begin(sums), std::end(sums), 0.0F);
}

Tensor seeds(const Tensor& z, std::int64_t codes, const Philox& draws) {
  const std::int64_t count = z.size(0), dims = z.size(1);
  const Tensor made = at::empty({codes, dims}, z.options());
  std::vector<float> square(to_size(count), std::numeric_limits<float>::max());
  const float* const from = z.const_data_ptr<float>();
  for (std::int64_t k = 0; k < codes; ++k) {
    const double uniform = draws.uniform(static_cast<std::uint64_t>(k));
    const std::int64_t chosen =
        k == 0 ? static_cast<std::int64_t>(uniform * static_cast<double>(count))
               : drawn_by(square, uniform);
    const float* const seed = from + chosen * dims;
    std::copy_n(seed, dims, made.data_ptr<float>() + k * dims);
    at::parallel_for(0, count, 512, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        const float* const each = from + row * dims;
        square[to_size(row)] = std::min(square[to_size(row)], square_off(each, seed, dims));
      }
    });
  }
  return made;
}

}  // namespace

Means k_means(const Tensor& z, std::int64_t codes, std::int64_t iterations, const Philox& draws) {
  const Tensor some = enough(z, codes);
  Tensor means = seeds(some, codes, draws), count;
  for (std::int64_t k = 0; k <= iterations; ++k) {
    const Tensor of = nearest_codes(some, means);
    count = at::bincount(of, {}, codes).to(at::kDouble);
    if (k == iterations) break;
    const Tensor sums = at::zeros_like(means);
    add_by_code(some, of, sums);
    const Tensor size = count.unsqueeze(1).to(at::kFloat);
    means = at::where(size > 0, sums / size, means);
  }
  return {means, count / static_cast<double>(some.size(0))};
}

}  // namespace gradatim::neural
