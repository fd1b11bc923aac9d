#include "gradatim/neural/quantize/pixelcnn.h"

#include <fmt/format.h>

#include <numeric>

#include "gradatim/core/error.h"
#include "gradatim/neural/nn/dropout.h"
#include "gradatim/neural/nn/memory.h"
#include "gradatim/neural/quantize/transformer_prior.h"
#include "gradatim/neural/size.h"

namespace gradatim::neural {
namespace {

// 1 where group a of the outputs, which lie in two halves where there are twice as many, sees group
// b of the inputs, [outputs, inputs].
Tensor group_mask(std::int64_t outputs, std::int64_t inputs, std::int64_t groups, bool own) {
  const Tensor in = at::arange(inputs) / (inputs / groups);
  const Tensor out = (at::arange(outputs) % inputs) / (inputs / groups);
  const Tensor of_in = in.floor().unsqueeze(0), of_out = out.floor().unsqueeze(1);
  return (own ? of_out.ge(of_in) : of_out.gt(of_in)).to(at::kFloat);
}

Tensor by_pixel(const Tensor& x, const Tensor& matrix, const Tensor& bias = {}) {
  return at::conv2d(x, matrix.unsqueeze(2).unsqueeze(3), bias);
}

Tensor gated_features(const Tensor& x) {
  const auto halves = x.chunk(2, 1);
  return at::tanh(halves[0]) * at::sigmoid(halves[1]);
}

// What a place's codes are to a network, [rows, width, height, width of the level].
Tensor pixels_of(const Tensor& codes, const Tensor& table, const CodeShape& shape,
                 const CodeShape::Level& level) {
  std::vector<std::int64_t> first;
  for (std::int64_t book = 0; book < shape.books(); ++book) {
    first.push_back(TransformerPriorNet::offset(shape, book));
  }
  const Tensor places = codes.reshape({codes.size(0), level.height, level.width, shape.books()});
  const Tensor numbers = places + at::tensor(first, at::kLong).to(codes.device());
  return at::embedding(table, numbers).flatten(3).permute({0, 3, 1, 2});
}

Tensor resized(const Tensor& pixels, const CodeShape::Level& level) {
  const auto places = [&](std::int64_t count, std::int64_t others) {
    std::vector<std::int64_t> numbers;
    for (std::int64_t k = 0; k < count; ++k) numbers.push_back(place_among(k, count, others));
    return at::tensor(numbers, at::kLong).to(pixels.device());
  };
  return pixels.index_select(2, places(level.height, pixels.size(2)))
      .index_select(3, places(level.width, pixels.size(3)));
}

class PixelCnnPrior final : public PriorNet {
 public:
  PixelCnnPrior(const PixelCnnPriorConfig& config, const CodeShape& shape)
      : PriorNet(checked(shape, config)), net_(Scope(parameters()), config, shape) {}

  Tensor log_prob(const Tensor& codes, const Tensor& labels,
                  const std::optional<Philox>& draws) override {
    const PooledMemory memory;
    Dropout dropout(draws);
    std::vector<Tensor> nats;
    for (std::size_t k = 0; k < net_.levels.size(); ++k) {
      nats.push_back(level_nats(k, codes, labels, dropout));
    }
    return at::cat(nats, 1);
  }

  Tensor sample(std::int64_t rows, const Tensor& labels, const CodeDraw& draw) override {
    return sample_pixelcnn(net_, shape(), rows, labels, draw);
  }

 private:
  static const CodeShape& checked(const CodeShape& shape, const PixelCnnPriorConfig& config) {
    check_codes(shape);
    GRADATIM_CHECK(
        config.width % shape.books() == 0, UsageError, 1157,
        "the width of neural.code_prior.pixelcnn must be a multiple of the {} books of a "
        "place; it is {}",
        shape.books(), config.width);
    for (const int kernel : {config.first_kernel, config.kernel}) {
      GRADATIM_CHECK(kernel % 2 == 1, UsageError, 1157,
                     "kernels of neural.code_prior.pixelcnn are odd, with a place in the middle; "
                     "one is {}",
                     kernel);
    }
    return shape;
  }

