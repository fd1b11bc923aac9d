// What tests of this folder share: components by name, and every path or prediction of the
// manifest.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gradatim/api/settings.h"
#include "gradatim/core/error.h"
#include "gradatim/process/path.h"
#include "gradatim/process/prediction.h"

namespace gradatim::process::testing {

template <class I>
std::shared_ptr<const I> make(std::string_view name, const std::vector<api::Option>& options = {}) {
  return api::build_as<I>(api::parse_settings(name, options));
}

/// The code of the Error that f throws, 0 for none.
template <class F>
int code_of(const F& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.code();
  }
  return 0;
}

struct NamedPath {
  std::string name;
  std::shared_ptr<const Path> path;
};

/// Every path of the manifest, and again with `zero_terminal_snr` where it has that.
inline std::vector<NamedPath> all_paths() {
  std::vector<NamedPath> paths;
  for (const api::Entry* entry : api::Registry::instance().list(Path::kKind)) {
    const std::string name(entry->text.name);
    paths.push_back({name, make<Path>(name)});
    const bool zero = std::ranges::any_of(
        entry->settings, [](const auto& setting) { return setting.name == "zero_terminal_snr"; });
    if (!zero) continue;
    paths.push_back(
        {name + " zero_terminal_snr", make<Path>(name, {{"zero_terminal_snr", "true"}})});
  }
  return paths;
}

struct NamedPrediction {
  std::string name;
  std::shared_ptr<const Prediction> prediction;
};

inline std::vector<NamedPrediction> all_predictions() {
  std::vector<NamedPrediction> predictions;
  for (const api::Entry* entry : api::Registry::instance().list(Prediction::kKind)) {
    predictions.push_back({std::string(entry->text.name), make<Prediction>(entry->text.name)});
  }
  return predictions;
}

}  // namespace gradatim::process::testing
