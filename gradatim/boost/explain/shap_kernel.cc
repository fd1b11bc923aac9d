// The walk of TreeShap::add, kRows rows at once in vectors.
#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

#include "gradatim/boost/explain/tree_shap.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gradatim/boost/explain/shap_kernel.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace gradatim::boost::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Depth first. Each level keeps of its edge: the rows whose cells follow it and the feature's edges
// above (as masks), the products on the way down, and the sums of leaves on the way up.
template <bool kPairs>
class ShapWalk {
 public:
  /// `out` is phi from the first row on, or pairs.
  ShapWalk(const TreeShap& shap, const Strip& strip, int first, int output, double* out,
           double* levels)
      : shap_(shap),
        tree_(shap.tree()),
        points_(shap.points()),
        cells_(strip.cells.data() + first),
        places_(shap.places()),
        output_(output),
        out_(out),
        levels_(levels),
        path_(shap.depth() + 1) {
    const auto all = hn::VecFromMask(d_, hn::Eq(hn::Zero(d_), hn::Zero(d_)));
    each(kRows, [&](int i) { hn::StoreU(all, d_, followed(0) + i); });
    for (int q = 0; q < points_; ++q) {
      const auto weight = hn::Set(d_, shap_.weights()[q]);
      each(kRows, [&](int i) { hn::StoreU(weight, d_, product(0, q) + i); });
    }
  }

  void visit(std::int32_t at, int depth) {
    const Node& node = tree_.nodes[at];
    if (node.leaf()) {
      const auto value = hn::Set(d_, double{tree_.value(at, output_)});
      each(points_ * kRows, [&](int i) {
        hn::StoreU(hn::Mul(hn::LoadU(d_, product(depth, 0) + i), value), d_, sum(depth, 0) + i);
      });
      return;
    }
    std::fill_n(sum(depth, 0), points_ * kRows, 0.0);
    for (const std::int32_t child : {node.left, node.left + 1}) {
      descend(node, child, depth);
      visit(child, depth + 1);
      ascend(child, depth);
    }
  }

  static std::size_t doubles(const TreeShap& shap) {
    return static_cast<std::size_t>(shap.depth() + 1) * level_size(shap.points());
  }

 private:
  using D = hn::ScalableTag<double>;
  static constexpr int kRows = TreeShap::kRows;

  static std::size_t level_size(int points) {
    return static_cast<std::size_t>(1 + (kPairs ? 4 : 2) * points) * kRows;
  }
  double* level(int depth) { return levels_ + depth * level_size(points_); }
  double* followed(int depth) { return level(depth); }
  double* product(int depth, int q) { return level(depth) + (1 + q) * kRows; }
  double* sum(int depth, int q) { return level(depth) + (1 + points_ + q) * kRows; }
  // Of pairs alone: (o - z) / f of the level's edge, and what it gains.
  double* shared(int depth, int q) { return level(depth) + (1 + 2 * points_ + q) * kRows; }
  double* gained(int depth, int q) { return level(depth) + (1 + 3 * points_ + q) * kRows; }

  template <class F>
  void each(int count, const F& f) const {
    const int lanes = static_cast<int>(hn::Lanes(d_));
    for (int i = 0; i < count; i += lanes) f(i);
  }

  // Whether the rows' cells lead to the child, as masks.
  void decide(const Node& node, bool left, double* out) const {
    const double* x = cells_ + std::int64_t{node.feature} * kStrip;
    if (node.categorical) {
      for (int i = 0; i < kRows; ++i) {
        const bool follows = tree_.goes_left(node, x[i]) == left;
        out[i] = std::bit_cast<double>(follows ? ~std::uint64_t{0} : std::uint64_t{0});
      }
      return;
    }
    const auto threshold = hn::Set(d_, node.threshold);
    const bool missing_here = node.missing_left == left;
    each(kRows, [&](int i) {
      const auto cell = hn::LoadU(d_, x + i);
      auto here = left ? hn::Lt(cell, threshold) : hn::Ge(cell, threshold);
      if (missing_here) here = hn::Or(here, hn::IsNaN(cell));
      hn::StoreU(hn::VecFromMask(d_, here), d_, out + i);
    });
  }

