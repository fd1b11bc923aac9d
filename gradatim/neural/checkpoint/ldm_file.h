// A single file of Stable Diffusion, taken apart: which of its arrays are whose.
#pragma once

#include <optional>
#include <string>

#include "gradatim/neural/checkpoint/stored_arrays.h"

namespace gradatim::neural {

inline constexpr const char* kLdmUnet = "model.diffusion_model.";
inline constexpr const char* kLdmAutoencoder = "first_stage_model.";
inline constexpr const char* kLdmClip = "cond_stage_model.transformer.";
inline constexpr const char* kLdmOpenClip = "cond_stage_model.model.";

struct LdmArrays {
  // As folders of diffusers and transformers call them; a name that no network has is left as it
  // is.
  StoredArrays unet, autoencoder, text;
  // As the file calls them: tables of the schedule, moving averages, and what of OpenCLIP's text
  // network is never asked.
  StoredArrays rest;
  bool open_clip = false;  // the text network of Stable Diffusion 2
};

/// `text_layers`: of OpenCLIP's, those that are the network's; by default all but the last one of
/// an original file, whose output Stable Diffusion 2 does not use. ModelError GRD-3073 where the
/// file is none of Stable Diffusion 1 or 2, GRD-3003 where a fused matrix is not of three.
LdmArrays ldm_arrays(const std::shared_ptr<const StoredFile>& file,
                     std::optional<std::int64_t> text_layers = {});

}  // namespace gradatim::neural
