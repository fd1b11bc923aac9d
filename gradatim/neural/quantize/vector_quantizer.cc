#include "gradatim/neural/quantize/vector_quantizer.h"

#include "gradatim/neural/library.h"

namespace gradatim::neural {

std::unique_ptr<VectorQuantizer> make_quantizer(const Quantizer& quantizer, const Scope& scope,
                                                std::int64_t dims) {
  return std::unique_ptr<VectorQuantizer>(
      neural_function<MakeQuantizer>(quantizer.maker())(quantizer.config(), scope, dims));
}

}  // namespace gradatim::neural
