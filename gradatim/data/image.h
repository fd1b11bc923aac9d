// Image: one picture of 8 bits a channel, as PNG and JPEG files hold it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gradatim/data/samples.h"

namespace gradatim::data {

/// Grey (1 channel) or RGB (3).
struct Image {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t channels = 1;
  std::vector<std::uint8_t> bytes;  // [height, width, channels]
};

/// The most pixels that are read or written: 8192 x 8192.
inline constexpr std::int64_t kMostPixels = std::int64_t{1} << 26;

/// GRD-2080 for an image of more pixels; asked before any memory is.
void check_pixels(std::uint64_t height, std::uint64_t width, const std::string& name);

/// All images on one sheet, in rows of `columns` (0: as many columns as rows), with a pixel of grey
/// around each. Small images are enlarged by the whole factor that brings them to 32 pixels or just
/// below. Numbers are drawn from the least of all samples, black, to the greatest, white. GRD-1150
/// for samples that are no grey or RGB images, and for a sheet of too many pixels; GRD-1153.
Image image_grid(const Samples& samples, std::int64_t columns = 0);

}  // namespace gradatim::data
