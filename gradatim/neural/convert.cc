#include "gradatim/neural/convert.h"

#include <fmt/format.h>

#include "gradatim/core/error.h"
#include "gradatim/neural/library.h"

namespace gradatim::neural {

Converted from_diffusers(const std::string& folder, std::string_view scaling) {
  GRADATIM_CHECK(scaling == "automatic" || scaling == "range" || scaling == "none", UsageError,
                 1005, "scaling must be one of automatic, range, none; got '{}'", scaling);
  return neural_function<ReadDiffusers>("gradatim_read_diffusers")(folder, scaling);
}

std::vector<std::string> to_diffusers(const data::Model& model, const std::string& folder) {
  const std::string& component = model.card().settings.component;
  GRADATIM_CHECK(component == "neural.diffusion" || component == "neural.kl_autoencoder" ||
                     component == "neural.latent_diffusion",
                 UsageError, 1162,
                 "a model of {} has no place in diffusers; convert one of neural.diffusion, "
                 "neural.latent_diffusion or neural.kl_autoencoder",
                 component);
  return neural_function<WriteDiffusers>("gradatim_write_diffusers")(model, folder);
}

}  // namespace gradatim::neural
