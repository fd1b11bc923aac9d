#include "gradatim/boost/tree/newton_scan.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gradatim/boost/tree/newton_scan.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace gradatim::boost::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <bool kL1>
class PlaceScores {
 public:
  PlaceScores(const NewtonSum& extra, const PlacedNode& node)
      : extra_g_(hn::Set(whole_, extra.g)),
        extra_h_(hn::Set(whole_, extra.h)),
        total_g_(hn::Set(whole_, node.total.g)),
        total_h_(hn::Set(whole_, node.total.h)),
        unit_g_(hn::Set(d_, node.units.g)),
        unit_h_(hn::Set(d_, node.units.h)),
        alpha_(hn::Set(d_, node.rule.reg_alpha)),
        lambda_(hn::Set(d_, node.rule.reg_lambda)),
        least_(hn::Set(d_, node.rule.min_child_weight)) {}

  double largest(SplitPlaces& places, int count) const {
    const int lanes = static_cast<int>(hn::Lanes(d_));
    for (int i = count; i % lanes != 0; ++i) {
      places.left_g[i] = 0;
      places.left_h[i] = SplitPlaces::kNoPlace;
    }
    auto most = never();
    for (int i = 0; i < count; i += lanes) {
      const auto left_g = hn::Add(hn::LoadU(whole_, places.left_g + i), extra_g_);
      const auto left_h = hn::Add(hn::LoadU(whole_, places.left_h + i), extra_h_);
      const auto score = score_of(left_g, left_h);
      hn::StoreU(score, d_, places.score + i);
      most = hn::Max(most, score);
    }
    return hn::GetLane(hn::MaxOfLanes(d_, most));
  }

 private:
  using D = hn::ScalableTag<double>;
  using Whole = hn::RebindToSigned<D>;
  using V = hn::Vec<D>;
  using VW = hn::Vec<Whole>;

  V never() const { return hn::Set(d_, -std::numeric_limits<double>::infinity()); }

  V score_of(VW left_g, VW left_h) const {
    const V left = shrunk(hn::Mul(hn::ConvertTo(d_, left_g), unit_g_));
    const V right = shrunk(hn::Mul(hn::ConvertTo(d_, hn::Sub(total_g_, left_g)), unit_g_));
    const V left_weight = hn::Mul(hn::ConvertTo(d_, left_h), unit_h_);
    const V right_weight = hn::Mul(hn::ConvertTo(d_, hn::Sub(total_h_, left_h)), unit_h_);
    const V left_curvature = hn::Add(left_weight, lambda_);
    const V right_curvature = hn::Add(right_weight, lambda_);
    const V score = hn::Add(hn::Div(hn::Mul(left, left), left_curvature),
                            hn::Div(hn::Mul(right, right), right_curvature));
    const auto heavy = hn::Ge(hn::Min(left_weight, right_weight), least_);
    const auto curved = hn::Gt(hn::Min(left_curvature, right_curvature), hn::Zero(d_));
    return hn::IfThenElse(hn::And(heavy, curved), score, never());
  }

  V shrunk(V g) const {
    if constexpr (!kL1) return g;
    return hn::Add(hn::Max(hn::Sub(g, alpha_), hn::Zero(d_)),
                   hn::Min(hn::Add(g, alpha_), hn::Zero(d_)));
  }

  D d_;
  Whole whole_;
  VW extra_g_, extra_h_, total_g_, total_h_;
  V unit_g_, unit_h_, alpha_, lambda_, least_;
};

double score_places(SplitPlaces& places, int count, const NewtonSum& extra,
                    const PlacedNode& node) {
  return node.rule.reg_alpha == 0.0 ? PlaceScores<false>(extra, node).largest(places, count)
                                    : PlaceScores<true>(extra, node).largest(places, count);
}

}  // namespace gradatim::boost::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradatim::boost {

HWY_EXPORT(score_places);

double score_places(SplitPlaces& places, int count, const NewtonSum& extra,
                    const PlacedNode& node) {
  return HWY_DYNAMIC_DISPATCH(score_places)(places, count, extra, node);
}

}  // namespace gradatim::boost
#endif
