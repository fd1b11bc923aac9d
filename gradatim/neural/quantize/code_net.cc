#include "gradatim/neural/quantize/code_net.h"

#include "gradatim/neural/library.h"

namespace gradatim::neural {

std::unique_ptr<CodeNet> make_code_net(const Autoencoder& autoencoder, const Scope& scope,
                                       const std::vector<std::int64_t>& sample) {
  return std::unique_ptr<CodeNet>(
      neural_function<MakeCodeNet>(autoencoder.maker())(autoencoder.config(), scope, sample));
}

}  // namespace gradatim::neural
