// expect: the_documentation_does_not_end_with_a_full_stop
#include "toy.h"

using namespace gradatim::api;

#ifdef FAIL
constexpr Setting kRounds = setting<&toy::Plain::rounds>({.doc = "Number of rounds"});
#else
constexpr Setting kRounds = setting<&toy::Plain::rounds>({.doc = "Number of rounds."});
#endif
