// FlowNet: an architecture and a base density with their parameters, a density that computes:
// ln p(x) = ln p_base(f(x)) + ln |det df/dx|.
#pragma once

#include <memory>

#include "gradatim/neural/bijection.h"
#include "gradatim/neural/flow/base.h"
#include "gradatim/neural/flow/dequantizer.h"
#include "gradatim/neural/flow/transform.h"
#include "gradatim/neural/nn/memory.h"

namespace gradatim::neural {

class FlowNet {
 public:
  /// With its parameters still to be packed. UsageError GRD-1191 where the architecture does not
  /// suit the shape.
  FlowNet(const Maker& steps, const BaseDensity& base, const FlowShape& shape);

  const FlowShape& shape() const { return shape_; }
  Parameters& parameters() { return parameters_; }
  const Parameters& parameters() const { return parameters_; }
  Transform& steps() { return *steps_; }
  const Base& base() const { return *base_; }
  /// Null where the shape asks for none.
  const Dequantizer* dequantizer() const { return dequantizer_.get(); }

  /// x [rows, sample...] -> ln p [rows] in nats, differentiable.
  Tensor log_prob(const Tensor& x, const Tensor& context) const;
  /// To codes of the base [rows, dims], and back.
  Tensor encode(const Tensor& x, const Tensor& context) const;
  Tensor decode(const Tensor& z, const Tensor& context) const;

 private:
  KeptMemory memory_;
  FlowShape shape_;
  Parameters parameters_;
  std::unique_ptr<Transform> steps_;
  std::vector<std::int64_t> out_shape_;
  std::unique_ptr<Base> base_;
  std::unique_ptr<Dequantizer> dequantizer_;
};

/// One with initial values; one with those of a file, in memory.
std::unique_ptr<FlowNet> make_flow(const Maker& steps, const BaseDensity& base,
                                   const FlowShape& shape, at::Device device = at::kCPU);
std::unique_ptr<FlowNet> load_flow(const Maker& steps, const BaseDensity& base,
                                   const FlowShape& shape, const SafetensorsFile& file,
                                   const std::string& prefix);

}  // namespace gradatim::neural
