// Tables as a fitted model expects them.
#pragma once

#include <string>
#include <vector>

#include "gradatim/core/observer.h"
#include "gradatim/data/model.h"
#include "gradatim/dist/group.h"

namespace gradatim::cli {

/// The columns that a source must have for a model: its features, and the target where only the
/// model knows that it holds words.
data::Schema reading_schema(const data::ModelCard& card);

/// Reads a source with the types of the model's features, and of its target where that was words;
/// of several ranks, this one's part of its rows.
data::Table read_for(const data::ModelCard& card, const std::string& source, Observer* observer,
                     dist::Group* group = nullptr);

}  // namespace gradatim::cli
