// The loop of AdaBoost, whatever its algorithm: rounds until a rule or the validation rows stop it.
#pragma once

#include <memory>

#include "gradatim/boost/algorithm/algorithm.h"
#include "gradatim/data/model.h"

namespace gradatim::boost {

std::shared_ptr<const data::Model> fit_adaboost(const AdaBoostConfig& config,
                                                const Algorithm& algorithm,
                                                std::shared_ptr<const Learner> learner,
                                                const data::FitRequest& request,
                                                const api::Settings& settings);

/// The metrics of a fit that watches validation rows: those asked for, or `usual`; looked up even
/// where nothing is watched, since a misspelt name is an error all the same.
std::vector<std::shared_ptr<const Metric>> watched_metrics(const data::FitRequest& request,
                                                           const AdditiveData& data,
                                                           std::string_view usual);
/// The request's rows in bins. UsageError GRD-1021 for base margins, GRD-1027 for several targets.
std::unique_ptr<AdditiveData> adaboost_data(const data::FitRequest& request, data::TaskHint wants,
                                            std::string_view model, const Learner& learner);
/// What the model's card says before its rounds are known.
data::ModelCard card_of(const data::FitRequest& request, const AdditiveData& data,
                        const api::Settings& settings);

}  // namespace gradatim::boost
