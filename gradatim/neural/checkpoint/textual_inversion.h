// Textual inversion: words that a checkpoint learned behind its training, each as vectors of its
// own in front of the text network. Gal et al. (2022), An image is worth one word.
#pragma once

#include <string>

#include "gradatim/neural/checkpoint/stable_diffusion.h"

namespace gradatim::neural {

struct TextualInversion {
  std::string path;  // of diffusers ({"<word>": vectors}), or with `emb_params`
  // As prompts spell it; empty: as the file calls it, or the file's own name.
  std::string word = {};
};

/// Adds a word to the tokenizer, as one token a vector (`<word>`, `<word>_1`, ...), and its vectors
/// to the text network's weights; in prompts the word stands for all of them. ModelError GRD-3072
/// where there is no tokenizer, GRD-3080 where the file holds no vectors, or they are of another
/// width, or the word is there already.
void add_textual_inversion(StableDiffusionFiles& files, const TextualInversion& inversion);

}  // namespace gradatim::neural
