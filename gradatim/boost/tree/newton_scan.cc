#include "gradatim/boost/tree/newton_scan.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gradatim/boost/tree/newton_scan.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

// A plain loop; each SIMD target compiles its own vectors from it.
HWY_BEFORE_NAMESPACE();
namespace gradatim::boost::HWY_NAMESPACE {

template <bool kL1>
void score_loop(SplitPlaces& places, int count, double alpha, double lambda, double least) {
  const auto shrunk = [alpha](double g) {
    if constexpr (!kL1) return g;
    const double above = g - alpha > 0.0 ? g - alpha : 0.0;
    const double below = g + alpha < 0.0 ? g + alpha : 0.0;
    return above + below;
  };
  constexpr double kNever = -std::numeric_limits<double>::infinity();
  for (int i = 0; i < count; ++i) {
    const double left = shrunk(places.left_g[i]);
    const double right = shrunk(places.right_g[i]);
    const double left_h = places.left_h[i];
    const double right_h = places.right_h[i];
    const double left_curvature = left_h + lambda;
    const double right_curvature = right_h + lambda;
    const double score = left * left / left_curvature + right * right / right_curvature;
    const double least_h = left_h < right_h ? left_h : right_h;
    const double least_curvature =
        left_curvature < right_curvature ? left_curvature : right_curvature;
    const double enough = least_h >= least ? score : kNever;
    places.score[i] = least_curvature > 0.0 ? enough : kNever;
  }
}

void score_places(SplitPlaces& places, int count, double alpha, double lambda, double least) {
  if (alpha == 0.0) {
    score_loop<false>(places, count, alpha, lambda, least);
  } else {
    score_loop<true>(places, count, alpha, lambda, least);
  }
}

}  // namespace gradatim::boost::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradatim::boost {

HWY_EXPORT(score_places);

void score_places(SplitPlaces& places, int count, const NewtonRule& rule) {
  HWY_DYNAMIC_DISPATCH(score_places)
  (places, count, rule.reg_alpha, rule.reg_lambda, rule.min_child_weight);
}

}  // namespace gradatim::boost
#endif
