#include "gradatim/neural/dist/data_parallel.h"

#include <c10/util/strides.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/nn/module.h>

#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "gradatim/core/error.h"
#include "gradatim/dist/collectives.h"
#include "gradatim/neural/dist/gradient_hooks.h"
#include "gradatim/neural/dist/gradient_sum.h"

namespace gradatim::neural {
namespace {

// "0.weight [8, 1, 3, 3] Float" of each, parameters and buffers.
std::vector<std::string> names_of(const torch::nn::Module& module) {
  std::vector<std::string> names;
  const auto add = [&](const auto& item) {
    names.push_back(fmt::format("{} [{}] {}", item.key(), fmt::join(item.value().sizes(), ", "),
                                c10::toString(item.value().scalar_type())));
  };
  for (const auto& item : module.named_parameters()) add(item);
  for (const auto& item : module.named_buffers()) add(item);
  return names;
}

// The first name that differs is told, since there may be thousands.
void require_alike(dist::Group& group, const torch::nn::Module& module) {
  const auto all =
      dist::gather(group, fmt::format("{}\nnothing", fmt::join(names_of(module), "\n")));
  for (std::size_t r = 1; r < all.size(); ++r) {
    std::istringstream first(all[0]), other(all[r]);
    std::string expected, found;
    while (std::getline(first, expected) && std::getline(other, found)) {
      GRADATIM_CHECK(found == expected, DistributedError, 5004,
                     "rank {} has another module than rank 0: {}, not {}; start all ranks alike", r,
                     found, expected);
    }
  }
}

std::vector<Tensor> learned_by(const torch::nn::Module& module) {
  std::vector<Tensor> learned;
  for (const Tensor& parameter : module.parameters()) {
    if (parameter.requires_grad()) learned.push_back(parameter);
  }
  return learned;
}

}  // namespace

struct DataParallel::State {
  torch::nn::Module& module;
  dist::Group& group;
  std::vector<Tensor> parameters;                 // that learn
  std::vector<std::vector<std::size_t>> members;  // of buckets
  // Gradients of a bucket's members, and behind them the number of ranks that have each.
  std::vector<Tensor> buckets;
  std::vector<Tensor> places;  // of every parameter's gradient in its bucket
  int quiet = 0;
  std::optional<GradientSum> sum;
  std::optional<GradientHooks> hooks;

  State(torch::nn::Module& own, dist::Group& ranks, const DataParallelOptions& options)
      : module(own),
        group(ranks),
        parameters(learned_by(own)),
        members(buckets_of(parameters, options.first_bucket_bytes, options.bucket_bytes)),
        places(parameters.size()) {
    for (const auto& bucket : members) add_bucket(bucket);
    sum.emplace(group, members, buckets, options.compression, [this](auto b) { fill(b); });
    hooks.emplace(parameters, [this](std::size_t parameter) {
      if (quiet == 0) sum->ready(parameter);
    });
  }

  void add_bucket(const std::vector<std::size_t>& bucket) {
    std::int64_t count = std::ssize(bucket);
    for (const std::size_t k : bucket) count += parameters[k].numel();
    const Tensor flat = at::zeros({count}, parameters[bucket[0]].options().requires_grad(false));
    numbers_of(at::empty({0}, flat.options().device(at::kCPU)));  // or refuses them
    std::int64_t first = 0;
    for (const std::size_t k : bucket) {
      const Tensor& parameter = parameters[k];
      // No view in autograd's sense, since optimizers may not zero such.
      places[k] = at::empty({0}, flat.options())
                      .set_(flat.storage(), first, parameter.sizes(),
                            c10::contiguous_strides(parameter.sizes()));
      first += parameter.numel();
    }
    buckets.push_back(flat);
  }

  Tensor counts(std::size_t b) const {
    const std::int64_t size = std::ssize(members[b]);
    return buckets[b].narrow(0, buckets[b].numel() - size, size);
  }

  // Gradients that lie elsewhere, such as the first ones behind zero_grad(), move into the bucket.
  void fill(std::size_t b) {
    const at::NoGradGuard plain;
    const Tensor here = at::zeros({std::ssize(members[b])}, at::kFloat);
    for (std::size_t k = 0; k < members[b].size(); ++k) {
      const Tensor& place = places[members[b][k]];
      Tensor& gradient = parameters[members[b][k]].mutable_grad();
      if (!gradient.defined()) {
        place.zero_();
        continue;
      }
      here.data_ptr<float>()[k] = 1.0F;
      if (gradient.data_ptr() != place.data_ptr()) place.copy_(gradient);
      gradient = place;
    }
    counts(b).copy_(here);
  }

  void finish() {
    sum->finish();
    const at::NoGradGuard plain;
    for (std::size_t b = 0; b < buckets.size(); ++b) {
      const Tensor have = counts(b).to(at::kCPU, at::kFloat).contiguous();
      buckets[b].mul_(1.0 / group.size());
      for (std::size_t k = 0; k < members[b].size(); ++k) {
        const std::size_t parameter = members[b][k];
        if (have.const_data_ptr<float>()[k] > 0.0F) {
          parameters[parameter].mutable_grad() = places[parameter];
        }
      }
    }
  }
};

DataParallel::DataParallel(torch::nn::Module& module, dist::Group& group,
                           DataParallelOptions options) {
  require_alike(group, module);
  for (const Tensor& parameter : module.parameters()) take_first(group, parameter);
  state_ = std::make_unique<State>(module, group, options);
  share_buffers();
  check_replicas();
}

DataParallel::~DataParallel() = default;

void DataParallel::finish() { state_->finish(); }

void DataParallel::share_buffers() {
  for (const Tensor& buffer : state_->module.buffers()) take_first(state_->group, buffer);
}

void DataParallel::check_replicas() {
  require_equal(state_->group, "set of parameters", state_->module.parameters());
}

DataParallel::Quiet::Quiet(DataParallel& parallel) : parallel_(parallel) {
  ++parallel_.state_->quiet;
}

DataParallel::Quiet::~Quiet() { --parallel_.state_->quiet; }

}  // namespace gradatim::neural
