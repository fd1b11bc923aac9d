// The loop of gradient and Newton boosting: F <- F + rate * member, fitted to the gradients at F.
#pragma once

#include <cstdint>
#include <memory>

#include "gradatim/boost/category/combinations.h"
#include "gradatim/boost/ensemble/additive_model.h"
#include "gradatim/boost/ensemble/class_balance.h"
#include "gradatim/boost/ensemble/dropout.h"
#include "gradatim/boost/ensemble/output_sketch.h"
#include "gradatim/boost/ensemble/row_sampling.h"

namespace gradatim::boost {

enum class MultiStrategy { one_output_per_tree, multi_output_tree };

/// Settings that both rules have.
struct AdditiveConfig {
  std::int64_t n_estimators = 100;
  double learning_rate = 0.1;
  std::int64_t num_parallel_tree = 1;
  SamplingConfig sampling;
  ClassBalance balance;
  std::int64_t early_stopping_rounds = 0;
  double max_seconds = 0.0;  // 0: no limit
  DropoutConfig dropout;
  TargetStatisticsConfig statistics;
  bool evaluate_train = false;
  bool vector_leaves = false;  // one member for all outputs
  SketchConfig sketch;         // of these outputs
  bool high_precision = false;
  bool first_order = false;  // members fit gradients with h = 1; leaves then take their Newton step
};

std::shared_ptr<const data::Model> fit_additive(const AdditiveConfig& config,
                                                std::shared_ptr<const Loss> loss,
                                                std::shared_ptr<const Learner> learner,
                                                const data::FitRequest& request,
                                                const api::Settings& settings);

}  // namespace gradatim::boost
