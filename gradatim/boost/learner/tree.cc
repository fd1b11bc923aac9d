// The regularised second-order tree of XGBoost: leaf w = -T(G)/(H + lambda), gain T(G)^2/(H +
// lambda) summed over the children minus the parent's, minus nothing else (gamma is a threshold on
// it).
#include <fmt/format.h>

#include "gradatim/api/export.h"
#include "gradatim/boost/learner/tree_learner.h"
#include "gradatim/core/error.h"

namespace gradatim::boost {
namespace {

struct TreeConfig {
  std::int32_t max_depth = 6;
  std::int32_t max_leaves = 0;
  GrowPolicy grow_policy = GrowPolicy::depthwise;
  double reg_lambda = 1.0;
  double reg_alpha = 0.0;
  double gamma = 0.0;
  double min_child_weight = 1.0;
  std::int64_t min_child_samples = 1;
  double max_delta_step = 0.0;
  double path_smooth = 0.0;
  api::ByFeature<std::int32_t> monotone_constraints = {};
  api::FeatureGroups interaction_constraints = {};
  double colsample_bytree = 1.0;
  double colsample_bylevel = 1.0;
  double colsample_bynode = 1.0;
  api::ByFeature<double> feature_weights = {};
  bool extra_trees = false;
  TreeMethod tree_method = TreeMethod::histogram;
  std::int32_t max_bin = 255;
  bool linear_tree = false;
  double linear_lambda = 0.0;
  std::int32_t max_cat_to_onehot = 4;
  std::int32_t max_cat_threshold = 8;
  double cat_smooth = 10.0;
  double cat_l2 = 10.0;
  double min_cat_weight = 15.0;
};

class NewtonTree final : public TreeLearner {
 public:
  explicit NewtonTree(const TreeConfig& c)
      : TreeLearner({.rule = {.reg_lambda = c.reg_lambda,
                              .reg_alpha = c.reg_alpha,
                              .max_delta_step = c.max_delta_step,
                              .min_child_weight = c.min_child_weight,
                              .path_smooth = c.path_smooth},
                     .grow = {.max_depth = c.max_depth,
                              .max_leaves = c.max_leaves,
                              .min_split_gain = c.gamma,
                              .grow_policy = c.grow_policy,
                              .categories = {.smooth = c.cat_smooth,
                                             .extra_l2 = c.cat_l2,
                                             .min_mass = c.min_cat_weight,
                                             .max_left = c.max_cat_threshold,
                                             .max_one_hot = c.max_cat_to_onehot},
                              .extra_trees = c.extra_trees,
                              .colsample_bylevel = c.colsample_bylevel,
                              .colsample_bynode = c.colsample_bynode},
                     .tree_method = c.tree_method,
                     .max_bin = c.max_bin,
                     .colsample_bytree = c.colsample_bytree,
                     .min_child_samples = c.min_child_samples,
                     .features = {.monotone_constraints = c.monotone_constraints,
                                  .interaction_constraints = c.interaction_constraints,
                                  .feature_weights = c.feature_weights},
                     .linear_tree = c.linear_tree,
                     .linear_lambda = c.linear_lambda}) {
    GRADATIM_CHECK(!c.extra_trees || c.tree_method == TreeMethod::histogram, UsageError, 1032,
                   "extra_trees draws thresholds among bins; it needs tree_method histogram");
    const bool symmetric = c.grow_policy == GrowPolicy::symmetric;
    GRADATIM_CHECK(!symmetric || (c.max_depth >= 1 && c.max_depth <= 16 && !c.extra_trees &&
                                  c.tree_method == TreeMethod::histogram),
                   UsageError, 1032,
                   "grow_policy symmetric needs max_depth from 1 to 16, tree_method histogram and "
                   "no extra_trees; max_depth is {}",
                   c.max_depth);
  }
};

constexpr api::Setting kSettings[] = {
    api::setting<&TreeConfig::max_depth>(
        {.doc = "Longest path from the root to a leaf; 0 is unlimited.",
         .range = api::between(0, 64),
         .unit = "splits"}),
    api::setting<&TreeConfig::max_leaves>(
        {.doc = "Most leaves of a tree, the best splits first; 0 is unlimited.",
         .range = api::at_least(0)}),
    api::setting<&TreeConfig::grow_policy>(
        {.doc = "depthwise splits a whole level at a time, "
                "lossguide the leaf with the largest gain, symmetric all nodes of a level by one "
                "feature and threshold."}),
    api::setting<&TreeConfig::reg_lambda>(
        {.doc = "L2 regularisation of leaf values, added to the sum of hessians.",
         .range = api::at_least(0.0)}),
    api::setting<&TreeConfig::reg_alpha>(
        {.doc = "L1 regularisation of leaf values, a soft threshold of the sum of gradients.",
         .range = api::at_least(0.0)}),
    api::setting<&TreeConfig::gamma>({.doc = "Least gain of a split (without the factor 1/2).",
                                      .range = api::at_least(0.0),
                                      .alias = "min_split_gain"}),
    api::setting<&TreeConfig::min_child_weight>(
        {.doc = "Least sum of hessians in a child.", .range = api::at_least(0.0)}),
    api::setting<&TreeConfig::min_child_samples>(
        {.doc = "Least number of rows in a child, counted without weights.",
         .range = api::at_least(1),
         .unit = "rows"}),
    api::setting<&TreeConfig::max_delta_step>(
        {.doc = "Largest absolute leaf value before the learning rate; 0 is unlimited.",
         .range = api::at_least(0.0)}),
    api::setting<&TreeConfig::path_smooth>(
        {.doc = "Draws a child's value to its parent's: with n rows its own value counts n / (n + "
                "path_smooth).",
         .range = api::at_least(0.0),
         .unit = "rows"}),
    api::setting<&TreeConfig::monotone_constraints>(
        {.doc = "1 where predictions may not fall as the feature rises, -1 where they may not "
                "rise, 0 where they are free.",
         .range = api::between(-1, 1)}),
    api::setting<&TreeConfig::interaction_constraints>(
        {.doc = "Groups of features: those on a path from the root to a leaf all lie in one "
                "group. A feature in no group meets no other."}),
    api::setting<&TreeConfig::colsample_bytree>(
        {.doc = "Share of the features that each tree sees.", .range = api::above_to(0.0, 1.0)}),
    api::setting<&TreeConfig::colsample_bylevel>(
        {.doc = "Share of the tree's features that each of its levels sees.",
         .range = api::above_to(0.0, 1.0)}),
    api::setting<&TreeConfig::colsample_bynode>(
        {.doc = "Share of the level's features that each node sees.",
         .range = api::above_to(0.0, 1.0)}),
    api::setting<&TreeConfig::feature_weights>(
        {.doc = "How likely features are drawn by the three shares, relative to each other; 1 for "
                "those that are not named.",
         .range = api::at_least(0.0)}),
    api::setting<&TreeConfig::extra_trees>(
        {.doc = "Try one random threshold a numeric feature and node, not all."}),
    api::setting<&TreeConfig::tree_method>(
        {.doc =
             "histogram searches bins; exact searches every distinct value in pre-sorted columns, "
             "for small data and teaching."}),
    api::setting<&TreeConfig::max_bin>(
        {.doc = "Most bins of a numeric feature, its missing bin not counted; up to 255 take one "
                "byte a value.",
         .range = api::between(2, 65534)}),
    api::setting<&TreeConfig::linear_tree>(
        {.doc = "Leaves hold a linear model of the numeric features on their path, from the second "
                "round on."}),
    api::setting<&TreeConfig::linear_lambda>(
        {.doc = "linear_tree: L2 regularisation of the slopes, in the features' own units.",
         .range = api::at_least(0.0)}),
    api::setting<&TreeConfig::max_cat_to_onehot>(
        {.doc = "With so many categories or fewer, a split separates one of them.",
         .range = api::at_least(0)}),
    api::setting<&TreeConfig::max_cat_threshold>(
        {.doc = "Most categories that one side of a split names.", .range = api::at_least(1)}),
    api::setting<&TreeConfig::cat_smooth>(
        {.doc = "Hessian that draws a category's mean gradient to zero when categories are sorted.",
         .range = api::at_least(0.0)}),
    api::setting<&TreeConfig::cat_l2>(
        {.doc = "Added to reg_lambda when a split of sorted categories is ranked.",
         .range = api::at_least(0.0)}),
    api::setting<&TreeConfig::min_cat_weight>(
        {.doc = "Least sum of hessians that a category of 256 needs in a node to be named by its "
                "split; "
                "in proportion less with fewer categories, and more with more.",
         .range = api::at_least(0.0)}),
};

constexpr api::Text kText = {
    .name = "boost.learner.tree",
    .summary = "Regularised second-order tree, grown on integer histograms or exactly.",
    .detail =
        "Missing cells and unseen categories go to the side that lowers the loss more. "
        "Categories are split by sorting their mean gradients. With linear_tree, rows with a "
        "missing "
        "cell in their leaf's features take the leaf's constant. Where leaves are set to an "
        "optimum "
        "of their own (medians and quantiles of such losses, the Newton steps of boost.gradient), "
        "reg_lambda, reg_alpha and path_smooth shape the splits alone. In AdaBoost rows weigh 1 on "
        "average; trees that vote for classes (samme, samme_r, real) have no use for reg_lambda, "
        "min_child_weight, cat_smooth and cat_l2.",
    .source =
        "Chen and Guestrin (2016), XGBoost: a scalable tree boosting system, sections 2 and 3; "
        "Fisher (1958), On grouping for maximum homogeneity; Geurts, Ernst and Wehenkel (2006), "
        "Extremely randomized trees; Shi, Li and Li (2019), Gradient boosting with piece-wise "
        "linear "
        "regression trees; Prokhorenkova and others (2018), CatBoost (symmetric trees)",
    .shape = "gradients, hessians: [rows]",
    .errors =
        "GRD-1028 a constraint names no feature of the data; GRD-1029 a constraint gives not "
        "one value a feature; GRD-1030 a monotone feature is categorical; GRD-1031 limited "
        "values for trees that vote; GRD-1032 settings that do not go with "
        "extra_trees or a symmetric tree; GRD-1070 to GRD-1074 linear leaves where they are not "
        "sound; GRD-2011 a "
        "feature is infinite",
};

}  // namespace
}  // namespace gradatim::boost

GRADATIM_EXPORT(boost_learner_tree) =
    gradatim::api::component<gradatim::boost::NewtonTree, gradatim::boost::TreeConfig>(
        gradatim::boost::kText, gradatim::boost::kSettings);
