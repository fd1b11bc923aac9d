#include "gradatim/neural/train/optimizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradatim/neural/nn/kernel/adamw.h"
#include "gradatim/neural/nn/sums.h"

namespace gradatim::neural {

Optimizer::Optimizer(Parameters& parameters, const TrainingConfig& config)
    : parameters_(parameters),
      config_(config),
      mean_(at::zeros_like(parameters.values())),
      square_(at::zeros_like(parameters.values())),
      steps_(at::zeros({}, parameters.values().options())) {
  if (config.ema_decay > 0.0) average_ = parameters.values().clone();
}

double Optimizer::update(std::int64_t step) {
  const Tensor gradients = parameters_.gradients();
  const double norm = std::sqrt(sum_of_products(gradients, gradients));
  if (!std::isfinite(norm)) return norm;
  const bool held = config_.gradient_clip > 0.0 && norm > config_.gradient_clip;
  const double factor = held ? config_.gradient_clip / norm : 1.0;
  if (gradients.is_cpu()) {
    update_in_memory(step, factor);
    return norm;
  }
  if (held) gradients.mul_(factor);
  steps_.fill_(static_cast<double>(step + 1));
  at::_fused_adamw_({parameters_.values()}, {gradients}, {mean_}, {square_}, {}, {steps_},
                    learning_rate_at(config_, step), config_.beta1, config_.beta2,
                    config_.weight_decay, config_.epsilon, /*amsgrad=*/false, /*maximize=*/false);
  if (average_.defined()) {
    average_.lerp_(parameters_.values(), 1.0 - ema_decay_at(config_, step));
  }
  gradients.zero_();
  return norm;
}

// One pass over memory, in blocks that do not depend on the number of threads.
void Optimizer::update_in_memory(std::int64_t step, double factor) {
  constexpr std::int64_t kBlock = 1 << 15;
  const auto count = static_cast<double>(step + 1);
  const double rate = learning_rate_at(config_, step);
  const kernel::AdamwFactors factors{
      .gradient = static_cast<float>(factor),
      .keep = static_cast<float>(1.0 - rate * config_.weight_decay),
      .square = static_cast<float>(config_.beta2),
      .other_mean = static_cast<float>(1.0 - config_.beta1),
      .other_square = static_cast<float>(1.0 - config_.beta2),
      .step = static_cast<float>(rate / (1.0 - std::pow(config_.beta1, count))),
      .root = static_cast<float>(1.0 / std::sqrt(1.0 - std::pow(config_.beta2, count))),
      .epsilon = static_cast<float>(config_.epsilon),
      .follow = static_cast<float>(1.0 - ema_decay_at(config_, step))};
  const auto numbers = [](const Tensor& buffer) { return buffer.data_ptr<float>(); };
  const kernel::AdamwNumbers all{numbers(parameters_.values()), numbers(parameters_.gradients()),
                                 numbers(mean_), numbers(square_),
                                 average_.defined() ? numbers(average_) : nullptr};
  at::parallel_for(0, (parameters_.count() + kBlock - 1) / kBlock, 1,
                   [&](std::int64_t begin, std::int64_t end) {
                     const std::int64_t first = begin * kBlock;
                     const std::int64_t last = std::min(end * kBlock, parameters_.count());
                     const kernel::AdamwNumbers part{all.value + first, all.gradient + first,
                                                     all.mean + first, all.square + first,
                                                     all.average ? all.average + first : nullptr};
                     kernel::adamw(part, last - first, factors);
                   });
}

const Tensor& Optimizer::kept() const {
  return average_.defined() ? average_ : parameters_.values();
}

std::vector<std::pair<const char*, Tensor*>> Optimizer::buffers() {
  std::vector<std::pair<const char*, Tensor*>> all{{"optimizer.mean", &mean_},
                                                   {"optimizer.square", &square_}};
  if (average_.defined()) all.emplace_back("average", &average_);
  return all;
}

void Optimizer::store(SafetensorsWriter& file) const {
  const auto add = [&](const std::string& name, const Tensor& buffer) {
    const Tensor host = buffer.to(at::kCPU);
    file.add(name, std::span(host.const_data_ptr<float>(), static_cast<std::size_t>(host.numel())));
  };
  add("parameters", parameters_.values());
  for (const auto& [name, buffer] : const_cast<Optimizer*>(this)->buffers()) add(name, *buffer);
}

void Optimizer::load(const SafetensorsFile& file) {
  auto all = buffers();
  Tensor values = parameters_.values();
  all.emplace_back("parameters", &values);
  for (const auto& [name, buffer] : all) {
    auto numbers = file.read<float>(name, buffer->numel());
    buffer->copy_(at::from_blob(numbers.data(), buffer->sizes(), at::kFloat));
  }
}

}  // namespace gradatim::neural
