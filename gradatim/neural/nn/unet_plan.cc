#include "gradatim/neural/nn/unet_plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "gradatim/core/error.h"

namespace gradatim::neural {
namespace {

using UnetList = api::List<int, 16>;

// Of a list with one number, or one a level.
std::int64_t at_level(const UnetList& list, std::int64_t level) {
  return list[list.size == 1 ? 0 : static_cast<std::size_t>(level)];
}

}  // namespace

std::int64_t UnetPlan::channels(std::int64_t level) const {
  return config.channels[static_cast<std::size_t>(level)];
}

std::int64_t UnetPlan::places(std::int64_t level) const {
  return (shape.sample[1] >> level) * (shape.sample[2] >> level);
}

std::int64_t UnetPlan::time() const {
  return config.time_width > 0 ? config.time_width : 4 * channels(0);
}

bool UnetPlan::has_transformers(std::int64_t level) const {
  return told() && among(config.cross_attention, level, levels());
}

bool UnetPlan::has_attention(std::int64_t level) const {
  return among(config.attention, level, levels()) && !has_transformers(level);
}

std::int64_t UnetPlan::heads(std::int64_t level) const {
  if (!config.heads.empty()) return at_level(config.heads, level);
  return config.head_width == 0 ? 1 : channels(level) / config.head_width;
}

std::int64_t UnetPlan::transformer_layers(std::int64_t level) const {
  return config.transformer_layers.empty() ? 1 : at_level(config.transformer_layers, level);
}

UnetActivation UnetPlan::outer_activation() const {
  return told() ? config.activation : UnetActivation::silu;
}

void UnetPlan::check() const {
  GRADATIM_CHECK(!config.channels.empty(), UsageError, 1166,
                 "neural.network.unet needs the channels of one level at least");
  check_sides();
  check_levels();
  check_channels();
  if (told()) check_transformers();
}

void UnetPlan::check_sides() const {
  const std::int64_t least = std::int64_t{1} << (levels() - 1);
  GRADATIM_CHECK(
      shape.sample.size() == 3 && shape.sample[1] >= least && shape.sample[2] >= least, UsageError,
      1165,
      "neural.network.unet with {} levels takes images whose height and width are at least {}; "
      "samples are [{}]",
      levels(), least, fmt::join(shape.sample, ", "));
}

void UnetPlan::check_levels() const {
  std::vector<const UnetLevels*> lists{&config.attention, &config.resnet_downsampling,
                                       &config.resnet_upsampling};
  if (told()) lists.push_back(&config.cross_attention);
  for (const auto* list : lists) {
    for (const std::int64_t level : *list) {
      GRADATIM_CHECK(level >= -levels() && level < levels(), UsageError, 1167,
                     "neural.network.unet has no level {}; channels are given for {} levels", level,
                     levels());
    }
  }
}

void UnetPlan::check_channels() const {
  for (std::int64_t level = 0; level < levels(); ++level) {
    const std::int64_t here = channels(level);
    GRADATIM_CHECK(here % config.norm_groups == 0, UsageError, 1166,
                   "norm_groups {} does not divide the {} channels of level {}", config.norm_groups,
                   here, level);
    const bool middle = middle_attends() && level + 1 == levels();
    const bool transforms = has_transformers(level) || (middle && told());
    const bool by_width =
        has_attention(level) || (middle && !told()) || (transforms && config.heads.empty());
    GRADATIM_CHECK(!by_width || config.head_width == 0 || here % config.head_width == 0, UsageError,
                   1166, "head_width {} does not divide the {} channels of level {}",
                   config.head_width, here, level);
  }
  GRADATIM_CHECK(
      config.middle_norm_groups <= 0 || channels(levels() - 1) % config.middle_norm_groups == 0,
      UsageError, 1166, "middle_norm_groups {} does not divide {} channels",
      config.middle_norm_groups, channels(levels() - 1));
}

void UnetPlan::check_transformers() const {
  const auto check_length = [&](const UnetList& list, const char* name) {
    GRADATIM_CHECK(list.size <= 1 || static_cast<std::int64_t>(list.size) == levels(), UsageError,
                   1198,
                   "{} of neural.network.unet has one number, or one a level; it has {} for "
                   "{} levels",
                   name, list.size, levels());
  };
  check_length(config.heads, "heads");
  check_length(config.transformer_layers, "transformer_layers");
  bool any = middle_attends();
  for (std::int64_t level = 0; level < levels(); ++level) {
    const bool transforms = has_transformers(level) || (middle_attends() && level + 1 == levels());
    any = any || transforms;
    GRADATIM_CHECK(!transforms || channels(level) % heads(level) == 0, UsageError, 1166,
                   "heads {} does not divide the {} channels of level {}", heads(level),
                   channels(level), level);
  }
  GRADATIM_CHECK(any, UsageError, 1196,
                 "neural.network.unet is told a text, and no level attends to it; name some in "
                 "cross_attention");
}

}  // namespace gradatim::neural
