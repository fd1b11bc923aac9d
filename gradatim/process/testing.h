// What tests of this folder share: components by name, and every path or prediction of the
// manifest.
#pragma once

#include <algorithm>
#include <memory>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "gradatim/api/settings.h"
#include "gradatim/core/error.h"
#include "gradatim/process/host_space.h"
#include "gradatim/process/oracle.h"
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

/// States in float64 at one time, and the query that asks about them.
struct Ask {
  HostSpace<double> space;
  std::vector<double> t;
  std::vector<std::int64_t> rows;
  Query query;

  Ask(const std::vector<double>& x, std::int64_t dims, double time)
      : t(x.size() / static_cast<std::size_t>(dims), time), rows(t.size()) {
    std::iota(rows.begin(), rows.end(), 0);
    query = {space.from(x, static_cast<std::int64_t>(t.size()), dims), t, rows};
  }
  std::vector<double> out(const Vec& x) {
    std::vector<double> numbers(static_cast<std::size_t>(x.rows() * x.dims()));
    space.copy_out(x, numbers);
    return numbers;
  }
};

inline std::vector<double> eval(const Field& field, const std::vector<double>& x, double t,
                                const ConditionPtr& condition = nullptr) {
  Ask ask(x, dynamic_cast<const Oracle&>(field).dims(), t);
  Vec result;
  field.eval(ask.space, ask.query, {&condition, 1}, {&result, 1});
  return ask.out(result);
}

/// A mixture whose components overlap, in any number of dimensions.
inline Mixture test_mixture(std::int64_t dims) {
  Mixture mixture{.weights = {0.3, 0.5, 0.2}, .dims = dims};
  for (int k = 0; k < 3; ++k) {
    for (std::int64_t i = 0; i < dims; ++i) {
      mixture.means.push_back(0.9 * (k - 1) + 0.2 * static_cast<double>(i % 3) * (k == 2 ? -1 : 1));
      mixture.deviations.push_back(0.2 + 0.15 * ((k + static_cast<int>(i)) % 3));
    }
  }
  return mixture;
}

inline ConditionPtr label(std::int64_t k) {
  return std::make_shared<Labels>(std::vector<std::int64_t>{k});
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
