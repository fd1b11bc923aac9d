// expect: a_member_of_the_config_is_not_described
#include "toy.h"

using namespace gradatim::api;

struct Config {
  double rate = 0.1;
#ifdef FAIL
  int rounds = 3;
#endif
};
constexpr Setting kSettings[] = {setting<&Config::rate>({.doc = "A rate."})};
constexpr Entry kEntry = component<toy::Thing<Config>, Config>(toy::kText, kSettings);
