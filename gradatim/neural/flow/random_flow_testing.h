// What tests over the manifest share: a component of small settings at a shape, with parameters of
// which none is special, or the line by which it refuses the shape.
#pragma once

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "gradatim/api/registry.h"
#include "gradatim/api/settings.h"
#include "gradatim/core/error.h"
#include "gradatim/core/normal.h"
#include "gradatim/neural/flow/flow_net.h"
#include "gradatim/neural/size.h"

namespace gradatim::neural::testing {

inline Tensor normal_tensor(const std::vector<std::int64_t>& sizes, std::uint64_t seed) {
  std::vector<double> numbers(to_size(c10::multiply_integers(sizes)));
  normals(Philox(seed, Stream::data), 0, numbers);
  return at::tensor(at::ArrayRef<double>(numbers), at::kDouble).to(at::kFloat).view(sizes);
}

/// Laws do not need wide networks.
inline api::Settings small_settings(const api::Entry& entry) {
  api::Settings settings{.component = std::string(entry.text.name)};
  const auto shrink = [&](std::string_view name, std::int64_t value) {
    for (const auto& setting : entry.settings) {
      if (setting.name == name) settings.values[std::string(name)] = value;
    }
  };
  shrink("width", 16);
  shrink("layers", 2);
  shrink("couplings", 2);
  shrink("transforms", 2);
  shrink("depth", 2);
  shrink("blocks", 2);
  return api::complete(settings);
}

/// A Gaussian base, and in front of it a bijection or an architecture of the manifest.
struct RandomFlow {
  std::shared_ptr<const Maker> maker;
  std::shared_ptr<const BaseDensity> base;
  std::unique_ptr<FlowNet> net;
  std::string refused;  // why there is no net, or nothing
  Tensor x, context;    // rows of samples as numbers about 1, and what they are told

  RandomFlow(const std::string& name, const FlowShape& shape, std::int64_t rows,
             double size = 0.3) {
    const auto& entry = *api::Registry::instance().find(name);
    const auto settings = small_settings(entry);
    if (entry.kind == Bijection::kKind) {
      maker = api::build_as<Bijection>(settings);
    } else {
      maker = api::build_as<Architecture>(settings);
    }
    base = api::build_as<BaseDensity>({.component = "neural.base.gaussian"});
    try {
      net = make_flow(*maker, *base, shape);
    } catch (const UsageError& error) {
      if (error.code() != 1191) throw;
      refused = error.what();
      return;
    }
    std::vector<std::int64_t> sizes{rows};
    sizes.insert(sizes.end(), shape.sample.begin(), shape.sample.end());
    x = normal_tensor(sizes, 5);
    if (shape.context() > 0) context = normal_tensor({rows, shape.context()}, 6);
    net->steps().start(x, context);
    // Behind that: layers that begin at 0 say nothing. Weights are moved as far as layers begin
    // from 0, so that no shape has a flow that floats cannot invert.
    const at::NoGradGuard plain;
    for (const auto& item : net->parameters().items()) {
      const Tensor& value = item.value;
      const auto inputs = static_cast<double>(value.dim() > 1 ? value[0].numel() : 4);
      value.add_(normal_tensor(value.sizes().vec(), 7 + to_size(item.offset)),
                 size / std::sqrt(inputs));
    }
  }
};

}  // namespace gradatim::neural::testing
