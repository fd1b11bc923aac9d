#include "gradatim/process/noise.h"

namespace gradatim::process {

void NoiseSource::whole(Draw draw, std::int64_t row, std::int64_t dims, std::span<double> out) {
  const auto width = static_cast<std::size_t>(dims);
  for (std::size_t k = 0; k * width < out.size(); ++k) {
    part(draw, row + static_cast<std::int64_t>(k), dims, 0, out.subspan(k * width, width));
  }
}

}  // namespace gradatim::process
