#include "gradatim/process/path.h"

#include <cmath>
#include <limits>

namespace gradatim::process {

double PathPoint::ratio() const {
  return alpha > 0.0 ? sigma / alpha : std::numeric_limits<double>::infinity();
}

double PathPoint::log_snr() const { return -2.0 * std::log(ratio()); }

}  // namespace gradatim::process
