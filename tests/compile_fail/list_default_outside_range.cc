// expect: this_default_lies_outside_its_declared_range
#include "toy.h"

using namespace gradatim::api;

struct Config {
#ifdef FAIL
  List<int, 3> signs = {1, 2};
#else
  List<int, 3> signs = {1, -1};
#endif
};
constexpr Setting kSigns = setting<&Config::signs>({.doc = "Signs.", .range = between(-1, 1)});
