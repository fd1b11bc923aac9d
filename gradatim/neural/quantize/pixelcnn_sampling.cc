// Sampling of the PixelCNN: what a place needs is computed once. The vertical stack goes row by
// row, the horizontal one code by code, each only at the places and groups that are new; one thread
// takes a block of rows through all of it.
#include <algorithm>

#include "gradatim/neural/nn/kernel/lanes.h"
#include "gradatim/neural/quantize/draw_codes.h"
#include "gradatim/neural/quantize/pixelcnn.h"
#include "gradatim/neural/quantize/transformer_prior.h"
#include "gradatim/neural/size.h"

namespace gradatim::neural {
namespace {

// Rows of a group among two halves.
Tensor group_rows(const Tensor& matrix, std::int64_t group, std::int64_t size) {
  const std::int64_t half = matrix.size(0) / 2;
  return at::cat(
      {matrix.narrow(0, group * size, size), matrix.narrow(0, half + group * size, size)});
}

// What one group of a layer takes: [2 size, width] of each place to the left, the farthest first,
// and the groups of its own place that it sees.
struct LanePixelGroup {
  std::vector<LaneMatrix> left;
  LaneMatrix own, residual;

  LanePixelGroup(const PixelLayer& layer, std::int64_t group, std::int64_t size)
      : own(group_rows(layer.right.select(2, 0).select(2, layer.kernel / 2), group, size)
                .narrow(1, 0, (layer.first ? group : group + 1) * size)),
        residual(layer.residual.narrow(0, group * size, size).narrow(1, 0, (group + 1) * size),
                 layer.residual_bias.narrow(0, group * size, size)) {
    const Tensor rows = layer.right.select(2, 0);  // [2 width, width, left + 1]
    for (std::int64_t k = 0; k < layer.kernel / 2; ++k) {
      left.emplace_back(group_rows(rows.select(2, k), group, size));
    }
  }
};

struct LanePixelLayer {
  std::int64_t kernel, rows;     // rows: of the vertical kernel
  std::vector<LaneMatrix> down;  // of each place of the vertical kernel, row by row
  std::vector<LaneMatrix> link, given;
  std::vector<LanePixelGroup> groups;
  Tensor bias, right_bias, labels;  // bias: of the vertical stack

  LanePixelLayer(const PixelLayer& layer, std::int64_t books)
      : kernel(layer.kernel), rows(0), right_bias(in_memory(layer.right_bias)) {
    if (layer.down.defined()) {
      rows = layer.down.size(2);
      for (std::int64_t k = 0; k < rows * kernel; ++k) {
        down.emplace_back(layer.down.flatten(2).select(2, k));
      }
      link.emplace_back(layer.link, layer.right_bias);
      bias = in_memory(layer.down_bias);
    } else {
      bias = right_bias;  // of the only stack
    }
    if (layer.given.defined()) given.emplace_back(layer.given);
    if (layer.labels.defined()) labels = in_memory(layer.labels);
    const std::int64_t size = layer.residual.size(0) / books;
    for (std::int64_t g = 0; g < books; ++g) groups.emplace_back(layer, g, size);
  }
};

struct LanePixelLevel {
  const PixelLevel& level;
  std::int64_t width;
  Tensor codes, coarse_bias;
  std::vector<Tensor> coarse;
  std::vector<LaneMatrix> coarse_taps;  // [coarser levels][9]
  std::vector<LanePixelLayer> layers;
  std::vector<LaneMatrix> hidden, books;

  LanePixelLevel(const PixelLevel& of, std::int64_t wide, std::int64_t count)
      : level(of), width(wide), codes(in_memory(of.codes)) {
    for (std::size_t k = 0; k < of.coarse.size(); ++k) {
      coarse.push_back(in_memory(of.coarse[k]));
      const Tensor taps =
          of.coarse_weight.narrow(1, static_cast<std::int64_t>(k) * width, width).flatten(2);
      for (std::int64_t j = 0; j < 9; ++j) coarse_taps.emplace_back(taps.select(2, j));
    }
    if (of.coarse_bias.defined()) coarse_bias = in_memory(of.coarse_bias);
    for (const PixelLayer& layer : of.layers) layers.emplace_back(layer, count);
    const std::int64_t size = width / count;
    for (std::int64_t g = 0; g < count; ++g) {
      hidden.emplace_back(of.hidden.narrow(0, g * size, size).narrow(1, 0, (g + 1) * size),
                          of.hidden_bias.narrow(0, g * size, size));
      books.emplace_back(of.books[to_size(g)].weight, of.books[to_size(g)].bias);
    }
  }
};

// A block of rows on its way through the places of a level. Numbers of a place: [width, lanes].
class LanePixelPass {
 public:
  LanePixelPass(const LanePixelLevel& net, const CodeShape& shape, const LaneBlock& block,
                const LaneDraws& draws, const std::int64_t* codes, const std::int64_t* labels)
      : net_(net),
        shape_(shape),
        block_(block),
        draws_(draws),
        codes_(codes),
        place_(net.width * block.lanes),
        across_(net.level.places.width),
        kept_rows_(net.layers.back().kernel / 2 + 1),
        seen_(net.level.places.places() * place_),
        told_(std::ssize(net.layers) * 2 * place_),
        above_(std::ssize(net.layers) * kept_rows_ * across_ * place_),
        linked_(std::ssize(net.layers) * across_ * 2 * place_),
        right_(std::ssize(net.layers) * across_ * place_),
        gates_(std::ssize(net.layers) * place_),
        both_(2 * place_),
        given_(net.coarse.empty() ? 0 : across_ * place_),
        most_(place_),
        hidden_(place_),
        logits_(*std::ranges::max_element(shape.sizes) * block.lanes) {
    for (std::size_t l = 0; l < net.layers.size(); ++l) tell(l, labels);
    for (std::size_t k = 0; k < net.coarse.size(); ++k) see_coarser(k);
  }

