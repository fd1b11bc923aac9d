// A single file of Stable Diffusion, put together from the networks' arrays.
#pragma once

#include <string>

#include "gradatim/core/safetensors_views.h"
#include "gradatim/neural/checkpoint/stored_checkpoint.h"

namespace gradatim::neural {

/// An array of a file, or of several that lie one behind the other.
SafetensorsViews::Array view_of(const StoredArray& array);

/// What the metadata says of names in the text network's own file.
inline constexpr const char* kTextPrefixKey = "gradatim.text_prefix";
inline constexpr const char* kTextPrefix = "text_model.";

/// Arrays of a single file that no folder has, beside the networks' folders.
inline constexpr const char* kRestFile = "gradatim_single_file.safetensors";
/// In front of names of arrays that no single file has.
inline constexpr const char* kCarried = "gradatim.text_encoder.";

/// Errors of convert_stable_diffusion().
void write_single_file(const StoredCheckpoint& stored, const StoredArrays& rest,
                       const std::string& out);

}  // namespace gradatim::neural
