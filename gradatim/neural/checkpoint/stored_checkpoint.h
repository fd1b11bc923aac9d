// StoredCheckpoint: a checkpoint of Stable Diffusion as it lies on disk, in either layout: texts of
// its configurations and arrays, both under the names of diffusers' folder.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "gradatim/neural/checkpoint/checkpoint_options.h"
#include "gradatim/neural/checkpoint/stored_arrays.h"

namespace gradatim::neural {

struct StoredCheckpoint {
  std::string path;
  bool single_file = false;
  std::map<std::string, std::string> files;  // "unet/config.json", "tokenizer/vocab.json", ...
  StoredArrays unet, autoencoder, text;      // as files of diffusers and transformers call them
  StoredArrays rest;                         // of a single file: what is no network's
  bool open_clip = false;                    // of a single file: its text network's layout
  std::vector<std::string> notes;            // what was taken for granted, a sentence each

  /// Where a file of `files` is, for messages.
  std::string where(const std::string& file) const;
};

/// The texts of a checkpoint that are kept, by their paths in a folder.
std::span<const char* const> checkpoint_files();
/// What a single file of ours has in front of such a name in its metadata.
inline constexpr const char* kFileKey = "gradatim.";

/// A folder of diffusers or a single file. DataError GRD-2001 where there is none, ModelError
/// GRD-3073 where it is no checkpoint of Stable Diffusion 1 or 2; errors of folder_arrays(),
/// ldm_arrays() and ldm_configs().
StoredCheckpoint open_checkpoint(const std::string& path, const CheckpointOptions& options = {});

}  // namespace gradatim::neural