  Tensor codes_of(const PixelLevel& level, const Tensor& codes) const {
    return codes.narrow(1, level.first_code, level.places.places() * shape().books());
  }

  // What the codes of coarser levels say at every place, or nothing.
  Tensor given(std::size_t number, const Tensor& codes) const {
    const PixelLevel& level = net_.levels[number];
    if (level.coarse.empty()) return {};
    std::vector<Tensor> coarser;
    for (std::size_t k = 0; k < number; ++k) {
      const PixelLevel& other = net_.levels[k];
      const Tensor pixels =
          pixels_of(codes_of(other, codes), level.coarse[k], shape(), other.places);
      coarser.push_back(resized(pixels, level.places));
    }
    return at::silu(at::conv2d(at::cat(coarser, 1), level.coarse_weight, level.coarse_bias, 1, 1));
  }

  // [rows, places * books]
  Tensor level_nats(std::size_t number, const Tensor& codes, const Tensor& labels,
                    Dropout& dropout) const {
    const PixelLevel& level = net_.levels[number];
    const std::int64_t width = net_.config.width, books = shape().books();
    const Tensor own = codes_of(level, codes), seen = given(number, codes);
    Tensor h = pixels_of(own, level.codes, shape(), level.places), v = h;
    for (const PixelLayer& layer : level.layers) forward(layer, seen, labels, v, h, dropout);
    const Tensor all = group_mask(width, width, books, true).to(h.device());
    const Tensor hidden = at::relu(by_pixel(at::relu(h), level.hidden * all, level.hidden_bias))
                              .permute({0, 2, 3, 1});  // [rows, height, width of the level, width]
    std::vector<Tensor> nats;
    for (std::int64_t book = 0; book < books; ++book) {
      const std::int64_t groups = (book + 1) * (width / books);
      const Tensor logits = level.books[to_size(book)](hidden.narrow(3, 0, groups)).flatten(1, 2);
      const Tensor chosen = own.slice(1, book, own.size(1), books).unsqueeze(2);
      nats.push_back(at::log_softmax(logits, -1).gather(2, chosen));
    }
    return at::cat(nats, 2).flatten(1);
  }

  void forward(const PixelLayer& layer, const Tensor& seen, const Tensor& labels, Tensor& v,
               Tensor& h, Dropout& dropout) const {
    const std::int64_t width = net_.config.width, books = shape().books(), half = layer.kernel / 2;
    Tensor told;
    if (seen.defined()) told = by_pixel(seen, layer.given);
    if (layer.labels.defined()) {
      const Tensor shift = at::embedding(layer.labels, labels).unsqueeze(2).unsqueeze(3);
      told = told.defined() ? told + shift : shift;
    }
    const Tensor own = group_mask(2 * width, width, books, !layer.first).to(h.device());
    const Tensor mask =
        at::cat({at::ones_like(own).unsqueeze(2).expand({-1, -1, half}), own.unsqueeze(2)}, 2)
            .unsqueeze(2);
    Tensor right =
        at::conv2d(at::constant_pad_nd(h, {half, 0}), layer.right * mask, layer.right_bias);
    if (layer.down.defined()) {
      // Row r of what comes out sees the rows above it alone: later layers may look at their own
      // row, because the first did not.
      const Tensor above = at::constant_pad_nd(v, {half, half, half, 0});
      Tensor down = at::conv2d(above, layer.down, layer.down_bias).narrow(2, 0, h.size(2));
      if (told.defined()) down = down + told;
      right = right + by_pixel(down, layer.link);
      v = gated_features(down);
    } else if (told.defined()) {
      right = right + told;
    }
    Tensor more = gated_features(right);
    const Tensor kept = dropout.mask(more, net_.config.dropout);
    if (kept.defined()) more = more * kept;
    const Tensor groups = group_mask(width, width, books, true).to(h.device());
    more = by_pixel(more, layer.residual * groups, layer.residual_bias);
    h = layer.first ? more : h + more;
  }

