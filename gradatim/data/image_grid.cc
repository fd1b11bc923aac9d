#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "gradatim/core/error.h"
#include "gradatim/data/image.h"

namespace gradatim::data {
namespace {

constexpr std::int64_t kSide = 32;  // pixels that small images are enlarged to
constexpr std::int64_t kPadding = 1;
constexpr std::uint8_t kGrey = 128;

// Numbers as bytes: the least of all is black, the greatest white; equal ones are black.
std::vector<std::uint8_t> drawn(const std::vector<float>& numbers) {
  const auto [low, high] = std::minmax_element(numbers.begin(), numbers.end());
  const double least = *low, range = double{*high} - least;
  std::vector<std::uint8_t> bytes(numbers.size());
  for (std::size_t i = 0; i < numbers.size() && range > 0.0; ++i) {
    bytes[i] =
        static_cast<std::uint8_t>(std::lround(255.0 * ((double{numbers[i]} - least) / range)));
  }
  return bytes;
}

// One sample [channels, height, width] into the sheet, every pixel `factor` wide and high.
void draw(const std::uint8_t* sample, const std::vector<std::int64_t>& shape, std::int64_t factor,
          std::int64_t top, std::int64_t left, Image& sheet) {
  for (std::int64_t y = 0; y < shape[1] * factor; ++y) {
    std::uint8_t* out = sheet.bytes.data() + ((top + y) * sheet.width + left) * sheet.channels;
    for (std::int64_t x = 0; x < shape[2] * factor; ++x) {
      const std::int64_t from = y / factor * shape[2] + x / factor;
      for (std::int64_t c = 0; c < shape[0]; ++c) *out++ = sample[c * shape[1] * shape[2] + from];
    }
  }
}

}  // namespace

void check_pixels(std::uint64_t height, std::uint64_t width, const std::string& name) {
  const bool fits = height == 0 || width <= static_cast<std::uint64_t>(kMostPixels) / height;
  GRADATIM_CHECK(fits, DataError, 2080,
                 "{}: it claims {} x {} pixels, but at most {} are read; make the image smaller",
                 name, width, height, kMostPixels);
}

Image image_grid(const Samples& samples, std::int64_t columns) {
  check_samples(samples);
  const bool drawable = samples.is_images() && (samples.shape[0] == 1 || samples.shape[0] == 3);
  GRADATIM_CHECK(drawable, UsageError, 1150,
                 "a picture shows grey or RGB images, but each of these {} samples has shape [{}]; "
                 "write them to an .npz file or a table",
                 samples.count, fmt::join(samples.shape, ", "));
  if (columns <= 0)
    columns = std::llround(std::ceil(std::sqrt(static_cast<double>(samples.count))));
  columns = std::min(columns, samples.count);
  const std::int64_t rows = (samples.count + columns - 1) / columns;
  const std::int64_t height = samples.shape[1], width = samples.shape[2];
  const std::int64_t factor = std::max<std::int64_t>(1, kSide / std::max(height, width));
  Image sheet{.height = kPadding + rows * (height * factor + kPadding),
              .width = kPadding + columns * (width * factor + kPadding),
              .channels = samples.shape[0]};
  GRADATIM_CHECK(sheet.height <= kMostPixels / sheet.width, UsageError, 1150,
                 "a picture of {} samples would have {} x {} pixels, but at most {} are written; "
                 "draw fewer samples",
                 samples.count, sheet.width, sheet.height, kMostPixels);
  sheet.bytes.assign(static_cast<std::size_t>(sheet.height * sheet.width * sheet.channels), kGrey);
  const auto bytes = samples.bytes.empty() ? drawn(samples.numbers) : samples.bytes;
  for (std::int64_t i = 0; i < samples.count; ++i) {
    draw(bytes.data() + i * samples.size(), samples.shape, factor,
         kPadding + i / columns * (height * factor + kPadding),
         kPadding + i % columns * (width * factor + kPadding), sheet);
  }
  return sheet;
}

}  // namespace gradatim::data
