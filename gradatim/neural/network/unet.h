#pragma once

#include <cstdint>

#include "gradatim/api/value.h"

namespace gradatim::neural {

enum class UnetActivation { silu, mish, gelu, relu };
enum class UnetTime { positional, fourier };

/// Levels count from the finest, 0, or from the coarsest, -1.
using UnetLevels = api::List<int, 16>;

struct UnetConfig {
  api::List<int, 16> channels = {32, 64, 128};
  int layers = 2;
  UnetLevels attention = {-2, -1};
  UnetLevels cross_attention = {-2, -1};
  int head_width = 32;
  api::List<int, 16> heads = {};
  api::List<int, 16> transformer_layers = {1};
  bool linear_projection = false;
  bool scale_shift = true;
  int norm_groups = 8;
  double norm_epsilon = 1e-5;
  double dropout = 0.0;
  bool zero_init = true;
  UnetActivation activation = UnetActivation::silu;
  UnetLevels resnet_downsampling = {};
  UnetLevels resnet_upsampling = {};
  int downsample_padding = 1;
  bool middle = true;
  bool middle_attention = true;
  int middle_norm_groups = -1;
  double middle_scale = 1.0;
  UnetTime time = UnetTime::positional;
  int time_width = 0;
  bool cosines_first = true;
  double frequency_shift = 0.0;
  bool center_input = false;
};

/// Whether a level of a U-Net is among `levels`.
inline bool among(const UnetLevels& levels, std::int64_t level, std::int64_t count) {
  for (const int each : levels) {
    if (each == level || each + count == level) return true;
  }
  return false;
}

}  // namespace gradatim::neural
