// Parameters: what a network learns, by name, in one buffer.
//
//  1. A network's constructor adds its parameters by a Scope, which knows the name in front
//     ("mid_block.resnets.0.") and gives back the tensor to compute with. It has a shape, and no
//     memory yet: a file is compared with the shapes before any is taken (check()).
//  2. pack() moves all values into one buffer, beside one of gradients, so that an optimiser, a
//     moving average or a norm is one pass. The tensors that were given back look into it.
//  3. init() draws the values: a parameter's are a pure function of the seed, its place and the
//     element.
//
// Or, of a network that is only to compute, hold() instead of 2 and 3: no gradients, no buffer,
// values as they lie in a checkpoint, each weight of a layer packed by its first pass (nn/held.h).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gradatim/core/safetensors.h"
#include "gradatim/neural/nn/tensor.h"

namespace gradatim::neural {

class Held;
struct HeldForm;
class PreparedWeights;
class ScratchMemory;
class Weight;
class Weights;

struct HoldPlan {
  /// Weights of layers in 8 bits: a quarter of the memory, for less exact results in more time.
  bool eight_bit = false;
  /// No form that takes more memory than the weights do (nn/winograd.h).
  bool lean = false;
  /// Weights that need no packing (nn/prepared.h), or none, and the network's name there.
  std::shared_ptr<const PreparedWeights> prepared = nullptr;
  std::string network = {};
  /// Of numbers that lie in another type than float32; hold() makes one.
  std::shared_ptr<ScratchMemory> scratch = nullptr;
};

/// How values begin: uniform in [-size, size], normal of that deviation, or all `size`.
struct Init {
  enum class Kind { uniform, normal, constant } kind = Kind::constant;
  double size = 0.0;
  double last = 1.0;  // times that, for the last number of every row

  static Init uniform(double bound) { return {Kind::uniform, bound}; }
  static Init normal(double deviation) { return {Kind::normal, deviation}; }
  static Init constant(double value) { return {Kind::constant, value}; }
  /// Of a layer with so many inputs, as torch begins linear layers and convolutions.
  static Init of_inputs(std::int64_t inputs);
};

class Parameters {
 public:
  struct Item {
    std::string name;
    Tensor value;
    Init init;
    std::int64_t offset = 0;               // in the buffer
    std::shared_ptr<Held> held = nullptr;  // of what layers multiply by
  };

  /// Before pack(). Names are distinct.
  Tensor add(std::string name, at::IntArrayRef sizes, Init init);
  /// The same of what a layer multiplies by.
  Weight add_weight(std::string name, at::IntArrayRef sizes, Init init);
  void pack(at::Device device = at::kCPU);
  void init(std::uint64_t seed);

  /// Instead of pack(): float32 values stay in the mapped file, layers' weights are read by their
  /// first pass. Errors of check_weights() (checkpoint/fit.h), before any memory is taken;
  /// ModelError GRD-3061 where a number is not finite, of a weight in its first pass. From then on
  /// UsageError GRD-1213 where gradients are to go through a layer.
  void hold(std::shared_ptr<const Weights> weights, HoldPlan plan = {});
  /// Of what is held so far, in memory of its own.
  std::int64_t held_bytes() const;
  /// Adds what is held so far to the forms of prepared weights. Whether any is not in the file that
  /// it was held with.
  bool add_forms(std::map<std::string, HeldForm>& forms) const;

  const std::vector<Item>& items() const { return items_; }
  std::int64_t count() const { return values_.numel(); }
  /// All values and all gradients, [count()].
  const Tensor& values() const { return values_; }
  const Tensor& gradients() const { return gradients_; }
  /// Whether backward passes reach the parameters.
  void require_gradients(bool on);

  /// Writes them by name, from a buffer like values().
  void store(SafetensorsWriter& file, const Tensor& buffer, const std::string& prefix = {}) const;
  /// Whether a file has these parameters, before or behind pack(). ModelError GRD-3002, GRD-3003
  /// where one is missing or of another shape; GRD-3060 where the file has one that the network
  /// does not know.
  void check(const SafetensorsFile& file, const std::string& prefix = {}) const;
  /// Reads them all, behind pack(). Errors of check(), and GRD-3061 where a number is not finite.
  void load(const SafetensorsFile& file, const std::string& prefix = {});

 private:
  std::vector<Item> items_;
  Tensor values_, gradients_;
};

/// A place in a network: adds parameters under a name.
class Scope {
 public:
  explicit Scope(Parameters& parameters, std::string prefix = {})
      : parameters_(&parameters), prefix_(std::move(prefix)) {}
  Scope operator/(const std::string& name) const {
    return Scope(*parameters_, prefix_ + name + ".");
  }
  Scope operator/(std::int64_t place) const { return *this / std::to_string(place); }
  Tensor add(const std::string& name, at::IntArrayRef sizes, Init init) const {
    return parameters_->add(prefix_ + name, sizes, init);
  }
  Weight add_weight(const std::string& name, at::IntArrayRef sizes, Init init) const;

 private:
  Parameters* parameters_;
  std::string prefix_;
};

}  // namespace gradatim::neural
