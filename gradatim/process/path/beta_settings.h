// The settings that paths of a first and a last beta share; their defaults differ, and a default is
// a member's initialiser, hence the ratios.
#pragma once

#include <array>

#include "gradatim/api/export.h"
#include "gradatim/process/path/table_path.h"

namespace gradatim::process {

template <int kStart, int kStartOver, int kEnd, int kEndOver>
struct BetaConfig {
  int betas = 1000;
  double beta_start = double{kStart} / kStartOver;
  double beta_end = double{kEnd} / kEndOver;
  bool zero_terminal_snr = false;
};

template <class Config>
consteval std::array<api::Setting, 4> beta_settings() {
  return {
      api::setting<&Config::betas>(
          {.doc = "How many steps the table has, T.", .range = api::between(1, 100000)}),
      api::setting<&Config::beta_start>(
          {.doc = "The first beta.", .range = api::from_below(0.0, 1.0)}),
      api::setting<&Config::beta_end>(
          {.doc = "The last beta.", .range = api::from_below(0.0, 1.0)}),
      api::setting<&Config::zero_terminal_snr>(
          {.doc = "Rescale so that no signal is left at the end (Lin et al. 2024)."}),
  };
}

}  // namespace gradatim::process
