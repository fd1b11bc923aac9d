// An array [n, ...] as n samples: which of its axes are what.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <utility>

#include "gradatim/core/error.h"
#include "gradatim/core/text.h"
#include "gradatim/data/samples/parts.h"

namespace gradatim::data {
namespace {

bool is_channels(std::int64_t extent) { return extent == 1 || extent == 3 || extent == 4; }

// Whether an array [n, a, b, c] is [n, height, width, channels], not [n, channels, height, width].
bool channels_last(const NumpyArray& array) {
  const bool first = is_channels(array.shape[1]), last = is_channels(array.shape[3]);
  const std::string_view why = first
                                   ? "both the second and the last axis could be the channels"
                                   : "neither the second nor the last axis has 1, 3 or 4 channels";
  GRADATIM_CHECK(first != last, DataError, 2072,
                 "{}: images have shape [n, height, width, channels] or [n, channels, height, "
                 "width] with 1, 3 or 4 channels, but of ({}) {}; transpose or reshape the array",
                 array.name, fmt::join(array.shape, ", "), why);
  return last;
}

// Names the cell by its indices, which count from 0, and its row, which counts from 1.
void check_finite(const NumpyArray& array, const std::vector<float>& numbers) {
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (std::isfinite(numbers[i])) continue;
    std::vector<std::int64_t> index(array.shape.size());
    auto rest = static_cast<std::int64_t>(i);
    for (std::size_t d = index.size(); d-- > 0; rest /= array.shape[d]) {
      index[d] = rest % array.shape[d];
    }
    throw DataError(2076, fmt::format("{}, row {}: the cell [{}] is {}, but samples hold finite "
                                      "numbers up to 3.4e38; leave the row out or scale the array",
                                      array.name, index[0] + 1, fmt::join(index, ", "),
                                      number_text(static_cast<double>(numbers[i]))));
  }
}

// [n, height, width, channels] -> [n, channels, height, width].
template <class T>
std::vector<T> channels_first(const std::vector<T>& cells, const std::vector<std::int64_t>& shape) {
  const std::int64_t pixels = shape[1] * shape[2], channels = shape[3];
  if (channels == 1) return cells;
  std::vector<T> out(cells.size());
  std::size_t next = 0;
  for (std::int64_t n = 0; n < shape[0]; ++n) {
    for (std::int64_t c = 0; c < channels; ++c) {
      const T* from = cells.data() + n * pixels * channels + c;
      for (std::int64_t p = 0; p < pixels; ++p) out[next++] = from[p * channels];
    }
  }
  return out;
}

std::vector<std::int64_t> sample_shape(const NumpyArray& array, bool last) {
  const auto& s = array.shape;
  switch (s.size()) {
    case 1: return {1};
    case 2: return {s[1]};
    case 3: return {1, s[1], s[2]};
    default: return last ? std::vector{s[3], s[1], s[2]} : std::vector{s[1], s[2], s[3]};
  }
}

}  // namespace

Samples samples_of(const NumpyArray& array) {
  const std::size_t dimensions = array.shape.size();
  GRADATIM_CHECK(dimensions >= 1 && dimensions <= 4, DataError, 2072,
                 "{}: samples have 1 to 4 dimensions, such as [n, numbers] or [n, height, width, "
                 "channels], but the array has {}; reshape it",
                 array.name, dimensions);
  const bool last = dimensions == 4 && channels_last(array);
  Samples samples{.shape = sample_shape(array, last), .count = array.shape[0]};
  if (array.code == "|u1" && samples.is_images()) {
    samples.bytes = byte_cells(array);
    if (last) samples.bytes = channels_first(samples.bytes, array.shape);
  } else {
    samples.numbers = float_cells(array);
    check_finite(array, samples.numbers);
    if (last) samples.numbers = channels_first(samples.numbers, array.shape);
  }
  return samples;
}

}  // namespace gradatim::data
