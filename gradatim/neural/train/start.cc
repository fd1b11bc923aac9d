#include "gradatim/neural/train/start.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "gradatim/core/start_observer.h"
#include "gradatim/core/text.h"

namespace gradatim::neural {
namespace {

// "2,365,504".
std::string grouped(std::int64_t number) {
  std::string digits = std::to_string(number);
  for (auto at = static_cast<std::int64_t>(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(static_cast<std::size_t>(at), ",");
  return digits;
}

// The names of a row's numbers, so that a column of labels among them is seen.
std::string columns_of(const data::Samples& samples) {
  constexpr std::size_t kMost = 8;
  if (samples.columns.empty()) return {};
  auto names = samples.columns;
  const bool all = names.size() <= kMost;
  if (!all) names.resize(kMost);
  return fmt::format(" ({}{})", fmt::join(names, ", "), all ? "" : ", ...");
}

std::string labels_of(const data::Samples& samples) {
  if (samples.classes.empty()) return "no labels";
  return fmt::format("{} label{}", grouped(std::ssize(samples.classes)),
                     samples.classes.size() == 1 ? "" : "s");
}

}  // namespace

std::string start_text(const data::Samples& samples, const api::Settings& network,
                       const Parameters& parameters) {
  const std::string what = samples.is_images()
                               ? fmt::format("images of {}", fmt::join(samples.shape, " x "))
                               : fmt::format("rows of {} number{}{}", grouped(samples.size()),
                                             samples.size() == 1 ? "" : "s", columns_of(samples));
  return fmt::format("{} {}, {}; {} of {} parameters", grouped(samples.count), what,
                     labels_of(samples), network.component, grouped(parameters.count()));
}

void tell_start(const data::FitRequest& request, const api::Settings& network,
                const Parameters& parameters) {
  auto* listener = dynamic_cast<StartObserver*>(request.observer);
  if (listener != nullptr) listener->on_start(start_text(*request.samples, network, parameters));
}

}  // namespace gradatim::neural
