// The rows of a fit that several ranks do together: each has a part of the table
// (FitRequest::group).
//
// Features stay where they are. The columns that say what is learned (targets, weights, margins)
// are few, and every rank gets all of them: classes, base scores, splits and metrics are then found
// by the same code as in one process, and are the same.
#pragma once

#include <exception>

#include "gradatim/boost/ensemble/training_data.h"

namespace gradatim::boost {

/// DataError GRD-2011 for the cells that nothing can be learned from, while row numbers are still
/// those of the source.
void check_features(const data::FitRequest& request, const data::Table& table);

/// prepare() of a part.
TrainingData prepare_shard(const data::FitRequest& request, data::TaskHint wants);

/// What all ranks must have in common. DistributedError GRD-5004 where one differs.
void require_alike(const data::FitRequest& request, const api::Settings& settings);
/// Runs a fit; what ends it on one rank ends it on all.
template <class F>
auto fit_together(const data::FitRequest& request, const F& fit) {
  try {
    return fit();
  } catch (const std::exception& error) {
    if (request.group) request.group->fail(error.what());
    throw;
  }
}
/// DistributedError GRD-5006 where a model is fitted by one process only, and there are more.
void require_one_process(const data::FitRequest& request, std::string_view what);

/// Numbers of each row, of all ranks' rows.
std::vector<double> of_all_ranks(const LabelledRows& rows, std::vector<double> own);

/// Tables of which every rank has a part get the same columns: those of rank 0, in its order
/// (GRD-5004 where a rank has others), numbers of one type, and one list of categories.
data::Table agree(dist::Group& group, const data::Table& mine);

}  // namespace gradatim::boost