  void descend(const Node& node, std::int32_t child, int depth) {
    const ShapEdge& edge = shap_.edge(child);
    double* now = followed(depth + 1);
    const double* above = followed(edge.above);
    decide(node, child == node.left, now);
    each(kRows, [&](int i) {
      hn::StoreU(hn::And(hn::LoadU(d_, now + i), hn::LoadU(d_, above + i)), d_, now + i);
    });
    const auto out = hn::Set(d_, edge.both_out);
    const double* ratios = shap_.ratios(child);
    for (int q = 0; q < points_; ++q) {
      const auto in = hn::Set(d_, ratios[q]), left_here = hn::Set(d_, ratios[points_ + q]);
      each(kRows, [&](int i) {
        const auto mask = hn::MaskFromVec(hn::LoadU(d_, now + i));
        const auto mask_above = hn::MaskFromVec(hn::LoadU(d_, above + i));
        const auto ratio = hn::IfThenElse(mask, in, hn::IfThenElse(mask_above, left_here, out));
        hn::StoreU(hn::Mul(hn::LoadU(d_, product(depth, q) + i), ratio), d_,
                   product(depth + 1, q) + i);
      });
    }
    if constexpr (!kPairs) return;
    path_[depth + 1] = edge.place;
    for (int q = 0; q < points_; ++q) {
      const auto in = hn::Set(d_, shap_.shares(child)[q]);
      const auto none = hn::Set(d_, shap_.shares_out()[q]);
      each(kRows, [&](int i) {
        const auto mask = hn::MaskFromVec(hn::LoadU(d_, now + i));
        hn::StoreU(hn::IfThenElse(mask, in, none), d_, shared(depth + 1, q) + i);
      });
    }
  }

  void ascend(std::int32_t child, int depth) {
    const ShapEdge& edge = shap_.edge(child);
    const double* now = followed(depth + 1);
    const double* above = followed(edge.above);
    const double* gains = shap_.gains(child);
    double* phi = kPairs ? nullptr : out_ + std::int64_t{edge.place} * kStrip;
    each(kRows, [&](int i) {
      const auto mask = hn::MaskFromVec(hn::LoadU(d_, now + i));
      const auto mask_above = hn::MaskFromVec(hn::LoadU(d_, above + i));
      auto total = kPairs ? hn::Zero(d_) : hn::LoadU(d_, phi + i);
      for (int q = 0; q < points_; ++q) {
        const auto below = hn::LoadU(d_, sum(depth + 1, q) + i);
        hn::StoreU(hn::Add(hn::LoadU(d_, sum(depth, q) + i), below), d_, sum(depth, q) + i);
        const auto gain =
            hn::Mul(hn::IfThenElse(mask, hn::Set(d_, gains[q]),
                                   hn::IfThenElseZero(mask_above, hn::Set(d_, gains[points_ + q]))),
                    below);
        if constexpr (kPairs) {
          hn::StoreU(gain, d_, gained(depth + 1, q) + i);
        } else {
          total = hn::Add(total, gain);
        }
      }
      if constexpr (!kPairs) hn::StoreU(total, d_, phi + i);
    });
    if constexpr (kPairs) add_pairs(edge, depth);
  }

  // What the edge gains, for every other feature above it with that one's factor left out as well.
  void add_pairs(const ShapEdge& edge, int depth) {
    for (const std::int32_t other : edge.others) {
      const auto [low, high] = std::minmax(edge.place, path_[other]);
      double* pair = out_ + (low * places_ + high) * kRows;
      each(kRows, [&](int i) {
        auto total = hn::LoadU(d_, pair + i);
        for (int q = 0; q < points_; ++q) {
          total = hn::Add(total, hn::Mul(hn::LoadU(d_, shared(other, q) + i),
                                         hn::LoadU(d_, gained(depth + 1, q) + i)));
        }
        hn::StoreU(total, d_, pair + i);
      });
    }
  }

  D d_;
  const TreeShap& shap_;
  const Tree& tree_;
  int points_;
  const double* cells_;
  std::int64_t places_;
  int output_;
  double* out_;
  double* levels_;
  std::vector<std::int32_t> path_;  // of pairs: the place of each level's edge
};

void add_rows(const TreeShap& shap, const Strip& strip, int output, double* phi,
              TreeShap::Scratch& scratch) {
  double* levels = scratch.levels(ShapWalk<false>::doubles(shap));
  for (int first = 0; first < strip.rows; first += TreeShap::kRows) {
    ShapWalk<false>(shap, strip, first, output, phi + first, levels).visit(0, 0);
  }
}

void add_pairs_of_rows(const TreeShap& shap, const Strip& strip, int first, int output,
                       double* pairs, TreeShap::Scratch& scratch) {
  double* levels = scratch.levels(ShapWalk<true>::doubles(shap));
  ShapWalk<true>(shap, strip, first, output, pairs, levels).visit(0, 0);
}

}  // namespace gradatim::boost::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradatim::boost {

HWY_EXPORT(add_rows);
HWY_EXPORT(add_pairs_of_rows);

void TreeShap::add(const Strip& strip, int output, double* phi, Scratch& scratch) const {
  HWY_DYNAMIC_DISPATCH(add_rows)(*this, strip, output, phi, scratch);
}

void TreeShap::add_pairs(const Strip& strip, int first, int output, double* pairs,
                         Scratch& scratch) const {
  HWY_DYNAMIC_DISPATCH(add_pairs_of_rows)(*this, strip, first, output, pairs, scratch);
}

}  // namespace gradatim::boost
#endif
