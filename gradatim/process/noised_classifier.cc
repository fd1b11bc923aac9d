#include "gradatim/process/noised_classifier.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "gradatim/core/error.h"

namespace gradatim::process {
namespace {

// A scale is affine, number by number: two points tell it.
struct Affine {
  std::vector<double> factor, shift;

  template <class Scaled>
  Affine(const Scaled& scaled, std::size_t dims) : factor(dims, 1.0), shift(dims, 0.0) {
    scaled.to_states(factor);
    scaled.to_states(shift);
    for (std::size_t k = 0; k < dims; ++k) factor[k] -= shift[k];
  }
};

StateMap map_between(const Generator& generator, const NoisedClassifier& classifier) {
  std::size_t dims = 1;
  for (const std::int64_t extent : generator.shape()) dims *= static_cast<std::size_t>(extent);
  const Affine from(generator, dims), to(classifier, dims);
  StateMap map{.factor = to.factor[0] / from.factor[0], .shift = std::vector<double>(dims)};
  for (std::size_t k = 0; k < dims; ++k) {
    const double factor = to.factor[k] / from.factor[k];
    GRADATIM_CHECK(std::abs(factor - map.factor) <= 1e-6 * map.factor, UsageError, 1173,
                   "the classifier's states are {:.6g} times the model's in number 0 and {:.6g} "
                   "times in number {}, so that noise differs; train both with --scaling range",
                   map.factor, factor, k);
    map.shift[k] = to.shift[k] - map.factor * from.shift[k];
  }
  return map;
}

}  // namespace

std::shared_ptr<const Energy> energy_for(const Generator& generator,
                                         const NoisedClassifier& classifier,
                                         std::shared_ptr<const Labels> labels,
                                         std::shared_ptr<const Path> path) {
  GRADATIM_CHECK(generator.state_shape().data() == generator.shape().data(), UsageError, 1206,
                 "the model's states are latents, which {} of its samples cannot guide; leave it "
                 "out, or take a model such as neural.diffusion",
                 "a classifier");
  GRADATIM_CHECK(std::ranges::equal(generator.shape(), classifier.shape()), UsageError, 1172,
                 "the model's samples have shape [{}] and the classifier's [{}]; they must agree",
                 fmt::join(generator.shape(), ", "), fmt::join(classifier.shape(), ", "));
  return classifier.energy(std::move(labels), std::move(path), map_between(generator, classifier));
}

}  // namespace gradatim::process
