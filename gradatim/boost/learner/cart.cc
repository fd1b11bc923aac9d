// CART: a regression tree fitted to targets by variance, or a classification tree by impurity.
//
// With g = -w target and h = w the second-order gain without regularisation is the fall of the
// squared error, and a leaf is the weighted mean; so the same grower serves.
#include "gradatim/api/export.h"
#include "gradatim/boost/learner/tree_learner.h"

namespace gradatim::boost {
namespace {

struct CartConfig {
  std::int32_t max_depth = 3;
  std::int32_t max_leaves = 0;
  double min_child_weight = 1.0;
  double gamma = 0.0;
  double colsample_bytree = 1.0;
  Impurity criterion = Impurity::gini;
  TreeMethod tree_method = TreeMethod::histogram;
  std::int32_t max_bin = 255;
  bool linear_tree = false;
  double linear_lambda = 0.0;
};

class Cart final : public TreeLearner {
 public:
  explicit Cart(const CartConfig& c)
      : TreeLearner({.rule = {.reg_lambda = 0.0, .min_child_weight = c.min_child_weight},
                     .grow = {.max_depth = c.max_depth,
                              .max_leaves = c.max_leaves,
                              .min_split_gain = c.gamma},
                     .criterion = c.criterion,
                     .tree_method = c.tree_method,
                     .max_bin = c.max_bin,
                     .colsample_bytree = c.colsample_bytree,
                     .linear_tree = c.linear_tree,
                     .linear_lambda = c.linear_lambda}) {}
};

constexpr api::Setting kSettings[] = {
    api::setting<&CartConfig::max_depth>(
        {.doc = "Longest path from the root to a leaf; 0 is unlimited.",
         .range = api::between(0, 64),
         .unit = "splits"}),
    api::setting<&CartConfig::max_leaves>(
        {.doc = "Most leaves of a tree, the best splits first; 0 is unlimited.",
         .range = api::at_least(0)}),
    api::setting<&CartConfig::min_child_weight>(
        {.doc = "Least sum of sample weights in a child; not of trees that vote for classes "
                "(AdaBoost's samme, samme_r, real).",
         .range = api::at_least(0.0)}),
    api::setting<&CartConfig::gamma>(
        {.doc = "Least fall of the squared error that a split must bring.",
         .range = api::at_least(0.0),
         .alias = "min_split_gain"}),
    api::setting<&CartConfig::colsample_bytree>(
        {.doc = "Share of the features that each tree sees.", .range = api::above_to(0.0, 1.0)}),
    api::setting<&CartConfig::criterion>(
        {.doc = "Impurity of a classification tree: gini or the error of the majority class."}),
    api::setting<&CartConfig::tree_method>({.doc = "histogram searches bins; exact searches every "
                                                   "distinct value in pre-sorted columns."}),
    api::setting<&CartConfig::max_bin>(
        {.doc = "Most bins of a numeric feature, its missing bin not counted.",
         .range = api::between(2, 65534)}),
    api::setting<&CartConfig::linear_tree>(
        {.doc = "Leaves hold a linear model of the numeric features on their path, from the second "
                "round on."}),
    api::setting<&CartConfig::linear_lambda>(
        {.doc = "linear_tree: L2 regularisation of the slopes, in the features' own units.",
         .range = api::at_least(0.0)}),
};

constexpr api::Text kText = {
    .name = "boost.learner.cart",
    .summary = "Classification and regression tree without regularisation.",
    .source = "Breiman, Friedman, Olshen and Stone (1984), Classification and Regression Trees",
    .shape = "gradients: [rows]",
    .errors =
        "GRD-1070 to GRD-1074 linear leaves where they are not sound; GRD-2011 a feature is "
        "infinite",
};

}  // namespace
}  // namespace gradatim::boost

GRADATIM_EXPORT(boost_learner_cart) =
    gradatim::api::component<gradatim::boost::Cart, gradatim::boost::CartConfig>(
        gradatim::boost::kText, gradatim::boost::kSettings);
