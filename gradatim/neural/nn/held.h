// Held: the weight of a layer whose network only computes (Parameters::hold()).
//
//  1. hold() says where its numbers are. Nothing is read.
//  2. The layer's first pass reads them, in the form that the layer multiplies fastest: packed for
//     oneDNN, in float32, or in 8 bits with a scale for every output channel. What the source
//     mapped is let go. With prepared weights (nn/prepared.h) it maps what an earlier program made.
//  3. Later passes use what is there. A convolution is packed for the size of the first image;
//     others give the same, and are not much slower.
//
// oneDNN's plain layers pack a weight on every call, which takes as long as the product where
// images are small.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "gradatim/neural/nn/parameters.h"
#include "gradatim/neural/nn/prepared.h"
#include "gradatim/neural/nn/winograd.h"

namespace gradatim::neural {

/// float32, in the mapped file where that has it, else in the scratch, if given. ModelError
/// GRD-3061 where a number is not finite.
Tensor read_finite(const Weights& weights, const std::string& name,
                   ScratchMemory* scratch = nullptr);

class Held {
 public:
  void take(std::shared_ptr<const Weights> source, std::string name, HoldPlan plan);
  bool on() const { return on_; }

  /// x [..., in], by [out, in] or a convolution of single pixels -> [..., out].
  Tensor linear(const Tensor& x, const Tensor& bias);
  /// Channels-last.
  Tensor convolved(const Tensor& x, const Tensor& bias, const Sliding& how);
  /// What it takes of memory, mapped files left out.
  std::int64_t bytes() const;
  /// Adds its form to those of a file of prepared weights; nothing before its first pass. Whether
  /// it is one that the file it was held with does not have.
  bool add_form(HeldForms& forms) const;

 private:
  /// Once: the numbers in 8 bits, or what `pack` does with them, or what was prepared.
  template <class Pack>
  void ready(bool winograd, const Pack& pack);
  void quantise(const Tensor& numbers);
  bool take_prepared(bool winograd);
  HeldForm form() const;
  std::string prepared_name(bool winograd) const;
  Tensor whole() const { return codes_ * scales_; }

  bool on_ = false;
  HoldPlan plan_;
  std::shared_ptr<const Weights> source_;
  std::string name_;
  std::vector<std::int64_t> shape_;
  std::mutex mutex_;
  std::atomic<bool> ready_ = false;
  bool mapped_ = false;  // lies in the file of prepared weights
  // One of these.
  Tensor packed_;
  std::unique_ptr<Winograd> winograd_;
  Tensor codes_, scales_;  // of 8 bits: int8, and [out, 1, ...]
};

/// A parameter that a layer multiplies by, [out, in] or [out, in, size, size]. Of a network that is
/// held it is but a shape, and the numbers are elsewhere.
class Weight : public Tensor {
 public:
  Weight(Tensor parameter,
         std::shared_ptr<Held> held = nullptr)  // NOLINT: also of one that packs nothing
      : Tensor(std::move(parameter)), held_(std::move(held)) {}

  /// x [..., in] -> [..., out]; a convolution of single pixels is the same product.
  Tensor linear(const Tensor& x, const Tensor& bias) const;
  /// Of images, float32.
  Tensor convolved(const Tensor& x, const Tensor& bias, const Sliding& how) const;
  /// For autograd's functions, which pass over what is but derived from a tensor.
  const Tensor& tensor() const { return *this; }
  bool is_held() const { return held_ != nullptr && held_->on(); }

 private:
  std::shared_ptr<Held> held_;
};

}  // namespace gradatim::neural
