// expect: the_source_is_not_named
#include "toy.h"

using namespace gradatim::api;

constexpr Text text() {
  Text made = toy::kText;
#ifdef FAIL
  made.source = "";
#endif
  return made;
}
constexpr Entry kEntry = component<toy::Thing<NoSettings>, NoSettings>(text());
