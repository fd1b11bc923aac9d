// expect: a_real_setting_is_a_double
#include "toy.h"

using namespace gradatim::api;

struct Config {
#ifdef FAIL
  float rate = 0.1F;
#else
  double rate = 0.1;
#endif
};
constexpr Setting kRate = setting<&Config::rate>({.doc = "A rate."});
