// A checkpoint of Stable Diffusion from one layout into the other, without loss: every array's
// bytes and type, and the configurations. What the other layout has no place for is carried along
// and is where it was on the way back. Arrays go from file to file, one after the other.
#pragma once

#include <string>
#include <vector>

#include "gradatim/neural/checkpoint/stored_checkpoint.h"

namespace gradatim::neural {

/// Whether a path is such a checkpoint: a folder with a unet, a vae and a text_encoder, or a
/// safetensors file with a U-Net in it. ModelError GRD-3065 of a pickled file.
bool is_stable_diffusion(const std::string& path);

/// Of a folder a single file, of a single file a folder, which must be new. Returns what was taken
/// for granted, a sentence each. Errors of open_checkpoint(); ModelError GRD-3077 of an array that
/// has no place in a single file; DataError GRD-2002 where `out` cannot be written.
std::vector<std::string> convert_checkpoint(const std::string& path, const std::string& out,
                                            const CheckpointOptions& options = {});

/// Arrays of a single file that no folder has, beside the networks' folders.
inline constexpr const char* kRestFile = "gradatim_single_file.safetensors";
/// In front of names of arrays that no single file has.
inline constexpr const char* kCarried = "gradatim.text_encoder.";

}  // namespace gradatim::neural
