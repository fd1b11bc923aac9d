#pragma once

#include "gradatim/neural/bijection/settings.h"

namespace gradatim::neural {

enum class ResidualTrace { exact, series };

struct ResidualConfig {
  int width = 64;
  int layers = 2;
  double lipschitz = 0.9;
  ResidualTrace trace = ResidualTrace::exact;
  int terms = 8;
  int iterations = 1000;

  static constexpr const char* kMaker = "gradatim_make_residual";
};

template <class Config>
consteval api::Setting lipschitz_setting() {
  return api::setting<&Config::lipschitz>(
      {.doc = "The most that the perceptron stretches a distance; below 1, so that the step "
              "inverts. Nearer to 1 says more in a step, and inverts more slowly.",
       .range = api::strictly_between(0.0, 1.0)});
}

template <class Config>
consteval api::Setting trace_setting() {
  return api::setting<&Config::trace>(
      {.doc = "How ln |det| is found: exact takes a pass a number of a sample; series is an "
              "unbiased estimate by its power series, of random vectors that are drawn from the "
              "sample itself, for samples of hundreds of numbers."});
}

template <class Config>
consteval api::Setting terms_setting() {
  return api::setting<&Config::terms>(
      {.doc = "Terms that every estimate by the series has; later ones are drawn by lot. More "
              "terms make estimates less scattered.",
       .range = api::between(1, 1000)});
}

template <class Config>
consteval api::Setting iterations_setting() {
  return api::setting<&Config::iterations>(
      {.doc = "The most iterations of an inverse.", .range = api::between(1, 1000000)});
}

}  // namespace gradatim::neural
