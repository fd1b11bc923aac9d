// Space to depth.
#include "gradatim/api/export.h"
#include "gradatim/neural/bijection.h"

namespace gradatim::neural {
namespace {

class Squeeze final : public Bijection {
 public:
  const char* maker() const override { return "gradatim_make_squeeze"; }
  const void* config() const override { return nullptr; }
};

constexpr api::Text kText = {
    .name = "neural.bijection.squeeze",
    .summary = "Squares of 2 x 2 pixels become four channels of half the height and width.",
    .detail =
        "Channel c becomes channels 4 c to 4 c + 3: upper left, upper right, lower left, lower "
        "right.",
    .source = "Dinh, Sohl-Dickstein and Bengio (2017), Density estimation using Real NVP",
    .shape = "[rows, channels, height, width] -> [rows, 4 channels, height / 2, width / 2]",
    .errors = "GRD-1191 a sample is no image of even height and width",
    .measured = "inverse to 0 of numbers about 1",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_bijection_squeeze) =
    gradatim::api::component<gradatim::neural::Squeeze, gradatim::api::NoSettings>(
        gradatim::neural::kText);
