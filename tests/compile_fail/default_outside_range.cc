// expect: this_default_lies_outside_its_declared_range
#include "toy.h"

using namespace gradatim::api;

struct Config {
#ifdef FAIL
  double rate = 1.5;
#else
  double rate = 1.0;
#endif
};
constexpr Setting kRate = setting<&Config::rate>({.doc = "A rate.", .range = above_to(0, 1)});
