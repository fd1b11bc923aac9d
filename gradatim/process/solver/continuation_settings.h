// The settings by which solvers continue predictions, in one wording.
#pragma once

#include "gradatim/api/export.h"
#include "gradatim/process/planner.h"

namespace gradatim::process {

template <class Config>
consteval api::Setting basis_setting() {
  return api::setting<&Config::basis>(
      {.doc = "What predictions are polynomials of: the gain, which is finite at both ends, or "
              "the log-SNR as published."});
}

template <class Config>
consteval api::Setting data_scale_setting() {
  return api::setting<&Config::data_scale>(
      {.doc = "Standard deviation of the data that the gain is measured by.",
       .range = api::above(0.0)});
}

template <class Config>
consteval api::Setting order_setting() {
  return api::setting<&Config::order>(
      {.doc = "How many predictions a step uses; the first steps use what is there.",
       .range = api::between(1, 4)});
}

}  // namespace gradatim::process
