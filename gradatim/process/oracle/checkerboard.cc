// The dark squares of a board on [-1, 1]^2, each filled evenly with small normal distributions.
#include "gradatim/api/export.h"
#include "gradatim/process/oracle.h"

namespace gradatim::process {
namespace {

struct CheckerboardConfig {
  int squares = 4;
  int per_side = 4;
};

class CheckerboardOracle final : public MixtureMaker {
 public:
  explicit CheckerboardOracle(const CheckerboardConfig& config) : MixtureMaker(made(config)) {}

 private:
  // A deviation of half the distance between neighbours makes a flat top.
  static Mixture made(const CheckerboardConfig& config) {
    const double apart = 2.0 / (config.squares * config.per_side);
    Mixture mixture{.deviations = {0.5 * apart}, .dims = 2};
    std::int64_t square = 0;
    for (int row = 0; row < config.squares; ++row) {
      for (int column = row % 2; column < config.squares; column += 2, ++square) {
        for (int k = 0; k < config.per_side * config.per_side; ++k) {
          mixture.weights.push_back(1.0);
          mixture.means.push_back(-1.0 +
                                  (column * config.per_side + k % config.per_side + 0.5) * apart);
          mixture.means.push_back(-1.0 +
                                  (row * config.per_side + k / config.per_side + 0.5) * apart);
          mixture.labels.push_back(square);
        }
      }
    }
    return mixture;
  }
};

constexpr api::Setting kSettings[] = {
    api::setting<&CheckerboardConfig::squares>(
        {.doc = "Squares a side of the board, light ones included.", .range = api::between(1, 16)}),
    api::setting<&CheckerboardConfig::per_side>(
        {.doc = "Normal distributions a side of a square.", .range = api::between(1, 16)}),
};

constexpr api::Text kText = {
    .name = "process.oracle.checkerboard",
    .summary = "The dark squares of a board on [-1, 1]^2, with an exact density.",
    .detail = "Labels are the squares, row by row from below.",
    .source =
        "Grathwohl et al. (2019), FFJORD: free-form continuous dynamics for scalable "
        "reversible generative models, section 4.1",
    .shape = "[rows, 2]",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_oracle_checkerboard) =
    gradatim::api::component<gradatim::process::CheckerboardOracle,
                             gradatim::process::CheckerboardConfig>(gradatim::process::kText,
                                                                    gradatim::process::kSettings);