  KeptMemory kept_;
  PixelCnn net_;
};

PixelLayer make_layer(const Scope& scope, const PixelCnnPriorConfig& config, bool first,
                      const CodeShape& shape, const PixelLevel& level) {
  const std::int64_t width = config.width, kernel = first ? config.first_kernel : config.kernel;
  const std::int64_t half = kernel / 2;
  PixelLayer layer{.kernel = kernel, .first = first};
  const auto add = [&](const char* name, at::IntArrayRef sizes, std::int64_t inputs) {
    return scope.add(name, sizes, Init::of_inputs(inputs));
  };
  if (level.places.height > 1) {
    const std::int64_t rows = first ? half : half + 1, inputs = width * rows * kernel;
    layer.down = add("down", {2 * width, width, rows, kernel}, inputs);
    layer.down_bias = add("down_bias", {2 * width}, inputs);
    layer.link = add("link", {2 * width, 2 * width}, 2 * width);
  }
  layer.right = add("right", {2 * width, width, 1, half + 1}, width * (half + 1));
  layer.right_bias = add("right_bias", {2 * width}, width * (half + 1));
  if (!level.coarse.empty()) layer.given = add("given", {2 * width, width}, width);
  if (shape.classes > 0) {
    layer.labels = scope.add("labels", {shape.classes, 2 * width}, Init::normal(0.1));
  }
  layer.residual = add("residual", {width, width}, width);
  layer.residual_bias = add("residual_bias", {width}, width);
  return layer;
}

}  // namespace

PixelCnn::PixelCnn(const Scope& root, const PixelCnnPriorConfig& own, const CodeShape& shape)
    : config(own) {
  const std::int64_t width = own.width, books = shape.books();
  const std::int64_t codes = TransformerPriorNet::offset(shape, books);
  std::int64_t first_code = 0;
  for (std::size_t number = 0; number < shape.levels.size(); ++number) {
    const Scope scope = root / "levels" / static_cast<std::int64_t>(number);
    PixelLevel level{.places = shape.levels[number], .first_code = first_code};
    first_code += level.places.places() * books;
    level.codes = scope.add("codes", {codes, width / books}, Init::normal(1.0));
    for (std::size_t k = 0; k < number; ++k) {
      level.coarse.push_back((scope / "coarse" / static_cast<std::int64_t>(k))
                                 .add("codes", {codes, width / books}, Init::normal(1.0)));
    }
    if (number > 0) {
      const auto inputs = static_cast<std::int64_t>(number) * width;
      const Init init = Init::of_inputs(9 * inputs);
      level.coarse_weight = (scope / "coarse").add("weight", {width, inputs, 3, 3}, init);
      level.coarse_bias = (scope / "coarse").add("bias", {width}, init);
    }
    for (int k = 0; k < own.layers; ++k) {
      level.layers.push_back(make_layer(scope / "layers" / k, own, k == 0, shape, level));
    }
    level.hidden = (scope / "hidden").add("weight", {width, width}, Init::of_inputs(width));
    level.hidden_bias = (scope / "hidden").add("bias", {width}, Init::of_inputs(width));
    for (std::int64_t book = 0; book < books; ++book) {
      const std::int64_t groups = (book + 1) * (width / books);
      level.books.emplace_back(scope / "books" / book, groups, shape.size_at(book));
    }
    levels.push_back(std::move(level));
  }
}

}  // namespace gradatim::neural

extern "C" {

gradatim::neural::MakePriorNet gradatim_make_pixelcnn_prior;

gradatim::neural::PriorNet* gradatim_make_pixelcnn_prior(const void* config,
                                                         const gradatim::neural::CodeShape& shape) {
  using namespace gradatim::neural;
  return new PixelCnnPrior(*static_cast<const PixelCnnPriorConfig*>(config), shape);
}
}
