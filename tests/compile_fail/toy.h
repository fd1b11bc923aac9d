// What the cases of this folder have in common: an interface, an object, a text without a mistake.
#pragma once

#include "gradatim/api/export.h"

namespace toy {

struct Interface {
  static constexpr std::string_view kKind = "toy.thing";
  virtual ~Interface() = default;
};

template <class Config>
struct Thing : Interface {
  using Interface = toy::Interface;
  explicit Thing(const Config&) {}
};

struct Plain {
  int rounds = 3;
};

constexpr gradatim::api::Text kText = {
    .name = "toy.thing.plain",
    .summary = "A thing.",
    .source = "Nobody (2001), A toy",
};

}  // namespace toy
