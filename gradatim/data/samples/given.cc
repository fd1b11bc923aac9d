#include <fmt/format.h>

#include <algorithm>

#include "gradatim/core/error.h"
#include "gradatim/core/text.h"
#include "gradatim/data/samples.h"

namespace gradatim::data {

Samples give_columns(Samples samples, const std::vector<std::string>& names) {
  if (names.empty()) return samples;
  std::vector<std::size_t> given, kept;
  for (const auto& name : names) {
    const auto at = std::ranges::find(samples.columns, name);
    GRADATIM_CHECK(at != samples.columns.end(), UsageError, 1192,
                   "there is no column '{}' to be given{}", name,
                   samples.columns.empty() ? "; only tables have columns with names"
                                           : did_you_mean(name, samples.columns));
    given.push_back(static_cast<std::size_t>(at - samples.columns.begin()));
  }
  for (std::size_t k = 0; k < samples.columns.size(); ++k) {
    if (std::ranges::find(given, k) == given.end()) kept.push_back(k);
  }
  GRADATIM_CHECK(!kept.empty(), UsageError, 1192,
                 "all columns are given, and none is left to be learned");
  Samples made{.shape = {static_cast<std::int64_t>(kept.size())},
               .count = samples.count,
               .labels = std::move(samples.labels),
               .classes = std::move(samples.classes),
               .given_columns = names};
  const std::size_t width = samples.columns.size();
  for (std::size_t row = 0; row < static_cast<std::size_t>(samples.count); ++row) {
    const float* numbers = samples.numbers.data() + row * width;
    for (const std::size_t k : kept) made.numbers.push_back(numbers[k]);
    for (const std::size_t k : given) made.given.push_back(numbers[k]);
  }
  for (const std::size_t k : kept) made.columns.push_back(samples.columns[k]);
  return made;
}

}  // namespace gradatim::data
