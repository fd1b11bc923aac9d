// A checkpoint's file of prepared weights (nn/prepared.h).
#pragma once

#include <string>

#include "gradatim/neural/stable/parts.h"

namespace gradatim::neural {

/// What a checkpoint's prepared weights are made of, in a line: its files with their sizes and
/// times of change, LoRAs, how weights are held, the machine.
std::string prepared_origin(const CheckpointRequest& request);

/// Writes the file where a drawing packed what it lacks, with all it has; the bytes of it, or 0.
/// What failed is not tried again before more is packed.
std::int64_t write_what_was_prepared(StableParts& parts);

}  // namespace gradatim::neural
