// The settings that couplings of images share, in one wording.
#pragma once

#include <cstdint>

#include "gradatim/neural/bijection/settings.h"

namespace gradatim::neural {

/// What a coupling does to a number that it moves.
enum class CouplingMap { additive, affine };
/// The network that says how.
enum class ImageConditionerKind { convolutions, residual };

template <class Config>
consteval api::Setting map_setting() {
  return api::setting<&Config::map>(
      {.doc = "What a step does to the part that it moves: additive shifts it, affine scales it "
              "too."});
}

template <class Config>
consteval api::Setting image_conditioner_setting() {
  return api::setting<&Config::conditioner>(
      {.doc = "The network that says the shifts and scales: convolutions are of 3 x 3 first and "
              "last and of 1 x 1 between (Glow), residual adds blocks of two of 3 x 3 (RealNVP)."});
}

template <class Config>
consteval api::Setting channels_setting() {
  return api::setting<&Config::width>(
      {.doc = "Channels of a hidden layer of the conditioner.", .range = api::between(1, 4096)});
}

template <class Config>
consteval api::Setting image_layers_setting() {
  return api::setting<&Config::layers>(
      {.doc = "Hidden layers of the conditioner, or its residual blocks.",
       .range = api::between(1, 256)});
}

template <class Config>
consteval api::Setting levels_setting() {
  return api::setting<&Config::levels>(
      {.doc = "Scales: behind each but the last, height and width are halved and half of the "
              "numbers leave for the base density. At most as many as the halvings that an image "
              "allows.",
       .range = api::between(1, 16)});
}

}  // namespace gradatim::neural