  void run(const std::vector<CodeShape::Level>& levels) {
    for (std::int64_t row = 0; row < net_.level.places.height; ++row) {
      if (!net_.coarse.empty()) give(row, levels);
      for (std::size_t l = 0; l < net_.layers.size(); ++l) go_down(l, row);
      for (std::int64_t column = 0; column < across_; ++column) {
        for (std::int64_t book = 0; book < shape_.books(); ++book) go_right(row, column, book);
      }
    }
  }

 private:
  float* seen(std::int64_t row, std::int64_t column) {
    return seen_ + (row * across_ + column) * place_;
  }
  float* above(std::size_t l, std::int64_t row, std::int64_t column) {
    const std::int64_t kept = static_cast<std::int64_t>(l) * kept_rows_ + row % kept_rows_;
    return above_ + (kept * across_ + column) * place_;
  }
  float* linked(std::size_t l, std::int64_t column) {
    return linked_ + (static_cast<std::int64_t>(l) * across_ + column) * 2 * place_;
  }
  float* right(std::size_t l, std::int64_t column) {
    return right_ + (static_cast<std::int64_t>(l) * across_ + column) * place_;
  }
  float* told(std::size_t l) { return told_ + static_cast<std::int64_t>(l) * 2 * place_; }

  // The label's shift and the bias: the same at all places.
  void tell(std::size_t l, const std::int64_t* labels) {
    const LanePixelLayer& layer = net_.layers[l];
    float* to = told(l);
    if (layer.labels.defined()) {
      look_up(layer.labels.data_ptr<float>(), 2 * net_.width, labels + block_.first, block_, to);
    } else {
      std::fill_n(to, 2 * place_, 0.0F);
    }
    const float* bias = layer.bias.data_ptr<float>();
    for (std::int64_t k = 0; k < 2 * place_; ++k) to[k] += bias[k / block_.lanes];
  }

  // One book's part of what a place's code is.
  void look(const Tensor& table, std::int64_t book, std::int64_t first, float* place) {
    const std::int64_t size = table.size(1);
    std::vector<std::int64_t> numbers(to_size(block_.rows));
    for (std::int64_t j = 0; j < block_.rows; ++j) {
      numbers[to_size(j)] = TransformerPriorNet::offset(shape_, book) +
                            codes_[(block_.first + j) * shape_.length() + first + book];
    }
    look_up(table.data_ptr<float>(), size, numbers.data(), block_,
            place + book * size * block_.lanes);
  }

  // All codes of a coarser level.
  void see_coarser(std::size_t k) {
    std::int64_t first = 0;
    for (std::size_t j = 0; j < k; ++j) first += shape_.levels[j].places() * shape_.books();
    coarser_.emplace_back(shape_.levels[k].places() * place_);
    for (std::int64_t place = 0; place < shape_.levels[k].places(); ++place) {
      for (std::int64_t book = 0; book < shape_.books(); ++book) {
        look(net_.coarse[k], book, first + place * shape_.books(), coarser_[k] + place * place_);
      }
    }
  }

  // What coarser levels say at the places of a row.
  void give(std::int64_t row, const std::vector<CodeShape::Level>& levels) {
    const auto [height, width] = net_.level.places;
    for (std::int64_t column = 0; column < width; ++column) {
      float* to = given_ + column * place_;
      const float* bias = net_.coarse_bias.data_ptr<float>();
      for (std::int64_t k = 0; k < place_; ++k) to[k] = bias[k / block_.lanes];
      for (std::size_t k = 0; k < net_.coarse.size(); ++k) {
        for (std::int64_t tap = 0; tap < 9; ++tap) {
          const std::int64_t y = row + tap / 3 - 1, x = column + tap % 3 - 1;
          if (y < 0 || y >= height || x < 0 || x >= width) continue;
          const std::int64_t place = place_among(y, height, levels[k].height) * levels[k].width +
                                     place_among(x, width, levels[k].width);
          net_.coarse_taps[9 * k + to_size(tap)].add(coarser_[k] + place * place_, to,
                                                     block_.lanes);
        }
      }
      kernel::silu(to, place_);
    }
  }

