// VqNet: encoder, quantisers and decoder, with one buffer of parameters.
#pragma once

#include <memory>
#include <vector>

#include "gradatim/neural/model/vq.h"
#include "gradatim/neural/quantize/code_net.h"
#include "gradatim/neural/quantize/vector_quantizer.h"

namespace gradatim::neural {

class VqNet {
 public:
  /// Its parameters are still to be packed.
  VqNet(const VqPlan& plan, const std::vector<std::int64_t>& sample);

  Parameters& parameters() { return parameters_; }
  const Parameters& parameters() const { return parameters_; }
  /// What its codes are.
  CodeShape codes(std::int64_t classes, std::uint64_t seed) const;
  /// Multiplications and additions for a row, about: twice the parameters at every place.
  double operations() const;

  /// Codes begin where untrained vectors of x [rows, sample...] lie.
  void start(const Tensor& x, std::uint64_t seed);
  struct Pass {
    Tensor out;  // [rows, sample...]
    Tensor
        loss;  // what the codes lose: sums over vectors of means over their numbers; or undefined
  };
  /// Under an active gradient mode. `all` and `first` of the step count rows.
  Pass pass(const Tensor& x, const QuantizeStep& step);
  void update(const QuantizeStep& step);
  /// How many vectors a row has.
  std::int64_t places() const;

  Tensor encode(const Tensor& x) const;      // [rows, length], int64
  Tensor decode(const Tensor& codes) const;  // [rows, sample...]

 private:
  Parameters parameters_;
  std::unique_ptr<CodeNet> net_;
  std::vector<std::unique_ptr<VectorQuantizer>> quantizers_;  // of the levels
};

std::shared_ptr<VqNet> make_vq(const VqPlan& plan, const std::vector<std::int64_t>& sample,
                               std::uint64_t seed, at::Device device);
std::shared_ptr<VqNet> load_vq(const VqPlan& plan, const std::vector<std::int64_t>& sample,
                               const SafetensorsFile& file, const std::string& prefix);

}  // namespace gradatim::neural
