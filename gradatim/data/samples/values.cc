#include "gradatim/data/samples/values.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "gradatim/core/error.h"

namespace gradatim::data {

std::vector<double> values_of(const Samples& samples, std::span<const std::int64_t> shape,
                              std::string_view whose) {
  GRADATIM_CHECK(std::ranges::equal(samples.shape, shape), DataError, 2090,
                 "{} have shape [{}] and the model's [{}]", whose, fmt::join(samples.shape, ", "),
                 fmt::join(shape, ", "));
  if (samples.bytes.empty()) return {samples.numbers.begin(), samples.numbers.end()};
  return {samples.bytes.begin(), samples.bytes.end()};
}

}  // namespace gradatim::data
