// The nearest of vectors that follow by moving averages.
#include "gradatim/neural/quantizer.h"
#include "gradatim/neural/quantizer/books.h"

namespace gradatim::neural {
namespace {

using Config = MovingAverageConfig;

constexpr api::Setting kSettings[] = {
    codes_setting<Config>(),         commitment_setting<Config>(),
    normalise_setting<Config>(),     start_iterations_setting<Config>(),
    decay_setting<Config>(),         epsilon_setting<Config>(),
    restart_below_setting<Config>(),
};

constexpr api::Text kText = {
    .name = "neural.quantizer.moving_average",
    .summary = "The nearest vector of a codebook of moving averages, whose dead codes are moved.",
    .detail =
        "A code is the moving average of the vectors that it stands for, so it needs no loss and "
        "no learning rate. One that stands for too few is moved to a vector of the next batch.",
    .source =
        "van den Oord, Vinyals and Kavukcuoglu (2017), Neural discrete representation learning, "
        "appendix A; restarts: Dhariwal et al. (2020), Jukebox: a generative model for music",
    .shape = "z: [vectors, dims]; codes: [vectors, 1]",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_quantizer_moving_average) = gradatim::api::component<
    gradatim::neural::MadeBy<gradatim::neural::Quantizer, gradatim::neural::MovingAverageConfig>,
    gradatim::neural::MovingAverageConfig>(gradatim::neural::kText, gradatim::neural::kSettings);
