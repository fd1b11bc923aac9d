#include "gradatim/neural/quantize/transformer_prior.h"

#include <fmt/format.h>

#include <cmath>
#include <numeric>
#include <optional>

#include "gradatim/core/error.h"
#include "gradatim/neural/nn/dropout.h"
#include "gradatim/neural/nn/memory.h"
#include "gradatim/neural/size.h"

namespace gradatim::neural {
namespace {

// As GPT-2 begins; what blocks add begins smaller the more of them there are.
constexpr double kPriorDeviation = 0.02;

Dense prior_dense(const Scope& scope, std::int64_t in, std::int64_t out, double share = 1.0) {
  return {scope, in, out, Init::normal(kPriorDeviation * share), Init::constant(0.0)};
}

Tensor thinned(const Tensor& x, double dropped, Dropout& dropout) {
  const Tensor mask = dropout.mask(x, dropped);
  return mask.defined() ? x * mask : x;
}

class TransformerPrior final : public PriorNet {
 public:
  TransformerPrior(const TransformerPriorConfig& config, const CodeShape& shape)
      : PriorNet(checked(shape, config)), net_(Scope(parameters()), config, shape) {}

  Tensor log_prob(const Tensor& codes, const Tensor& labels,
                  const std::optional<Philox>& draws) override {
    const PooledMemory memory;
    Dropout dropout(draws);
    Tensor h = embedded(codes, labels);
    for (const PriorBlock& block : net_.blocks) {
      h = block(h, net_.config.heads, net_.config.dropout, dropout);
    }
    h = net_.norm.front()(h);
    const std::int64_t length = shape().length(), books = shape().books();
    std::vector<Tensor> nats;
    for (std::int64_t book = 0; book < books; ++book) {
      const std::int64_t first = TransformerPriorNet::offset(shape(), book);
      const std::int64_t size = shape().size_at(book);
      const Tensor& weights = net_.heads.defined() ? net_.heads : net_.codes;
      const Tensor logits =
          at::linear(h.slice(1, book, length, books), weights.narrow(0, first, size),
                     net_.head_biases.narrow(0, first, size));
      const Tensor chosen = codes.slice(1, book, length, books).unsqueeze(2);
      nats.push_back(at::log_softmax(logits, -1).gather(2, chosen));
    }
    return at::cat(nats, 2).flatten(1);  // [rows, places, books] -> [rows, length]
  }

  Tensor sample(std::int64_t rows, const Tensor& labels, const CodeDraw& draw) override {
    return sample_transformer(net_, shape(), rows, labels, draw);
  }

 private:
  static const CodeShape& checked(const CodeShape& shape, const TransformerPriorConfig& config) {
    check_codes(shape);
    GRADATIM_CHECK(config.width % config.heads == 0, UsageError, 1157,
                   "the width of neural.code_prior.transformer must be a multiple of its {} heads; "
                   "it is {}",
                   config.heads, config.width);
    return shape;
  }

  // [rows, length, width]
  Tensor embedded(const Tensor& codes, const Tensor& labels) const {
    const std::int64_t rows = codes.size(0), length = shape().length(), books = shape().books();
    std::vector<std::int64_t> first(to_size(books));
    for (std::int64_t book = 0; book < books; ++book) {
      first[to_size(book)] = TransformerPriorNet::offset(shape(), book);
    }
    const Tensor offsets = at::tensor(first, at::kLong).to(codes.device()).repeat(shape().places());
    const Tensor front = labels.defined() ? at::embedding(net_.start, labels)
                                          : net_.start.expand({rows, net_.config.width});
    const Tensor earlier = (codes + offsets).narrow(1, 0, length - 1);
    const Tensor told = at::cat({front.unsqueeze(1), at::embedding(net_.codes, earlier)}, 1);
    const Tensor where = (net_.places.unsqueeze(1) + net_.books).flatten(0, 1);  // [length, width]
    return told + where;
  }

