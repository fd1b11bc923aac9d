// What verbs that learn from a table have in common: train, cv, search.
#pragma once

#include "gradatim/cli/cli.h"
#include "gradatim/cli/session.h"
#include "gradatim/cli/training_plan.h"
#include "gradatim/data/model.h"

namespace gradatim::cli {

/// Whether the model learns from samples (images, rows with labels) instead of a table.
bool learns_samples(const api::Entry& model);
bool learns_samples(const TrainingPlan& plan);
/// Options of train that such a model has no use for, or one of tables has not.
std::span<const std::string_view> refused_options(const api::Entry& model);
/// UsageError GRD-1162 where a verb that compares models of tables is given another one.
void check_learns_table(const TrainingPlan& plan);
/// Reads the data that the options name: --data, --target, --valid, --weight, --base_margin,
/// --metric, --task, --schema, --exclude, and --init_model.
data::FitRequest request_of(const TrainingPlan& plan, Session& session);
/// GRD-1010 where the model learns to predict a column and none was named.
void check_target(const TrainingPlan& plan, const data::FitRequest& request);

}  // namespace gradatim::cli
