// config.json of transformers' CLIPTextModel.
#pragma once

#include <string>

#include "gradatim/neural/text/text_config.h"

namespace gradatim::neural {

/// ModelError GRD-3062 where it is no JSON object, GRD-3063 for another class, or a value that
/// gradatim's text network does not have.
TextConfig read_text_config(const std::string& json, const std::string& source);

/// The token of padding that a tokenizer has where its files name none: the end's in Stable
/// Diffusion 1, whose text network is CLIP's, and "!" in 2.
std::string usual_pad(const TextConfig& config);

}  // namespace gradatim::neural
