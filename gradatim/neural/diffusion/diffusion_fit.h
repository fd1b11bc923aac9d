// The fit of neural.diffusion, also of what is made of one.
#pragma once

#include <functional>
#include <memory>

#include "gradatim/neural/diffusion/diffusion_model.h"

namespace gradatim::neural {

/// What is looked at in training instead of the diffusion itself.
using SeenAs =
    std::function<std::shared_ptr<const data::Model>(std::shared_ptr<const DiffusionModel>)>;

/// Throws what fit_diffusion() would before its first step, of samples of that shape.
void check_diffusion(DiffusionPlan plan, const data::FitRequest& request, api::Settings settings);

/// `settings` are those of a neural.diffusion.
std::shared_ptr<const DiffusionModel> fit_diffusion(DiffusionPlan plan,
                                                    const data::FitRequest& request,
                                                    api::Settings settings,
                                                    const SeenAs& seen = {});

}  // namespace gradatim::neural
