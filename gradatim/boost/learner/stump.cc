// A tree of one split: the weak learner that AdaBoost was first shown with.
#include "gradatim/api/export.h"
#include "gradatim/boost/learner/tree_learner.h"

namespace gradatim::boost {
namespace {

// adaptive: exact up to so many rows.
constexpr std::int64_t kExactRows = 10000;

enum class StumpMethod { adaptive, histogram, exact };

struct StumpConfig {
  Impurity criterion = Impurity::gini;
  double reg_lambda = 0.0;
  double min_child_weight = 0.0;
  StumpMethod tree_method = StumpMethod::adaptive;
  std::int32_t max_bin = 255;
};

class Stump final : public TreeLearner {
 public:
  explicit Stump(const StumpConfig& c)
      : TreeLearner({.rule = {.reg_lambda = c.reg_lambda, .min_child_weight = c.min_child_weight},
                     .grow = {.max_depth = 1},
                     .criterion = c.criterion,
                     .max_bin = c.max_bin}),
        method_(c.tree_method) {}

  BinOptions bin_options(std::int64_t rows) const override {
    BinOptions options = TreeLearner::bin_options(rows);
    options.exact =
        method_ == StumpMethod::exact || (method_ == StumpMethod::adaptive && rows <= kExactRows);
    return options;
  }

 private:
  StumpMethod method_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&StumpConfig::criterion>(
        {.doc = "What the split of weighted classes lowers: gini impurity or the weighted error."}),
    api::setting<&StumpConfig::reg_lambda>(
        {.doc = "L2 regularisation of leaf values in gradient and Newton boosting.",
         .range = api::at_least(0.0)}),
    api::setting<&StumpConfig::min_child_weight>(
        {.doc = "Least sum of hessians in a child in gradient and Newton boosting.",
         .range = api::at_least(0.0)}),
    api::setting<&StumpConfig::tree_method>(
        {.doc =
             "exact searches every distinct value in pre-sorted columns; histogram searches bins "
             "and is many times faster; adaptive is exact up to 10,000 rows."}),
    api::setting<&StumpConfig::max_bin>(
        {.doc = "Most bins of a numeric feature, its missing bin not counted.",
         .range = api::between(2, 65534)}),
};

constexpr api::Text kText = {
    .name = "boost.learner.stump",
    .summary = "Tree of a single split.",
    .source = "Iba and Langley (1992), Induction of one-level decision trees",
    .shape = "weighted classes or gradients: [rows]",
    .errors = "GRD-2011 a feature is infinite",
};

}  // namespace
}  // namespace gradatim::boost

GRADATIM_EXPORT(boost_learner_stump) =
    gradatim::api::component<gradatim::boost::Stump, gradatim::boost::StumpConfig>(
        gradatim::boost::kText, gradatim::boost::kSettings);
