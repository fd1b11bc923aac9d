// expect: the_public_name_is_not_dotted_snake_case
#include "toy.h"

using namespace gradatim::api;

constexpr Text text() {
  Text made = toy::kText;
#ifdef FAIL
  made.name = "toy.Thing";
#endif
  return made;
}
constexpr Entry kEntry = component<toy::Thing<NoSettings>, NoSettings>(text());
