// The transforms of convolutions by few multiplications, F(4 x 4, 3 x 3) (Winograd 1980; Lavin and
// Gray 2015): a tile of 4 x 4 outputs is made of 36 products by channel instead of 144,
//
//   y = A' ((G w G') * (B' x B)) A,   summed over channels, which are 36 matrix products.
//
// Interpolation is at 0, +-sqrt(1/2), +-sqrt(2) and infinity, whose transforms lose half a digit
// less than those at 0, +-1, +-2. Images are channels-last, with zeros around them; tiles are
// numbered row by row. What an image's last tiles make beyond it is dropped.
#pragma once

#include <cstdint>

namespace gradatim::neural::kernel {

constexpr std::int64_t kWinogradPlanes = 36, kWinogradTile = 4;
/// Channels come in multiples of it.
constexpr std::int64_t kWinogradChannels = 16;

/// G: the six rows are points of interpolation.
constexpr double kWinogradFilter[6][3] = {
    {1.0, 0.0, 0.0},
    {-2.0 / 3.0, -0.47140452079103168, -1.0 / 3.0},
    {-2.0 / 3.0, 0.47140452079103168, -1.0 / 3.0},
    {1.0 / 6.0, 0.23570226039551584, 1.0 / 3.0},
    {1.0 / 6.0, -0.23570226039551584, 1.0 / 3.0},
    {0.0, 0.0, 1.0},
};

struct WinogradImages {
  std::int64_t rows = 0, height = 0, width = 0, channels = 0;

  std::int64_t across() const { return (width + kWinogradTile - 1) / kWinogradTile; }
  std::int64_t down() const { return (height + kWinogradTile - 1) / kWinogradTile; }
  std::int64_t tiles() const { return rows * down() * across(); }
};

/// Writes B' x B of `count` tiles from `first` on: plane k begins at v + k * plane, [count,
/// channels].
void winograd_inputs(const WinogradImages& images, const float* x, std::int64_t first,
                     std::int64_t count, float* v, std::int64_t plane);
/// Writes A' m A + bias of these tiles into y; planes: 36 times [count, channels].
void winograd_outputs(const WinogradImages& images, const float* const* planes, const float* bias,
                      std::int64_t first, std::int64_t count, float* y);

}  // namespace gradatim::neural::kernel
