// What tests of networks share: small data, a plan by options, fits of a few steps.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "gradatim/api/settings.h"
#include "gradatim/core/normal.h"
#include "gradatim/neural/model/diffusion.h"

namespace gradatim::neural::testing {

/// Rows of two numbers about (-2, 0) and (2, 1), labels 0 and 1 in turn.
inline std::shared_ptr<data::Samples> two_blobs(std::int64_t count) {
  auto samples = std::make_shared<data::Samples>(
      data::Samples{.shape = {2}, .count = count, .classes = {"left", "right"}});
  std::vector<double> noise(static_cast<std::size_t>(2 * count));
  normals(Philox(11, Stream::data), 0, noise);
  for (std::int64_t k = 0; k < count; ++k) {
    const double side = k % 2 == 0 ? -1.0 : 1.0;
    const auto at = static_cast<std::size_t>(2 * k);
    samples->numbers.push_back(static_cast<float>(2.0 * side + 0.1 * noise[at]));
    samples->numbers.push_back(static_cast<float>(0.5 + 0.5 * side + 0.1 * noise[at + 1]));
    samples->labels.push_back(k % 2);
  }
  return samples;
}

/// Grey images of 4 x 4: a bright left half (label 0) or a bright top (label 1), of any brightness.
inline std::shared_ptr<data::Samples> two_images(std::int64_t count) {
  auto samples = std::make_shared<data::Samples>(
      data::Samples{.shape = {1, 4, 4}, .count = count, .classes = {"left", "top"}});
  std::vector<double> noise(static_cast<std::size_t>(count));
  normals(Philox(12, Stream::data), 0, noise);
  for (std::int64_t k = 0; k < count; ++k) {
    const double bright = 1.0 + 0.2 * noise[static_cast<std::size_t>(k)];
    for (std::int64_t pixel = 0; pixel < 16; ++pixel) {
      const bool lit = k % 2 == 0 ? pixel % 4 < 2 : pixel < 8;
      samples->numbers.push_back(static_cast<float>(lit ? bright : -bright));
    }
    samples->labels.push_back(k % 2);
  }
  return samples;
}

inline api::Settings settings_of(const std::vector<api::Option>& options,
                                 std::string_view model = "neural.diffusion") {
  return api::complete(api::parse_settings(model, options));
}

/// The parts of a model by its options.
struct Plan {
  explicit Plan(const std::vector<api::Option>& options) {
    const auto settings = settings_of(options);
    const auto make = [&]<class Part>(std::shared_ptr<const Part>& part, const char* name) {
      if (settings.parts.contains(name)) part = api::build_as<Part>(settings.parts.at(name));
    };
    make(diffusion.network, "network");
    make(diffusion.path, "path");
    make(diffusion.prediction, "prediction");
    make(diffusion.loss_weight, "loss_weight");
    make(diffusion.times, "times");
    make(diffusion.coupling, "coupling");
    make(diffusion.training, "training");
    const auto number = [&](const char* name) { return settings.values.at(name); };
    diffusion.config.drop_label = std::get<double>(number("drop_label"));
    diffusion.config.learned_variance = std::get<bool>(number("learned_variance"));
    diffusion.config.variance_weight = std::get<double>(number("variance_weight"));
    diffusion.config.pair_steps = std::get<std::int64_t>(number("pair_steps"));
  }
  DiffusionPlan diffusion;
};

/// A folder's name for as long as the test; nothing is there at first.
class Folder {
 public:
  explicit Folder(const std::string& name = "loop")
      : path_(std::filesystem::temp_directory_path() /
              ("gradatim_" + name + "_" + std::to_string(::getpid()))) {
    std::filesystem::remove_all(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

/// A component by its name.
template <class I>
std::shared_ptr<const I> make(std::string_view name, const std::vector<api::Option>& options = {}) {
  return api::build_as<I>(api::parse_settings(name, options));
}

/// The variance of the true step of Gaussian data of deviation c, over the posterior's.
inline double true_ratio(const process::PathPoint& a, const process::PathPoint& b, double c) {
  const auto precision = [&](const auto& p) {
    return 1.0 / (c * c) + std::pow(p.alpha / p.sigma, 2.0);
  };
  return precision(b) / precision(a);
}

}  // namespace gradatim::neural::testing
