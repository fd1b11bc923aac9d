// Fits of every kind, by which the promises about bytes are tested: every model with every learner
// of the manifest, over every feature of a fit, and every loss.
#pragma once

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "gradatim/api/registry.h"
#include "gradatim/boost/algorithm/algorithm.h"
#include "gradatim/boost/learner/learner.h"
#include "gradatim/boost/loss/loss.h"
#include "gradatim/boost/testing.h"

namespace gradatim::boost::testing {

struct Case {
  std::string name;
  std::string model;
  Options options;
  data::FitRequest request;
};

inline Case base_case(const std::string& model, const std::string& learner,
                      const std::string& what) {
  Case c{
      what + " " + model + " " + learner, model, {{"learner", learner}, {"n_estimators", "4"}}, {}};
  // More rows than a block of any kernel.
  TableShape shape{.rows = 9000, .numeric = 3};
  if (what == "missing") shape.missing = 0.2;
  if (what == "categories") shape.categorical = 2;
  const bool numbers = model == "boost.adaboost_r2";
  const Target target = numbers           ? Target::numbers
                        : what == "plain" ? Target::three_classes
                                          : Target::two_classes;
  c.request = request_of(learnable(shape, target, 1, what == "weights"));
  if (what == "weights") c.request.weight = "w";
  return c;
}

// Numbers in (0, 1), which every loss of numbers takes.
inline data::Table with_shares(const data::Table& table) {
  auto y = numbers(table.column("y"));
  for (double& x : y) x = 0.5 + 0.4 * x / (1.0 + std::abs(x));
  std::vector<data::Column> columns(table.columns().begin(), table.columns().end());
  columns.back() = data::numeric_column("y", std::move(y));
  return data::Table(std::move(columns));
}

inline Case loss_case(const std::string& name) {
  Case c{name, "boost.newton", {{"loss", name}, {"n_estimators", "3"}}, {}};
  const auto loss = api::build_as<Loss>({.component = name});
  const Task three{TaskKind::classification, {"low", "mid", "top"}};
  const TableShape shape{.rows = 9000, .numeric = 3, .missing = 0.1};
  if (loss->task() == TaskKind::regression) {
    c.request = request_of(with_shares(learnable(shape, Target::numbers, 3)));
  } else {
    const bool many = code_of([&] { loss->check(three, {}); }) == 0;
    c.request = request_of(learnable(shape, many ? Target::three_classes : Target::two_classes, 3));
  }
  return c;
}

/// What a tree can be told, small and above the limit of packed histograms.
inline void add_tree_cases(std::vector<Case>& cases) {
  const std::vector<std::pair<std::string, Options>> ways = {
      {"monotone", {{"monotone_constraints", "x0:1,x1:-1"}}},
      {"monotone lossguide",
       {{"monotone_constraints", "x0:1"}, {"grow_policy", "lossguide"}, {"max_leaves", "24"}}},
      {"interaction", {{"interaction_constraints", "x0,x1;x1,x2"}}},
      {"columns",
       {{"colsample_bylevel", "0.7"},
        {"colsample_bynode", "0.7"},
        {"feature_weights", "x0:3"},
        {"grow_policy", "lossguide"},
        {"max_leaves", "40"},
        {"max_depth", "0"}}},
      {"counted", {{"min_child_samples", "30"}, {"path_smooth", "3"}}},
      {"extra", {{"extra_trees", "true"}}},
      {"goss", {{"sampling_method", "goss"}, {"class_weight", "balanced"}}},
      {"gradient based", {{"sampling_method", "gradient_based"}, {"scale_pos_weight", "3"}}},
      {"symmetric", {{"grow_policy", "symmetric"}}},
      {"symmetric monotone",
       {{"grow_policy", "symmetric"}, {"monotone_constraints", "x1:1"}, {"max_depth", "9"}}},
  };
  for (const auto& [name, options] : ways) {
    for (const std::int64_t rows : {std::int64_t{9000}, std::int64_t{70000}}) {
      Case c{fmt::format("{} on {} rows", name, rows), "boost.newton", options, {}};
      c.options.insert(
          c.options.end(),
          {{"n_estimators", rows < 10000 ? "4" : "2"}, {"subsample", "0.7"}, {"learner", "tree"}});
      c.request =
          request_of(learnable({.rows = rows, .numeric = 3, .categorical = 1, .missing = 0.1},
                               Target::two_classes, 5, true));
      c.request.weight = "w";
      cases.push_back(c);
    }
  }
}

/// Every algorithm of AdaBoost, on two classes and three, with trees and, where it can, a line.
inline void add_algorithm_cases(std::vector<Case>& cases) {
  for (const api::Entry* entry : api::Registry::instance().list(Algorithm::kKind)) {
    const std::string algorithm(entry->text.name);
    for (const char* learner : {"stump", "cart", "linear"}) {
      const bool needs_leaves = algorithm.ends_with("real") || algorithm.ends_with("samme_r");
      if (needs_leaves && learner == std::string_view("linear")) continue;
      for (const char* what : {"plain", "weights", "categories"}) {
        Case c = base_case("boost.adaboost", learner, what);
        c.name += " " + algorithm;
        c.options.emplace_back("algorithm", algorithm);
        c.options.emplace_back("early_stopping_rounds", "2");
        c.request.valid_fraction = 0.3;
        cases.push_back(std::move(c));
      }
    }
    Case large = base_case("boost.adaboost", "stump", "large");
    large.name += " " + algorithm;
    large.options.emplace_back("algorithm", algorithm);
    large.request = request_of(
        learnable({.rows = 20000, .numeric = 2, .missing = 0.1}, Target::three_classes, 7));
    cases.push_back(std::move(large));
  }
}

/// Every model with every learner of the manifest, over every feature of a fit, and every loss.
inline std::vector<Case> every_case() {
  std::vector<Case> cases;
  for (const char* model :
       {"boost.newton", "boost.gradient", "boost.adaboost", "boost.adaboost_r2"}) {
    const bool additive = std::string(model).find("ada") == std::string::npos;
    for (const api::Entry* entry : api::Registry::instance().list(Learner::kKind)) {
      for (const char* what : {"plain", "missing", "categories", "weights"}) {
        cases.push_back(base_case(model, std::string(entry->text.name), what));
      }
      Case sampled = base_case(model, std::string(entry->text.name), "sampling");
      if (additive)
        sampled.options.emplace_back("subsample", "0.6");
      else
        sampled.options.emplace_back("mode", "resample");
      cases.push_back(sampled);
      Case stopped = base_case(model, std::string(entry->text.name), "stopping");
      stopped.request.valid_fraction = 0.3;
      stopped.options.emplace_back("early_stopping_rounds", "2");
      cases.push_back(stopped);
    }
  }
  for (const api::Entry* entry : api::Registry::instance().list(Loss::kKind)) {
    cases.push_back(loss_case(std::string(entry->text.name)));
  }
  // Packed histograms: more than 2^16 rows, constant and varying hessians.
  for (const Target target : {Target::numbers, Target::two_classes}) {
    Case packed{"packed", "boost.newton", {{"n_estimators", "2"}}, {}};
    packed.request = request_of(
        learnable({.rows = 70000, .numeric = 2, .categorical = 1, .missing = 0.1}, target, 2));
    cases.push_back(packed);
  }
  Case targets{"targets", "boost.newton", {{"n_estimators", "3"}, {"num_parallel_tree", "2"}}, {}};
  targets.request = with_second_target(
      request_of(learnable({.rows = 9000, .numeric = 3, .missing = 0.1}, Target::numbers, 4)));
  cases.push_back(targets);
  for (const char* model : {"boost.newton", "boost.gradient"}) {
    for (const auto target : {Target::numbers, Target::two_classes, Target::three_classes}) {
      Case linear{"linear_tree", model, {{"n_estimators", "3"}, {"linear_tree", "true"}}, {}};
      linear.request = request_of(learnable(
          {.rows = 20000, .numeric = 4, .categorical = 1, .missing = 0.05}, target, 4, true));
      linear.request.weight = "w";
      cases.push_back(linear);
    }
  }
  for (const char* method : {"random_projection", "top_outputs", "random_sampling"}) {
    Case sketch{method,
                "boost.newton",
                {{"n_estimators", "3"},
                 {"multi_strategy", "multi_output_tree"},
                 {"sketch_outputs", "2"},
                 {"sketch_method", method}},
                {}};
    sketch.request = request_of(
        learnable({.rows = 9000, .numeric = 3, .missing = 0.1}, Target::three_classes, 4, true));
    sketch.request.weight = "w";
    cases.push_back(sketch);
  }
  Case statistics{"target statistics",
                  "boost.newton",
                  {{"target_statistics", "combinations"},
                   {"high_cardinality", "4"},
                   {"target_prior_weight", "0.3"},
                   {"n_estimators", "2"}},
                  {}};
  statistics.request = request_of(
      learnable({.rows = 70000, .numeric = 3, .categorical = 2, .missing = 0.1, .distinct = 7},
                Target::numbers, 6, true));
  statistics.request.weight = "w";
  cases.push_back(statistics);
  add_tree_cases(cases);
  add_algorithm_cases(cases);
  return cases;
}

}  // namespace gradatim::boost::testing
