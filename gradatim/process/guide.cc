#include "gradatim/process/guide.h"

#include <fmt/format.h>

#include "gradatim/core/error.h"
#include "gradatim/process/block_means.h"
#include "gradatim/process/denoiser.h"

namespace gradatim::process {
namespace {

// Of the means of blocks, in the scale of states: of images, a fortieth of the range.
constexpr double kTolerance = 0.05;

}  // namespace

std::vector<api::Option> guide_options(GuideKind kind, const std::string& weight) {
  std::vector<api::Option> options;
  std::string path = "guidance";
  if (kind == GuideKind::match) {
    options = {{path, "interval"}, {path + ".low", "0"}, {path + ".high", "10"}};
    path += ".inner";
  }
  options.emplace_back(path, "classifier");
  if (!weight.empty()) options.emplace_back(path + ".weight", weight);
  return options;
}

void check_hears_guide(const api::Settings& sampler) {
  const api::Settings& guidance = sampler.parts.at("guidance");
  GRADATIM_CHECK(api::build_as<Guidance>(guidance)->needs_energy(), UsageError, 1002,
                 "{} hears neither a classifier nor samples to match; take guidance classifier, or "
                 "nest it as guidance.inner",
                 guidance.component);
}

std::shared_ptr<const Energy> match_energy(const Generator& generator, std::int64_t blocks,
                                           std::vector<double> references,
                                           std::shared_ptr<const Path> path) {
  GRADATIM_CHECK(generator.state_shape().data() == generator.shape().data(), UsageError, 1206,
                 "the model's states are latents, which {} of its samples cannot guide; leave it "
                 "out, or take a model such as neural.diffusion",
                 "coarse pixels");
  generator.to_states(references);
  auto wanted = block_means(generator.shape(), blocks, std::move(references));
  const auto denoiser =
      std::make_shared<FieldDenoiser>(generator.field(), std::move(path), generator.path());
  return of_guess(denoiser, std::move(wanted), kTolerance);
}

}  // namespace gradatim::process
