// How data become states, a choice of every model of the house.
#pragma once

namespace gradatim::neural {

enum class Scaling { automatic, none, range, standard };

}  // namespace gradatim::neural
