// expect: roundz
#include "toy.h"

using namespace gradatim::api;

#ifdef FAIL
constexpr Setting kRounds = setting<&toy::Plain::roundz>({.doc = "Number of rounds."});
#else
constexpr Setting kRounds = setting<&toy::Plain::rounds>({.doc = "Number of rounds."});
#endif
