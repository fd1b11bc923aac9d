// The arrays of a folder: which files they are in, and what they were called before.
#pragma once

#include <string>

#include "gradatim/neural/checkpoint/stored_arrays.h"

namespace gradatim::neural {

/// The stems of files of weights, as diffusers and transformers name them.
inline constexpr const char* kDiffusersStem = "diffusion_pytorch_model";
inline constexpr const char* kTransformersStem = "model";

/// All arrays of a folder as they are called there: of STEM.safetensors, of several files and their
/// STEM.safetensors.index.json, or of either with `fp16` in its name. ModelError GRD-3065 (none,
/// or pickled ones alone), GRD-3066 (an index that is damaged, or names what is not beside it).
StoredArrays folder_arrays(const std::string& folder, const std::string& stem);

/// The same under the names that networks have today: attention's former ones, the `text_model.` in
/// front of a text network's; what is no parameter is left out. ModelError GRD-3066 where two
/// arrays have one name.
StoredArrays by_network_names(const StoredArrays& arrays, const std::string& source);
/// Whether an array of this name, without `text_model.`, is no parameter of a text network: numbers
/// of positions, and what turns a text's last token into an image's.
bool is_no_parameter(const std::string& name);

}  // namespace gradatim::neural
