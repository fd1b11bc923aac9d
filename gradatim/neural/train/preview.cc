#include "gradatim/neural/train/preview.h"

#include <algorithm>
#include <cmath>

#include "gradatim/neural/nn/tensor.h"
#include "gradatim/process/sampler.h"

namespace gradatim::neural {

data::Samples preview(const process::Generator& generator) {
  constexpr std::int64_t kCount = 64;
  data::Samples samples{.shape = {generator.shape().begin(), generator.shape().end()},
                        .count = kCount,
                        .columns = {generator.columns().begin(), generator.columns().end()}};
  process::SampleRequest request{.rows = kCount, .dims = c10::multiply_integers(samples.shape)};
  if (!generator.classes().empty()) {
    samples.classes = {generator.classes().begin(), generator.classes().end()};
    const auto classes = static_cast<std::int64_t>(samples.classes.size());
    for (std::int64_t k = 0; k < kCount; ++k) samples.labels.push_back(k % classes);
    request.condition = std::make_shared<process::Labels>(samples.labels);
  }
  const auto sampler = api::build_as<process::Sampler>(generator.sampler());
  auto numbers =
      sampler->sample([&](const auto&, const auto&) { return generator.field(); }, request);
  generator.to_data(numbers);
  if (!generator.holds_bytes()) {
    samples.numbers = std::move(numbers);
    return samples;
  }
  for (const float x : numbers) {
    samples.bytes.push_back(static_cast<std::uint8_t>(std::lround(std::clamp(x, 0.0F, 255.0F))));
  }
  return samples;
}

}  // namespace gradatim::neural
