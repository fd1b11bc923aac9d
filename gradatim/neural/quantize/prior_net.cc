#include "gradatim/neural/quantize/prior_net.h"

#include "gradatim/neural/library.h"

namespace gradatim::neural {
namespace {

std::unique_ptr<PriorNet> declared(const CodePrior& prior, const CodeShape& shape) {
  return std::unique_ptr<PriorNet>(
      neural_function<MakePriorNet>(prior.maker())(prior.config(), shape));
}

}  // namespace

std::unique_ptr<PriorNet> make_prior(const CodePrior& prior, const CodeShape& shape,
                                     at::Device device) {
  auto net = declared(prior, shape);
  net->parameters().pack(device);
  net->parameters().init(shape.seed);
  return net;
}

std::unique_ptr<PriorNet> load_prior(const CodePrior& prior, const CodeShape& shape,
                                     const SafetensorsFile& file, const std::string& prefix) {
  auto net = declared(prior, shape);
  net->parameters().check(file, prefix);
  net->parameters().pack();
  net->parameters().load(file, prefix);
  return net;
}

}  // namespace gradatim::neural
