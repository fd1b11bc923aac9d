// Sampling of the transformer: keys and values are kept, and one thread takes a block of rows
// through all places, so that nobody waits for anybody.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "gradatim/neural/nn/kernel/lanes.h"
#include "gradatim/neural/quantize/draw_codes.h"
#include "gradatim/neural/quantize/transformer_prior.h"
#include "gradatim/neural/size.h"

namespace gradatim::neural {
namespace {

using kernel::kGroup;

struct LanePriorNorm {
  Tensor gain, bias;

  explicit LanePriorNorm(const PriorNorm& norm)
      : gain(in_memory(norm.gain)), bias(in_memory(norm.bias)) {}
  void operator()(const float* x, std::int64_t lanes, float* y) const {
    kernel::layer_norm({gain.size(0), lanes, gain.data_ptr<float>(), bias.data_ptr<float>(),
                        static_cast<float>(kPriorNormEpsilon)},
                       x, y);
  }
};

struct LanePriorBlock {
  LanePriorNorm norm1, norm2;
  LaneMatrix qkv, out, up, down;

  explicit LanePriorBlock(const PriorBlock& block)
      : norm1(block.norm1),
        norm2(block.norm2),
        qkv(block.qkv.weight, block.qkv.bias),
        out(block.out.weight, block.out.bias),
        up(block.up.weight, block.up.bias),
        down(block.down.weight, block.down.bias) {}
};

// The network, laid out for sampling.
struct LanePrior {
  const CodeShape& shape;
  std::int64_t width, heads;
  Tensor start, codes, where;  // where: [length, width]
  LanePriorNorm norm;
  std::vector<LanePriorBlock> blocks;
  std::vector<LaneMatrix> outs;  // of each book

  LanePrior(const TransformerPriorNet& net, const CodeShape& of)
      : shape(of),
        width(net.config.width),
        heads(net.config.heads),
        start(in_memory(net.start)),
        codes(in_memory(net.codes)),
        where((in_memory(net.places).unsqueeze(1) + in_memory(net.books)).flatten(0, 1)),
        norm(net.norm.front()) {
    for (const PriorBlock& block : net.blocks) blocks.emplace_back(block);
    const Tensor& weights = net.heads.defined() ? net.heads : net.codes;
    for (std::int64_t book = 0; book < shape.books(); ++book) {
      const std::int64_t first = TransformerPriorNet::offset(shape, book);
      const std::int64_t size = shape.size_at(book);
      outs.emplace_back(weights.narrow(0, first, size), net.head_biases.narrow(0, first, size));
    }
  }
};

// A block of rows on its way through the places.
class LanePass {
 public:
  LanePass(const LanePrior& prior, const LaneBlock& block)
      : prior_(prior),
        block_(block),
        lanes_(block.lanes),
        kept_(std::ssize(prior.blocks) * 2 * prior.shape.length() * prior.width * block.lanes),
        h_(prior.width * lanes_),
        normal_(prior.width * lanes_),
        inner_(4 * prior.width * lanes_),
        scores_(prior.shape.length() * kGroup),
        logits_(*std::ranges::max_element(prior.shape.sizes) * lanes_) {}

  /// Logits of place k, [codes, lanes], when the vectors [width] in front of all rows are numbers
  /// `told` of a table.
  const float* operator()(std::int64_t k, const Tensor& table, const std::int64_t* told) {
    look_up(table.data_ptr<float>(), prior_.width, told, block_, h_);
    const float* where = prior_.where.data_ptr<float>() + k * prior_.width;
    for (std::int64_t j = 0; j < prior_.width; ++j) {
      for (std::int64_t lane = 0; lane < lanes_; ++lane) h_[j * lanes_ + lane] += where[j];
    }
    float* kept = kept_;
    for (const LanePriorBlock& block : prior_.blocks) {
      block.norm1(h_, lanes_, normal_);
      block.qkv(normal_, inner_, lanes_);
      attend(k, kept);
      block.out.add(normal_, h_, lanes_);
      block.norm2(h_, lanes_, normal_);
      block.up(normal_, inner_, lanes_);
      kernel::gelu_by_tanh(inner_, block.up.out() * lanes_);
      block.down.add(inner_, h_, lanes_);
      kept += 2 * prior_.shape.length() * prior_.width * lanes_;
    }
    prior_.norm(h_, lanes_, normal_);
    prior_.outs[to_size(k % prior_.shape.books())](normal_, logits_, lanes_);
    return logits_;
  }

 private:
  // Of queries, keys and values in inner_ to normal_.
  void attend(std::int64_t k, float* kept) {
    const std::int64_t width = prior_.width / prior_.heads, length = prior_.shape.length();
    const auto scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(width)));
    for (std::int64_t lane = 0; lane < lanes_; lane += kGroup) {
      for (std::int64_t head = 0; head < prior_.heads;
           ++head, kept += 2 * length * width * kGroup) {
        const std::int64_t first = head * width;
        float* values = kept + length * width * kGroup;
        keep(prior_.width + first, width, lane, kept + k * width * kGroup);
        keep(2 * prior_.width + first, width, lane, values + k * width * kGroup);
        kernel::attend({kept, values, k + 1, width, scale},
                       {inner_ + first * lanes_ + lane, lanes_}, scores_,
                       {normal_ + first * lanes_ + lane, lanes_});
      }
    }
  }

  void keep(std::int64_t first, std::int64_t count, std::int64_t lane, float* to) {
    for (std::int64_t j = 0; j < count; ++j) {
      std::memcpy(to + j * kGroup, inner_ + (first + j) * lanes_ + lane, kGroup * sizeof(float));
    }
  }

  const LanePrior& prior_;
  LaneBlock block_;
  std::int64_t lanes_;
  // [blocks][groups][heads], of each keys and values [length, width, kGroup]
  LaneRoom kept_;
  LaneRoom h_, normal_, inner_, scores_, logits_;
};

}  // namespace

Tensor sample_transformer(const TransformerPriorNet& net, const CodeShape& shape, std::int64_t rows,
                          const Tensor& labels, const CodeDraw& draw) {
  check_draw(draw);
  const at::NoGradGuard plain;
  const LanePrior prior(net, shape);
  const Tensor codes = at::zeros({rows, shape.length()}, at::kLong);
  const Tensor fronts =
      labels.defined() ? labels.to(at::kCPU).contiguous() : at::zeros({rows}, at::kLong);
  auto* numbers = codes.data_ptr<std::int64_t>();
  const LaneDraws draws(draw, shape, numbers);
  const std::int64_t kept = 2 * std::ssize(prior.blocks) * shape.length() * prior.width;
  in_lane_blocks(rows, kept, [&](const LaneBlock& block) {
    LanePass pass(prior, block);
    std::vector<std::int64_t> told(to_size(block.rows));
    for (std::int64_t k = 0; k < shape.length(); ++k) {
      const std::int64_t offset =
          k == 0 ? 0 : TransformerPriorNet::offset(shape, (k - 1) % shape.books());
      for (std::int64_t j = 0; j < block.rows; ++j) {
        const std::int64_t row = block.first + j;
        told[to_size(j)] = k == 0 ? fronts.data_ptr<std::int64_t>()[row]
                                  : offset + numbers[row * shape.length() + k - 1];
      }
      draws(block, k, pass(k, k == 0 ? prior.start : prior.codes, told.data()));
    }
  });
  return codes;
}

}  // namespace gradatim::neural
