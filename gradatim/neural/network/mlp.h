#pragma once

#include <cstdint>

namespace gradatim::neural {

enum class Activation { silu, gelu, relu, selu, tanh };
enum class TimeInput { embedded, plain };

struct MlpConfig {
  int width = 256;
  int layers = 3;
  bool residual = false;
  int expansion = 4;
  Activation activation = Activation::silu;
  TimeInput time_input = TimeInput::embedded;
};

}  // namespace gradatim::neural
