// expect: the_summary_does_not_end_with_a_full_stop
#include "toy.h"

using namespace gradatim::api;

constexpr Text text() {
  Text made = toy::kText;
#ifdef FAIL
  made.summary = "A thing";
#endif
  return made;
}
constexpr Entry kEntry = component<toy::Thing<NoSettings>, NoSettings>(text());
