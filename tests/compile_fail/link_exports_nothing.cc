// expect: gradatim::exports::toy_thing
// A listed file that exports nothing does not link; run.py writes the manifest as CMake does.
#include "toy.h"

#ifndef FAIL
GRADATIM_EXPORT(toy_thing) = gradatim::api::component<toy::Thing<gradatim::api::NoSettings>,
                                                      gradatim::api::NoSettings>(toy::kText);
#endif
