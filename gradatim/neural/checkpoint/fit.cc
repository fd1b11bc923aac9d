#include "gradatim/neural/checkpoint/fit.h"

#include <fmt/format.h>

#include <set>

#include "gradatim/core/error.h"
#include "gradatim/core/text.h"

namespace gradatim::neural {
namespace {

constexpr std::size_t kNamed = 3;  // of each kind of fault

using WeightShape = std::vector<std::int64_t>;

bool suits(WeightShape stored, at::IntArrayRef wanted) {
  const bool pixels = stored.size() == 4 && stored[2] == 1 && stored[3] == 1;
  if (wanted.size() == 2 && pixels) stored.resize(2);
  return at::IntArrayRef(stored) == wanted;
}

// "12 of the network's are missing ('a', 'b', 'c')".
void tell_fault(const std::vector<std::string>& all, const char* what,
                std::vector<std::string>& parts) {
  if (all.empty()) return;
  const std::size_t named = std::min(kNamed, all.size());
  const std::string more = named < all.size() ? ", ..." : "";
  parts.push_back(fmt::format("{} {} ({}{})", all.size(), what,
                              fmt::join(all.begin(), all.begin() + static_cast<long>(named), ", "),
                              more));
}

struct Misfit {
  std::vector<std::string> misshapen, missing, unknown;
};

Misfit misfit_of(const Parameters& parameters, const Weights& weights) {
  const auto listed = weights.names();
  std::set<std::string> unused(listed.begin(), listed.end());
  std::vector<std::string> missing;
  Misfit found;
  for (const Parameters::Item& item : parameters.items()) {
    if (unused.erase(item.name) == 0) {
      missing.push_back(item.name);
      continue;
    }
    const WeightShape shape = weights.shape(item.name);
    if (suits(shape, item.value.sizes())) continue;
    found.misshapen.push_back(fmt::format("'{}' is [{}] and the network's [{}]", item.name,
                                          fmt::join(shape, ", "),
                                          fmt::join(item.value.sizes(), ", ")));
  }
  const std::vector<std::string> others(unused.begin(), unused.end());
  for (const std::string& name : missing) {
    const bool told = found.missing.size() < kNamed;  // the search is slow
    const auto like = told ? nearest_name(name, others) : std::nullopt;
    found.missing.push_back(like ? fmt::format("'{}', most like it '{}'", name, *like)
                                 : fmt::format("'{}'", name));
  }
  for (const std::string& name : others) found.unknown.push_back(fmt::format("'{}'", name));
  return found;
}

void fill_parameter(const Weights& weights, const std::string& name, const Tensor& value) {
  const Tensor numbers = weights.read(name).to(at::kFloat);
  GRADATIM_CHECK(at::isfinite(numbers).all().item<bool>(), ModelError, 3061,
                 "{}: '{}' holds NaN or infinity", weights.source(), name);
  value.copy_(numbers.view(value.sizes()));
  weights.forget(name);
}

}  // namespace

void check_weights(const Parameters& parameters, const Weights& weights) {
  const Misfit found = misfit_of(parameters, weights);
  std::vector<std::string> parts;
  tell_fault(found.misshapen, "of another shape", parts);
  tell_fault(found.missing, "missing", parts);
  tell_fault(found.unknown, "unknown to it", parts);
  GRADATIM_CHECK(parts.empty(), ModelError, found.misshapen.empty() ? 3064 : 3003,
                 "{}: the weights do not fit the network: {}; its config.json belongs to others",
                 weights.source(), fmt::join(parts, "; "));
}

void read_weights(const Weights& weights, Parameters& parameters, at::Device device) {
  check_weights(parameters, weights);
  parameters.pack(device);
  const at::NoGradGuard plain;
  for (const Parameters::Item& item : parameters.items())
    fill_parameter(weights, item.name, item.value);
}

}  // namespace gradatim::neural