  KeptMemory kept_;
  TransformerPriorNet net_;
};

}  // namespace

PriorNorm::PriorNorm(const Scope& scope, std::int64_t width)
    : gain(scope.add("weight", {width}, Init::constant(1.0))),
      bias(scope.add("bias", {width}, Init::constant(0.0))) {}

Tensor PriorNorm::operator()(const Tensor& x) const {
  return at::layer_norm(x, gain.sizes(), gain, bias, kPriorNormEpsilon);
}

PriorBlock::PriorBlock(const Scope& scope, const TransformerPriorConfig& config)
    : norm1(scope / "norm1", config.width),
      norm2(scope / "norm2", config.width),
      qkv(prior_dense(scope / "qkv", config.width, 3 * std::int64_t{config.width})),
      out(prior_dense(scope / "out", config.width, config.width,
                      1.0 / std::sqrt(2.0 * config.layers))),
      up(prior_dense(scope / "up", config.width, 4 * std::int64_t{config.width})),
      down(prior_dense(scope / "down", 4 * std::int64_t{config.width}, config.width,
                       1.0 / std::sqrt(2.0 * config.layers))) {}

Tensor PriorBlock::operator()(const Tensor& h, std::int64_t heads, double dropped,
                              Dropout& dropout) const {
  const Tensor all = qkv(norm1(h))
                         .view({h.size(0), h.size(1), 3, heads, h.size(2) / heads})
                         .permute({2, 0, 3, 1, 4});  // [3, rows, heads, length, head]
  const Tensor mixed = at::scaled_dot_product_attention(all[0], all[1], all[2], {}, 0.0, true);
  const Tensor seen = h + thinned(out(mixed.transpose(1, 2).reshape(h.sizes())), dropped, dropout);
  return seen + thinned(down(at::gelu(up(norm2(seen)), "tanh")), dropped, dropout);
}

TransformerPriorNet::TransformerPriorNet(const Scope& root, const TransformerPriorConfig& own,
                                         const CodeShape& shape)
    : config(own) {
  const std::int64_t width = own.width, codes_of_all = offset(shape, shape.books());
  const Init init = Init::normal(kPriorDeviation);
  start = root.add("start", {std::max<std::int64_t>(1, shape.classes), width}, init);
  codes = root.add("codes", {codes_of_all, width}, init);
  places = root.add("places", {shape.places(), width}, init);
  books = root.add("books", {shape.books(), width}, init);
  for (int k = 0; k < own.layers; ++k) blocks.emplace_back(root / "blocks" / k, own);
  norm.emplace_back(root / "norm", width);
  if (!own.tied) heads = (root / "heads").add("weight", {codes_of_all, width}, init);
  head_biases = (root / "heads").add("bias", {codes_of_all}, Init::constant(0.0));
}

std::int64_t TransformerPriorNet::offset(const CodeShape& shape, std::int64_t book) {
  return std::accumulate(shape.sizes.begin(), shape.sizes.begin() + book, std::int64_t{0});
}

void check_codes(const CodeShape& shape) {
  bool any = !shape.levels.empty() && !shape.sizes.empty();
  for (const auto& level : shape.levels) any = any && level.height > 0 && level.width > 0;
  for (const std::int64_t size : shape.sizes) any = any && size > 0;
  GRADATIM_CHECK(any, UsageError, 1157,
                 "a prior takes codes of at least one level, place and book, and books of at least "
                 "one code; there are {} levels and {} books",
                 shape.levels.size(), shape.sizes.size());
}

}  // namespace gradatim::neural

extern "C" {

gradatim::neural::MakePriorNet gradatim_make_transformer_prior;

gradatim::neural::PriorNet* gradatim_make_transformer_prior(
    const void* config, const gradatim::neural::CodeShape& shape) {
  using namespace gradatim::neural;
  return new TransformerPrior(*static_cast<const TransformerPriorConfig*>(config), shape);
}
}
