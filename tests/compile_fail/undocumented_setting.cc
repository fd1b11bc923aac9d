// expect: this_setting_has_no_documentation
#include "toy.h"

using namespace gradatim::api;

#ifdef FAIL
constexpr Setting kRounds = setting<&toy::Plain::rounds>({.range = at_least(1)});
#else
constexpr Setting kRounds = setting<&toy::Plain::rounds>({.doc = "Rounds.", .range = at_least(1)});
#endif
