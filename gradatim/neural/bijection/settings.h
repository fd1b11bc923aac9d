// The settings that couplings and autoregressive steps share, in one wording.
#pragma once

#include "gradatim/api/export.h"
#include "gradatim/neural/network/mlp.h"

namespace gradatim::neural {

/// Which numbers of a row a coupling moves; steps take the one part and the other by turns.
enum class Mask { halves, alternate };

template <class Config>
consteval api::Setting couplings_setting() {
  return api::setting<&Config::couplings>(
      {.doc = "Couplings, which move the one part and the other by turns.",
       .range = api::between(1, 1024)});
}

template <class Config>
consteval api::Setting width_setting() {
  return api::setting<&Config::width>(
      {.doc = "Units of a hidden layer of the conditioner.", .range = api::between(1, 65536)});
}

template <class Config>
consteval api::Setting layers_setting() {
  return api::setting<&Config::layers>(
      {.doc = "Hidden layers of the conditioner.", .range = api::between(1, 256)});
}

template <class Config>
consteval api::Setting activation_setting() {
  return api::setting<&Config::activation>({.doc = "The conditioner's nonlinearity."});
}

template <class Config>
consteval api::Setting mask_setting() {
  return api::setting<&Config::mask>(
      {.doc = "What a step moves given the rest: halves are the first half of a row's numbers or "
              "the last, alternate every second number."});
}

template <class Config>
consteval api::Setting bound_setting() {
  return api::setting<&Config::bound>(
      {.doc = "The largest |ln scale| of one number in one step, approached smoothly.",
       .range = api::above_to(0.0, 20.0)});
}

template <class Config>
consteval api::Setting transforms_setting() {
  return api::setting<&Config::transforms>(
      {.doc = "Autoregressive steps, which take the numbers forwards and in reverse by turns.",
       .range = api::between(1, 1024)});
}

template <class Config>
consteval api::Setting bins_setting() {
  return api::setting<&Config::bins>(
      {.doc = "Bins of a spline between its bounds.", .range = api::between(2, 256)});
}

template <class Config>
consteval api::Setting tail_bound_setting() {
  return api::setting<&Config::tail_bound>(
      {.doc = "Splines bend numbers between minus this and this; beyond, they stay as they are.",
       .range = api::above_to(0.0, 1e6)});
}

template <class Config>
consteval api::Setting inverse_setting() {
  return api::setting<&Config::inverse>(
      {.doc = "Whether the way from the base to samples is the quick one, and the density takes a "
              "pass a number."});
}

}  // namespace gradatim::neural
