#pragma once

namespace gradatim::neural {

struct ConvClassifierConfig {
  int channels = 32;
  int stages = 3;
  int layers = 1;
  bool timed = true;
};

}  // namespace gradatim::neural
