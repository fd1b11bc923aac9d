// What a fit must have in common with the checkpoint that it goes on from.
#pragma once

#include "gradatim/data/checkpoint_file.h"
#include "gradatim/data/model.h"

namespace gradatim::neural {

data::Identity identity_of(const data::FitRequest& request, api::Settings settings);

}  // namespace gradatim::neural
