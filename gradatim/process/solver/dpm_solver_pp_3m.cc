// DPM-Solver++ 3M: multistep.h with three predictions.
#include "gradatim/process/solver/multistep.h"

namespace gradatim::process {
namespace {

constexpr api::Text kText = {
    .name = "process.solver.dpm_solver_pp_3m",
    .summary =
        "Multistep on predictions of the data: one evaluation a step, third order once it has a "
        "history.",
    .detail =
        "In the gain's basis the last step, to exact data, keeps the order. eta = 1 solves the "
        "reverse SDE.",
    .source =
        "Lu et al. (2022), DPM-Solver++: fast solver for guided sampling of diffusion "
        "probabilistic models, appendix B",
    .shape = "state: [rows, dims]",
    .errors = "GRD-4021 a number is not finite",
    .measured =
        "order 2.1 on a Gaussian (trailing, 40 to 160 steps); error on two modes "
        "(quadratic) at 10, 20, 40 evaluations: 9.5e-02, 4.6e-03, 7.4e-04",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_solver_dpm_solver_pp_3m) = gradatim::api::component<
    gradatim::process::Multistep<3>, gradatim::process::MultistepConfig<3>>(
    gradatim::process::kText, gradatim::process::kMultistepSettings<3>);
