// The settings that codebooks share, in one wording.
#pragma once

#include "gradatim/api/export.h"

namespace gradatim::neural {

struct CodebookConfig {
  int codes = 512;
  double commitment = 0.25;
  bool normalise = false;
  int start_iterations = 10;
  bool learned = false;  // by gradient; what is below is of moving averages
  double decay = 0.99;
  double epsilon = 1e-5;
  double restart_below = 0.2;
};

/// Where moved codes begin again, times where they are dead: soon they are again, if nothing is
/// near.
constexpr double kRestartMargin = 1.5;

/// Of a config with some of these.
template <class Config>
CodebookConfig codebook_of(const Config& own, bool learned) {
  CodebookConfig made{.codes = own.codes,
                      .commitment = own.commitment,
                      .normalise = own.normalise,
                      .start_iterations = own.start_iterations,
                      .learned = learned};
  if constexpr (requires { own.decay; }) {
    made.decay = own.decay;
    made.epsilon = own.epsilon;
    made.restart_below = own.restart_below;
  }
  return made;
}

template <class Config>
consteval api::Setting codes_setting() {
  return api::setting<&Config::codes>(
      {.doc = "Codes of a codebook.", .range = api::between(1, 1 << 20)});
}

template <class Config>
consteval api::Setting commitment_setting() {
  return api::setting<&Config::commitment>(
      {.doc = "Weight of the loss that keeps what the encoder puts out near the codes.",
       .range = api::at_least(0.0)});
}

template <class Config>
consteval api::Setting normalise_setting() {
  return api::setting<&Config::normalise>(
      {.doc = "Whether vectors and codes are brought to length 1, so that the nearest code is that "
              "of the largest cosine."});
}

template <class Config>
consteval api::Setting start_iterations_setting() {
  return api::setting<&Config::start_iterations>(
      {.doc = "Iterations of k-means, over what the untrained encoder makes of some samples, that "
              "codes start from; 0: they start near 0, by chance.",
       .range = api::between(0, 1000)});
}

template <class Config>
consteval api::Setting decay_setting() {
  return api::setting<&Config::decay>({.doc = "What an update keeps of the moving averages.",
                                       .range = api::between(0.0, 0.999999)});
}

template <class Config>
consteval api::Setting epsilon_setting() {
  return api::setting<&Config::epsilon>(
      {.doc = "Added to every code's moving count, so that averages of few vectors are finite.",
       .range = api::above(0.0)});
}

template <class Config>
consteval api::Setting restart_below_setting() {
  return api::setting<&Config::restart_below>(
      {.doc = "A code that stands for fewer vectors than this share of the mean is moved to a "
              "vector of the batch; 0: never.",
       .range = api::between(0.0, 1.0)});
}

template <class Config>
consteval api::Setting books_setting() {
  return api::setting<&Config::books>(
      {.doc = "Codebooks, each of which gives a vector one code.", .range = api::between(1, 256)});
}

template <class Config>
consteval api::Setting learned_setting() {
  return api::setting<&Config::learned>(
      {.doc = "Whether codes learn by gradient, or are moving averages of the vectors that they "
              "stand for."});
}

}  // namespace gradatim::neural
