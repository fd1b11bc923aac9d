#include "gradatim/process/coupling.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "gradatim/core/error.h"
#include "gradatim/core/parallel.h"
#include "gradatim/process/metric/squared_distances.h"

namespace gradatim::process {
namespace {

// Beyond it squares of differences would not be float32.
constexpr float kMost = 1e15F;

void check_numbers(std::string_view what, std::span<const float> numbers, std::int64_t rows) {
  const auto bad = std::ranges::find_if(numbers, [](float x) { return !(std::abs(x) <= kMost); });
  GRADATIM_CHECK(bad == numbers.end(), NumericError, 4024,
                 "row {} of the {} to couple has {}, and numbers up to {:g} are asked for; look at "
                 "where it comes from",
                 (bad - numbers.begin()) / (static_cast<std::ptrdiff_t>(numbers.size()) / rows),
                 what, *bad, kMost);
}

void check(const Batch& batch, std::size_t partners) {
  const auto rows = static_cast<std::size_t>(batch.rows);
  const std::size_t size = rows * static_cast<std::size_t>(batch.dims);
  GRADATIM_CHECK(batch.rows > 0 && batch.dims > 0 &&
                     batch.rows <= std::numeric_limits<std::int32_t>::max() &&
                     batch.noise.size() == size && batch.data.size() == size && partners == rows,
                 UsageError, 1155,
                 "a batch of {} rows in {} dimensions has {} numbers of noise, {} of data and room "
                 "for {} partners; give rows times dimensions of both and one partner a row",
                 batch.rows, batch.dims, batch.noise.size(), batch.data.size(), partners);
  GRADATIM_CHECK(
      (batch.labels.empty() || batch.labels.size() == rows) && batch.conditions.size() % rows == 0,
      UsageError, 1155,
      "a batch of {} rows has {} labels and {} numbers of conditions; give one label "
      "and equally many conditions a row, or none",
      batch.rows, batch.labels.size(), batch.conditions.size());
}

}  // namespace

void Coupling::pair(const Batch& batch, std::span<std::int32_t> partner) const {
  check(batch, partner.size());
  check_numbers("noise", batch.noise, batch.rows);
  check_numbers("data", batch.data, batch.rows);
  check_numbers("conditions", batch.conditions, batch.rows);
  choose(batch, partner);
}

std::vector<float> squared_costs(const Batch& batch) {
  const SquaredDistances distances(batch.data.data(), batch.rows, batch.dims);
  const std::int64_t pitch = distances.pitch();
  std::vector<float> cost(static_cast<std::size_t>(batch.rows * batch.rows));
  parallel_for(batch.rows, 64, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> block(static_cast<std::size_t>((end - begin) * pitch));
    distances.rows(batch.noise.data() + begin * batch.dims, end - begin, block.data(), pitch);
    for (std::int64_t i = begin; i < end; ++i) {
      std::copy_n(block.data() + (i - begin) * pitch, batch.rows, cost.data() + i * batch.rows);
    }
  });
  return cost;
}

}  // namespace gradatim::process
