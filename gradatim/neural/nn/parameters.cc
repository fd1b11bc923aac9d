#include "gradatim/neural/nn/parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "gradatim/core/error.h"
#include "gradatim/core/normal.h"
#include "gradatim/neural/checkpoint/fit.h"
#include "gradatim/neural/nn/held.h"
#include "gradatim/neural/nn/memory.h"

namespace gradatim::neural {
namespace {

// Aligned places, so that every tensor starts at a cache line.
constexpr std::int64_t kAlignment = 16;

std::int64_t rounded_up(std::int64_t count) {
  return (count + kAlignment - 1) / kAlignment * kAlignment;
}

std::vector<double> drawn(const Init& init, at::IntArrayRef sizes, const Philox& draws) {
  const std::int64_t count = c10::multiply_integers(sizes);
  std::vector<double> values(static_cast<std::size_t>(count), init.size);
  if (init.kind == Init::Kind::normal) {
    normals(draws, 0, values);
    for (double& value : values) value *= init.size;
  } else if (init.kind == Init::Kind::uniform) {
    for (std::size_t k = 0; k < values.size(); ++k) {
      values[k] = init.size * (2.0 * draws.uniform(k) - 1.0);
    }
  }
  if (init.last != 1.0) {
    const auto row = static_cast<std::size_t>(sizes.back());
    for (std::size_t k = row - 1; k < values.size(); k += row) values[k] *= init.last;
  }
  return values;
}

std::string shape_text(at::IntArrayRef shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

}  // namespace

Init Init::of_inputs(std::int64_t inputs) {
  return uniform(1.0 / std::sqrt(static_cast<double>(inputs)));
}

Tensor Parameters::add(std::string name, at::IntArrayRef sizes, Init init) {
  GRADATIM_ASSERT(!values_.defined());
  const std::vector<std::int64_t> no_strides(sizes.size(), 0);  // memory of one number
  items_.push_back({std::move(name), at::empty_strided(sizes, no_strides, at::kFloat), init, 0});
  return items_.back().value;
}

Weight Parameters::add_weight(std::string name, at::IntArrayRef sizes, Init init) {
  const Tensor value = add(std::move(name), sizes, init);
  items_.back().held = std::make_shared<Held>();
  return {value, items_.back().held};
}

void Parameters::pack(at::Device device) {
  std::int64_t count = 0;
  for (Item& item : items_) {
    item.offset = count;
    count += rounded_up(item.value.numel());
  }
  values_ = at::zeros({count}, at::TensorOptions(at::kFloat).device(device));
  gradients_ = at::zeros_like(values_);
  for (Item& item : items_) {
    const auto size = item.value.numel();
    const auto sizes = item.value.sizes().vec();
    item.value.set_data(values_.narrow(0, item.offset, size).view(sizes));
    item.value.mutable_grad() = gradients_.narrow(0, item.offset, size).view(sizes);
  }
}

void Parameters::hold(std::shared_ptr<const Weights> weights, HoldPlan plan) {
  GRADATIM_ASSERT(!values_.defined());
  check_weights(*this, *weights);
  plan.scratch = std::make_shared<ScratchMemory>();
  for (Item& item : items_) {
    if (item.held) {
      // The parameter stays a shape; whoever reads its one number shall notice.
      *item.value.data_ptr<float>() = std::numeric_limits<float>::quiet_NaN();
      item.held->take(weights, item.name, plan);
    } else {
      item.value.set_data(read_finite(*weights, item.name).view(item.value.sizes()));
    }
  }
}

std::int64_t Parameters::held_bytes() const {
  std::int64_t bytes = 0;
  for (const Item& item : items_) bytes += item.held ? item.held->bytes() : 0;
  return bytes;
}

bool Parameters::add_forms(HeldForms& forms) const {
  bool fresh = false;
  for (const Item& item : items_) fresh = (item.held && item.held->add_form(forms)) || fresh;
  return fresh;
}

void Parameters::init(std::uint64_t seed) {
  for (std::size_t place = 0; place < items_.size(); ++place) {
    Item& item = items_[place];
    const Philox draws(seed, Stream::init, static_cast<std::uint32_t>(place));
    const auto values = drawn(item.init, item.value.sizes(), draws);
    const at::NoGradGuard plain;
    item.value.copy_(at::tensor(at::ArrayRef<double>(values)).view(item.value.sizes()));
  }
}

void Parameters::require_gradients(bool on) {
  for (Item& item : items_) item.value.set_requires_grad(on);
}

void Parameters::store(SafetensorsWriter& file, const Tensor& buffer,
                       const std::string& prefix) const {
  const Tensor host = buffer.to(at::kCPU).contiguous();
  const float* numbers = host.const_data_ptr<float>();
  for (const Item& item : items_) {
    file.add(prefix + item.name,
             std::span(numbers + item.offset, static_cast<std::size_t>(item.value.numel())),
             item.value.sizes().vec());
  }
}

void Parameters::check(const SafetensorsFile& file, const std::string& prefix) const {
  for (const Item& item : items_) {
    const auto& view = file.view(prefix + item.name);
    GRADATIM_CHECK(at::IntArrayRef(view.shape) == item.value.sizes(), ModelError, 3003,
                   "{}: '{}' has shape {}; the network's is {}", file.source(), prefix + item.name,
                   shape_text(view.shape), shape_text(item.value.sizes()));
  }
  const auto with_prefix = [&](const auto& array) { return array.first.starts_with(prefix); };
  if (std::ranges::count_if(file.arrays(), with_prefix) == std::ssize(items_)) return;
  for (const auto& [name, view] : file.arrays()) {
    const bool ours =
        std::ranges::any_of(items_, [&](const Item& item) { return prefix + item.name == name; });
    GRADATIM_CHECK(ours || !name.starts_with(prefix), ModelError, 3060,
                   "{}: the network has no parameter '{}'; its settings do not fit the file",
                   file.source(), name);
  }
}

void Parameters::load(const SafetensorsFile& file, const std::string& prefix) {
  check(file, prefix);
  for (Item& item : items_) {
    auto numbers = file.read<float>(prefix + item.name);
    for (const float number : numbers) {
      GRADATIM_CHECK(std::isfinite(number), ModelError, 3061, "{}: '{}' holds NaN or infinity",
                     file.source(), prefix + item.name);
    }
    const at::NoGradGuard plain;
    item.value.copy_(at::from_blob(numbers.data(), item.value.sizes(), at::kFloat));
  }
}

Weight Scope::add_weight(const std::string& name, at::IntArrayRef sizes, Init init) const {
  return parameters_->add_weight(prefix_ + name, sizes, init);
}

}  // namespace gradatim::neural
