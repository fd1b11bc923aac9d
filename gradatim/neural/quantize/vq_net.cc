#include "gradatim/neural/quantize/vq_net.h"

#include "gradatim/neural/size.h"

namespace gradatim::neural {
namespace {

// Draws of each level's own.
std::uint64_t seed_of(std::size_t level, std::uint64_t seed) {
  return seed ^ (std::uint64_t{level} * 0x9E3779B97F4A7C15U);
}

}  // namespace

VqNet::VqNet(const VqPlan& plan, const std::vector<std::int64_t>& sample) {
  const Scope root(parameters_);
  net_ = make_code_net(*plan.autoencoder, root, sample);
  std::int64_t level = 0;
  for (const auto& each : net_->levels()) {
    quantizers_.push_back(
        make_quantizer(*plan.quantizer, root / "quantizers" / level++, each.dims));
  }
}

CodeShape VqNet::codes(std::int64_t classes, std::uint64_t seed) const {
  const auto sizes = quantizers_.front()->sizes();
  CodeShape shape{.sizes = {sizes.begin(), sizes.end()}, .classes = classes, .seed = seed};
  for (const auto& level : net_->levels()) shape.levels.push_back(level.places);
  return shape;
}

std::int64_t VqNet::places() const { return codes(0, 0).places(); }

double VqNet::operations() const {
  return 2.0 * static_cast<double>(parameters_.count() * places());
}

void VqNet::start(const Tensor& x, std::uint64_t seed) {
  net_->encode(x, [&](std::size_t level, const Tensor& z) {
    quantizers_[level]->start(z.contiguous(), seed_of(level, seed));
    return quantizers_[level]->decode(quantizers_[level]->codes(z.contiguous()));
  });
}

VqNet::Pass VqNet::pass(const Tensor& x, const QuantizeStep& step) {
  Pass made;
  const auto vectors = net_->encode(x, [&](std::size_t level, const Tensor& z) {
    const std::int64_t places = net_->levels()[level].places.places();
    QuantizeStep here = step;
    here.all *= places;
    here.first *= places;
    here.seed = seed_of(level, step.seed);
    Quantized found = quantizers_[level]->quantize(z, here);
    if (found.loss.defined()) made.loss = made.loss.defined() ? made.loss + found.loss : found.loss;
    return found.vectors;
  });
  made.out = net_->decode(vectors);
  return made;
}

void VqNet::update(const QuantizeStep& step) {
  for (std::size_t level = 0; level < quantizers_.size(); ++level) {
    QuantizeStep here = step;
    here.all *= net_->levels()[level].places.places();
    here.seed = seed_of(level, step.seed);
    quantizers_[level]->update(here);
  }
}

Tensor VqNet::encode(const Tensor& x) const {
  std::vector<Tensor> found;
  net_->encode(x, [&](std::size_t level, const Tensor& z) {
    const Tensor codes = quantizers_[level]->codes(z.contiguous());
    found.push_back(codes.reshape({x.size(0), -1}));
    return quantizers_[level]->decode(codes);
  });
  return at::cat(found, 1);
}

Tensor VqNet::decode(const Tensor& codes) const {
  std::vector<Tensor> vectors;
  std::int64_t first = 0;
  for (std::size_t level = 0; level < quantizers_.size(); ++level) {
    const std::int64_t books = std::ssize(quantizers_[level]->sizes());
    const std::int64_t length = net_->levels()[level].places.places() * books;
    const Tensor own = codes.narrow(1, first, length).reshape({-1, books});
    vectors.push_back(quantizers_[level]->decode(own));
    first += length;
  }
  return net_->decode(vectors);
}

std::shared_ptr<VqNet> make_vq(const VqPlan& plan, const std::vector<std::int64_t>& sample,
                               std::uint64_t seed, at::Device device) {
  auto net = std::make_shared<VqNet>(plan, sample);
  net->parameters().pack(device);
  net->parameters().init(seed);
  return net;
}

std::shared_ptr<VqNet> load_vq(const VqPlan& plan, const std::vector<std::int64_t>& sample,
                               const SafetensorsFile& file, const std::string& prefix) {
  auto net = std::make_shared<VqNet>(plan, sample);
  net->parameters().check(file, prefix);
  net->parameters().pack();
  net->parameters().load(file, prefix);
  return net;
}

}  // namespace gradatim::neural
