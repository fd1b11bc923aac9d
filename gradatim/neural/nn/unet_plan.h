// A U-Net's settings for a shape, and what follows from them for each level, 0 being the finest.
#pragma once

#include "gradatim/neural/network.h"
#include "gradatim/neural/network/unet.h"

namespace gradatim::neural {

struct UnetPlan {
  UnetConfig config;
  NetworkShape shape;

  std::int64_t levels() const { return static_cast<std::int64_t>(config.channels.size); }
  std::int64_t channels(std::int64_t level) const;
  /// Of a level's images.
  std::int64_t places(std::int64_t level) const;
  /// Numbers that the time becomes.
  std::int64_t time() const;

  /// Whether it is told a text.
  bool told() const { return shape.context > 0; }
  /// What lies behind each block of a level: a transformer, self-attention, or neither.
  bool has_transformers(std::int64_t level) const;
  bool has_attention(std::int64_t level) const;
  bool middle_attends() const { return config.middle && config.middle_attention; }
  /// Of a level's transformers.
  std::int64_t heads(std::int64_t level) const;
  std::int64_t transformer_layers(std::int64_t level) const;
  /// Outside the blocks: silu, but as in the blocks where a text is told.
  UnetActivation outer_activation() const;

  /// UsageError GRD-1165, 1166, 1167, 1196, 1198 of what does not fit together.
  void check() const;

 private:
  void check_sides() const;
  void check_levels() const;
  void check_channels() const;
  void check_transformers() const;
};

}  // namespace gradatim::neural
