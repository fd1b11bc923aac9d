#include "gradatim/neural/train/preview.h"

#include "gradatim/process/generate.h"

namespace gradatim::neural {

data::Samples preview(const process::Generator& generator) {
  constexpr std::int64_t kCount = 64;
  data::Samples samples{.shape = {generator.shape().begin(), generator.shape().end()},
                        .count = kCount,
                        .classes = {generator.classes().begin(), generator.classes().end()},
                        .columns = {generator.columns().begin(), generator.columns().end()}};
  const auto classes = static_cast<std::int64_t>(samples.classes.size());
  for (std::int64_t k = 0; k < kCount && classes > 0; ++k) samples.labels.push_back(k % classes);
  auto numbers =
      process::generate(generator, generator.sampler(), {.rows = kCount, .labels = samples.labels});
  if (generator.holds_bytes()) {
    samples.bytes = process::to_bytes(numbers);
  } else {
    samples.numbers = std::move(numbers);
  }
  return samples;
}

}  // namespace gradatim::neural
