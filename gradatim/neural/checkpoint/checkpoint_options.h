#pragma once

#include <cstdint>
#include <string>

namespace gradatim::neural {

/// Of reading a checkpoint of Stable Diffusion.
struct CheckpointOptions {
  std::string tokenizer;  // a folder or a file of merges; empty: the checkpoint's own
  std::string scheduler;  // a scheduler_config.json, or a folder with one; empty: its own
  // What a single file of others does not tell.
  std::string prediction = "automatic";  // epsilon, v_prediction, sample
  std::int64_t norm_groups = 0;          // 0: 32 where it divides all channels
  std::int64_t heads = 0;                // of the U-Net; 0: 8 of each level, or 64 wide in 2.x
};

}  // namespace gradatim::neural