  // The vertical stack of a row, up to what the horizontal one takes of it.
  void go_down(std::size_t l, std::int64_t row) {
    const LanePixelLayer& layer = net_.layers[l];
    const std::int64_t half = layer.kernel / 2;
    for (std::int64_t column = 0; column < across_; ++column) {
      const bool alone = layer.down.empty();
      float* sum = alone ? linked(l, column) : both_;
      std::copy_n(told(l), 2 * place_, sum);
      if (!layer.given.empty()) layer.given[0].add(given_ + column * place_, sum, block_.lanes);
      if (alone) continue;
      for (std::int64_t tap = 0; tap < layer.rows * layer.kernel; ++tap) {
        const std::int64_t y = row + tap / layer.kernel - half;
        const std::int64_t x = column + tap % layer.kernel - half;
        if (y < 0 || x < 0 || x >= across_) continue;
        layer.down[to_size(tap)].add(l == 0 ? seen(y, x) : above(l - 1, y, x), sum, block_.lanes);
      }
      layer.link[0](sum, linked(l, column), block_.lanes);
      kernel::gate(sum, sum + place_, above(l, row, column), place_);
    }
  }

  // One code: its group of every layer, then the draw.
  void go_right(std::int64_t row, std::int64_t column, std::int64_t book) {
    const std::int64_t lanes = block_.lanes, size = net_.width / shape_.books();
    const std::int64_t part = book * size * lanes, count = size * lanes;
    const auto input = [&](std::size_t l, std::int64_t x) {
      return l == 0 ? seen(row, x) : right(l - 1, x);
    };
    for (std::size_t l = 0; l < net_.layers.size(); ++l) {
      const LanePixelGroup& group = net_.layers[l].groups[to_size(book)];
      std::copy_n(linked(l, column) + part, count, both_ + 0);
      std::copy_n(linked(l, column) + place_ + part, count, both_ + count);
      const auto left = std::ssize(group.left);
      for (std::int64_t k = std::max<std::int64_t>(0, left - column); k < left; ++k) {
        group.left[to_size(k)].add(input(l, column - left + k), both_, lanes);
      }
      if (group.own.in() > 0) group.own.add(input(l, column), both_, lanes);
      float* gates = gates_ + static_cast<std::int64_t>(l) * place_;
      kernel::gate(both_, both_ + count, gates + part, count);
      float* out = right(l, column) + part;
      if (l == 0) {
        group.residual(gates, out, lanes);
      } else {
        std::copy_n(input(l, column) + part, count, out);
        group.residual.add(gates, out, lanes);
      }
    }
    std::copy_n(right(net_.layers.size() - 1, column) + part, count, most_ + part);
    kernel::relu(most_ + part, count);
    net_.hidden[to_size(book)](most_, hidden_ + part, lanes);
    kernel::relu(hidden_ + part, count);
    net_.books[to_size(book)](hidden_, logits_, lanes);
    const std::int64_t first = net_.level.first_code + (row * across_ + column) * shape_.books();
    draws_(block_, first + book, logits_);
    look(net_.codes, book, first, seen(row, column));
  }

  const LanePixelLevel& net_;
  const CodeShape& shape_;
  LaneBlock block_;
  const LaneDraws& draws_;
  const std::int64_t* codes_;
  std::int64_t place_, across_, kept_rows_;
  // By place: the codes; by layer: what all places are told, the vertical stack's last rows, what
  // it says to the horizontal one's row, that row, and gates of the place.
  LaneRoom seen_, told_, above_, linked_, right_, gates_;
  LaneRoom both_, given_, most_, hidden_, logits_;
  std::vector<LaneRoom> coarser_;
};

}  // namespace

Tensor sample_pixelcnn(const PixelCnn& net, const CodeShape& shape, std::int64_t rows,
                       const Tensor& labels, const CodeDraw& draw) {
  check_draw(draw);
  const at::NoGradGuard plain;
  std::vector<LanePixelLevel> levels;
  for (const PixelLevel& level : net.levels) {
    levels.emplace_back(level, net.config.width, shape.books());
  }
  const Tensor codes = at::zeros({rows, shape.length()}, at::kLong);
  const Tensor told = labels.defined() ? labels.to(at::kCPU).contiguous() : Tensor();
  auto* numbers = codes.data_ptr<std::int64_t>();
  const LaneDraws draws(draw, shape, numbers);
  const std::int64_t kept = 4 * std::int64_t{net.config.layers} * net.config.width * shape.places();
  in_lane_blocks(rows, kept, [&](const LaneBlock& block) {
    for (const LanePixelLevel& level : levels) {
      LanePixelPass(level, shape, block, draws, numbers,
                    told.defined() ? told.data_ptr<std::int64_t>() : nullptr)
          .run(shape.levels);
    }
  });
  return codes;
}

}  // namespace gradatim::neural
