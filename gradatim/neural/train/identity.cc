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
  for (const auto& phrasings : samples->captions) {
    for (const std::string& text : phrasings) hash.add(std::string_view(text));
    hash.add(std::uint64_t{phrasings.size()});
  }
  for (const std::int64_t place : samples->captioned) hash.add(static_cast<std::uint64_t>(place));
  return fmt::format("{:016x}", hash.value());
}

// Without budgets and pictures, which are the process's and not the model's.
void drop_budgets(api::Settings& settings) {
  for (auto& [name, part] : settings.parts) drop_budgets(part);
  const auto training = settings.parts.find("training");
  if (training == settings.parts.end()) return;
  training->second.values.erase("max_seconds");
  training->second.values.erase("sample_every");
}

}  // namespace

data::Identity identity_of(const data::FitRequest& request, api::Settings settings) {
  drop_budgets(settings);
  return {{"set of settings", api::to_json(settings)},
          {"seed", std::to_string(request.seed)},
          {"set of samples to learn from", hash_of(request.samples.get())},
          {"set of samples to start from", hash_of(request.source.get())},
          {"set of samples to watch", hash_of(request.valid_samples.get())}};
}

}  // namespace gradatim::neural
