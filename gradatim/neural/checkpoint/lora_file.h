// A LoRA's file: low-rank changes W + (alpha / rank) up down of some of a checkpoint's weights,
// whatever its arrays are called. Hu et al. (2021), LoRA: Low-rank adaptation of large language
// models.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "gradatim/neural/checkpoint/stored_arrays.h"

namespace gradatim::neural {

/// Which network a change is of.
enum class LoraTarget { unet, text };

struct LoraChange {
  LoraTarget target = LoraTarget::unet;
  std::string layer;  // as the file calls it, without what names the network
  StoredArray up, down;
  double scale = 1.0;  // alpha / rank, or by its settings alpha / sqrt(rank)
};

/// Where PEFT keeps the settings of a file of its own.
std::filesystem::path settings_beside(const std::filesystem::path& lora);

/// The names are those of kohya's scripts (lora_unet_..., lora_te_..., `lora_down`, `alpha`) or of
/// diffusers and PEFT (unet. and text_encoder., `lora_A`, `lora.down`, attention processors).
/// PEFT's own files have their settings in adapter_config.json beside them.
/// ModelError GRD-3078 where it is no LoRA, those settings are missing, or half of a change is
/// missing; GRD-3079 of a LoHa, LoKr, DoRA and other kinds, by their names.
std::vector<LoraChange> read_lora(const std::string& path);

}  // namespace gradatim::neural
