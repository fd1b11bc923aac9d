#include "gradatim/neural/train/identity.h"

#include <fmt/format.h>

#include "gradatim/core/hash.h"

namespace gradatim::neural {
namespace {

std::string hash_of(const data::Samples* samples) {
  if (samples == nullptr) return "";
  Hash hash;
  for (const std::int64_t extent : samples->shape) hash.add(static_cast<std::uint64_t>(extent));
  hash.add(std::string_view(reinterpret_cast<const char*>(samples->bytes.data()),
                            samples->bytes.size()));
  hash.add(std::span<const float>(samples->numbers));
  for (const std::int64_t label : samples->labels) hash.add(static_cast<std::uint64_t>(label));
  hash.add(std::span<const float>(samples->given));
  for (const std::string& word : samples->classes) hash.add(std::string_view(word));
  return fmt::format("{:016x}", hash.value());
}

}  // namespace

data::Identity identity_of(const data::FitRequest& request, api::Settings settings) {
  auto& training = settings.parts["training"].values;
  training.erase("max_seconds");  // budgets and pictures of the process, not of the model
  training.erase("sample_every");
  return {{"set of settings", api::to_json(settings)},
          {"seed", std::to_string(request.seed)},
          {"set of samples to learn from", hash_of(request.samples.get())},
          {"set of samples to start from", hash_of(request.source.get())},
          {"set of samples to watch", hash_of(request.valid_samples.get())}};
}

}  // namespace gradatim::neural
