#include "gradatim/neural/nn/held.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "gradatim/core/error.h"
#include "gradatim/neural/checkpoint/weights.h"
#include "gradatim/neural/nn/kernel/winograd.h"
#include "gradatim/neural/nn/memory.h"

namespace gradatim::neural {
namespace {

bool single_pixels(at::IntArrayRef sizes) {
  return sizes.size() == 2 || (sizes[2] == 1 && sizes[3] == 1);
}

void check_no_gradients(const Tensor& x) {
  GRADATIM_CHECK(!at::GradMode::is_enabled() || !x.requires_grad(), UsageError, 1213,
                 "this network's weights are held for computing only, and no gradient goes "
                 "through it; load it for training");
}

// Whether a form is of a weight of that shape.
bool suits(const HeldForm& form, const std::vector<std::int64_t>& shape) {
  const std::int64_t numbers = c10::multiply_integers(shape);
  const auto holds = [&](const Tensor& x, std::int64_t count) {
    return x.dim() >= 2 && x.size(0) == shape[0] && x.numel() == count;
  };
  switch (form.kind) {
    case HeldForm::Kind::packed: return form.tensors.size() == 1 && holds(form.tensors[0], numbers);
    case HeldForm::Kind::eight_bit:
      return form.tensors.size() == 2 && form.tensors[0].sizes() == shape &&
             holds(form.tensors[1], shape[0]);
    case HeldForm::Kind::winograd:
      return shape.size() == 4 && form.tensors.size() == kernel::kWinogradPlanes &&
             std::ranges::all_of(form.tensors, [&](const Tensor& plane) {
               return holds(plane, shape[0] * shape[1]);
             });
  }
  return false;
}

}  // namespace

Tensor read_finite(const Weights& weights, const std::string& name, ScratchMemory* scratch) {
  Tensor numbers = weights.read(name);
  if (numbers.scalar_type() != at::kFloat) {
    numbers = scratch == nullptr ? numbers.to(at::kFloat)
                                 : scratch->numbers(numbers.sizes()).copy_(numbers);
  }
  // A sum is the cheapest question: it is not finite where a number is not, and hardly else.
  const bool finite =
      numbers.sum().isfinite().item<bool>() || at::isfinite(numbers).all().item<bool>();
  GRADATIM_CHECK(finite, ModelError, 3061, "{}: '{}' holds NaN or infinity", weights.source(),
                 name);
  return numbers;
}

void Held::take(std::shared_ptr<const Weights> source, std::string name, HoldPlan plan) {
  source_ = std::move(source);
  name_ = std::move(name);
  shape_ = source_->shape(name_);
  plan_ = std::move(plan);
  on_ = true;
}

template <class Pack>
void Held::ready(bool winograd, const Pack& pack) {
  if (ready_.load(std::memory_order_acquire)) return;
  const std::lock_guard lock(mutex_);
  if (ready_.load(std::memory_order_relaxed)) return;
  if (!take_prepared(winograd)) {
    {
      const std::lock_guard scratch(plan_.scratch->mutex());
      // What is not packed is kept as it was read.
      const Tensor numbers =
          read_finite(*source_, name_, has_packed_layers() ? plan_.scratch.get() : nullptr);
      if (plan_.eight_bit) {
        quantise(numbers);
      } else {
        pack(numbers);
      }
    }
    source_->forget(name_);
  }
  source_.reset();
  plan_.scratch.reset();
  ready_.store(true, std::memory_order_release);
}

bool Held::take_prepared(bool winograd) {
  const std::string name = prepared_name(winograd);
  if (plan_.prepared == nullptr || !plan_.prepared->has(name)) return false;
  HeldForm form = plan_.prepared->form(name);
  GRADATIM_CHECK(suits(form, shape_), ModelError, 3081,
                 "{}: '{}' is of another shape; delete the file", plan_.prepared->path(), name);
  if (form.kind == HeldForm::Kind::winograd) {
    winograd_ = std::make_unique<Winograd>(std::move(form.tensors), shape_[1], shape_[0]);
  } else if (form.kind == HeldForm::Kind::eight_bit) {
    codes_ = form.tensors[0];
    scales_ = form.tensors[1];
  } else {
    packed_ = form.tensors[0];
  }
  mapped_ = true;
  return true;
}

// Forms of small and of large images lie side by side.
std::string Held::prepared_name(bool winograd) const {
  return fmt::format("{}/{}{}", plan_.network, name_, winograd ? "@winograd" : "");
}

HeldForm Held::form() const {
  if (codes_.defined()) return {HeldForm::Kind::eight_bit, {codes_, scales_}};
  if (winograd_) return {HeldForm::Kind::winograd, winograd_->planes()};
  return {HeldForm::Kind::packed, {packed_}};
}

bool Held::add_form(HeldForms& forms) const {
  if (!ready_.load(std::memory_order_acquire)) return false;
  HeldForm mine = form();
  if (!can_be_prepared(mine)) return false;
  forms[prepared_name(winograd_ != nullptr)] = std::move(mine);
  return !mapped_;
}

// w = scale code, the largest of a channel being 127.
void Held::quantise(const Tensor& numbers) {
  std::vector<std::int64_t> inner(static_cast<std::size_t>(numbers.dim() - 1));
  std::iota(inner.begin(), inner.end(), 1);
  scales_ = at::amax(numbers.abs(), inner, /*keepdim=*/true).div_(127.0).clamp_min_(1e-30);
  codes_ = (numbers / scales_).round_().to(at::kChar);
}

Tensor Held::linear(const Tensor& x, const Tensor& bias) {
  check_no_gradients(x);
  ready(false, [&](const Tensor& numbers) {
    packed_ = packed_matrix(numbers.flatten(1), x.numel() / x.size(-1));
  });
  if (codes_.defined()) return at::linear(x, whole().flatten(1), bias);
  return packed_linear(x.contiguous(), packed_, bias);
}

Tensor Held::convolved(const Tensor& x, const Tensor& bias, const Sliding& how) {
  check_no_gradients(x);
  const Tensor image = x.contiguous(at::MemoryFormat::ChannelsLast);
  const bool winograd =
      !plan_.lean && !plan_.eight_bit && Winograd::suits(shape_, image.sizes(), how);
  ready(winograd, [&](const Tensor& numbers) {
    if (winograd) {
      winograd_ = std::make_unique<Winograd>(numbers);
    } else {
      packed_ = packed_filters(numbers, how, image.sizes());
    }
  });
  if (codes_.defined()) return at::conv2d(image, whole(), bias, how.stride, how.padding);
  return winograd_ ? (*winograd_)(image, bias) : packed_convolution(image, packed_, bias, how);
}

std::int64_t Held::bytes() const {
  if (mapped_) return 0;
  if (codes_.defined()) return codes_.numel() + 4 * scales_.numel();
  if (winograd_) return winograd_->bytes();
  return packed_.defined() ? 4 * packed_.numel() : 0;
}

Tensor Weight::linear(const Tensor& x, const Tensor& bias) const {
  if (is_held()) return held_->linear(x, bias);
  const Tensor& parameter = *this;
  return at::linear(x, dim() == 2 ? parameter : parameter.flatten(1), bias);
}

Tensor Weight::convolved(const Tensor& x, const Tensor& bias, const Sliding& how) const {
  if (!is_held()) return at::conv2d(x, *this, bias, how.stride, how.padding).to(at::kFloat);
  if (how.stride != 1 || how.padding != 0 || !single_pixels(sizes())) {
    return held_->convolved(x, bias, how);
  }
  const Tensor pixels = x.permute({0, 2, 3, 1});  // as they lie in a channels-last image
  return held_->linear(pixels, bias).permute({0, 3, 1, 2});
}

}  // namespace gradatim::neural
