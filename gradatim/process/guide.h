// What guides a Generator's samples beside its own labels, the same from every front end: a
// classifier (noised_classifier.h), or samples to match.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "gradatim/api/settings.h"
#include "gradatim/process/generator.h"
#include "gradatim/process/guidance.h"

namespace gradatim::process {

enum class GuideKind { classifier, match };

/// Options of process.sampler: guidance by such a guide, of this weight or, where that is empty, of
/// 1. A network's derivative says little where no signal is left, so that a match is heard below
/// sigma / alpha = 10.
std::vector<api::Option> guide_options(GuideKind kind, const std::string& weight);

/// UsageError GRD-1002 where the guidance of these settings hears no guide.
void check_hears_guide(const api::Settings& sampler);

/// What leads a generator's samples, on `path`, to those whose means of blocks are those of the
/// references: data [any rows, dims]; a sample goes with one in turn. Errors as block_means.
std::shared_ptr<const Energy> match_energy(const Generator& generator, std::int64_t blocks,
                                           std::vector<double> references,
                                           std::shared_ptr<const Path> path);

}  // namespace gradatim::process
