// The field as it is.
#include "gradatim/api/export.h"
#include "gradatim/process/guidance.h"

namespace gradatim::process {
namespace {

class PlainField final : public Guidance {
 public:
  DenoiserPtr around(DenoiserPtr field, const GuidanceContext&) const override { return field; }
};

constexpr api::Text kText = {
    .name = "process.guidance.plain",
    .summary = "No guidance: the field under the condition that is asked for.",
    .source =
        "Song et al. (2021), Score-based generative modeling through stochastic "
        "differential equations",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_guidance_plain) =
    gradatim::api::component<gradatim::process::PlainField, gradatim::api::NoSettings>(
        gradatim::process::kText);
