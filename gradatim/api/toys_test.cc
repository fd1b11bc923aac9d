#include "gradatim/api/toys_test.h"

#include <cmath>

#include "gradatim/api/export.h"

namespace gradatim::api::toys {
namespace {

struct Squared : Loss {
  using Interface = Loss;
  double value(double residual) const override { return residual * residual / 2; }
};

struct HuberConfig {
  double delta = 1.0;
};
struct Huber : Loss {
  using Interface = Loss;
  explicit Huber(const HuberConfig& config) : delta(config.delta) {}
  double value(double residual) const override {
    const double r = std::abs(residual);
    return r <= delta ? r * r / 2 : delta * (r - delta / 2);
  }
  double delta;
};
constexpr Setting kHuber[] = {
    setting<&HuberConfig::delta>({.doc = "Residual at which the loss turns linear.",
                                  .range = above(0.0),
                                  .unit = "label",
                                  .alias = "turn"})};

struct Split {
  static constexpr std::string_view kKind = "toy.split";
  virtual ~Split() = default;
};
struct SplitConfig {
  int bins = 256;
};
struct AnySplit : Split {
  using Interface = Split;
};
struct FastSplit : Split {
  using Interface = Split;
  explicit FastSplit(const SplitConfig& /*config*/) {}
};
constexpr Setting kSplit[] = {
    setting<&SplitConfig::bins>({.doc = "Number of bins.", .range = between(2, 65536)})};

struct Learner {
  static constexpr std::string_view kKind = "toy.learner";
  virtual ~Learner() = default;
};
enum class Grow { depthwise, lossguide };
struct TreeConfig {
  std::int8_t max_depth = 6;
  Grow grow_policy = Grow::depthwise;
  List<int, 4> monotone = {};
  double reg_lambda = 1.0;
  ByFeature<int> direction = {};
  FeatureGroups together = {};
};
struct Tree : Learner {
  using Interface = Learner;
  Tree(const TreeConfig& /*config*/, std::span<const Made> /*parts*/) {}
};
constexpr Setting kTree[] = {
    setting<&TreeConfig::max_depth>({.doc = "Deepest level.", .range = at_least(0)}),
    setting<&TreeConfig::grow_policy>({.doc = "Which leaf grows next."}),
    setting<&TreeConfig::monotone>({.doc = "Sign of each feature.", .range = between(-1, 1)}),
    setting<&TreeConfig::reg_lambda>({.doc = "L2 penalty.", .range = at_least(0.0)}),
    setting<&TreeConfig::direction>({.doc = "Way of a feature.", .range = between(-1, 1)}),
    setting<&TreeConfig::together>({.doc = "Features that may meet."})};
constexpr Part kTreeParts[] = {{"split", "toy.split", "toy.split.fast", "How splits are found."}};
struct Stump : Learner {
  using Interface = Learner;
};

struct BoostConfig {
  int n_estimators = 100;
  double learning_rate = 0.1;
  bool shuffle = false;
  List<double, 3> quantiles = {0.5};
};
struct Boost : Model {
  using Interface = Model;
  Boost(const BoostConfig& given, std::span<const Made> parts)
      : config(given), loss_(std::static_pointer_cast<const Loss>(parts[0])) {}
  double rate() const override { return config.learning_rate; }
  int rounds() const override { return config.n_estimators; }
  const Loss* loss() const override { return loss_.get(); }
  BoostConfig config;
  std::shared_ptr<const Loss> loss_;
};
constexpr Setting kBoost[] = {
    setting<&BoostConfig::n_estimators>(
        {.doc = "Number of rounds.", .range = at_least(1), .unit = "rounds"}),
    setting<&BoostConfig::learning_rate>(
        {.doc = "Shrinkage.", .range = above_to(0, 1), .alias = "eta shrinkage"}),
    setting<&BoostConfig::shuffle>({.doc = "Whether rows are shuffled.", .deprecated = "0.2"}),
    setting<&BoostConfig::quantiles>({.doc = "Levels.", .range = strictly_between(0, 1)})};
constexpr Part kBoostParts[] = {{"loss", "toy.loss", "auto", "What is minimised."},
                                {"learner", "toy.learner", "toy.learner.tree", "What is fitted."}};

constexpr std::string_view kSource = "Nobody (2001), A toy";
constexpr Entry kSquaredEntry = component<Squared, NoSettings>(
    {.name = "toy.loss.squared", .summary = "Half the square.", .source = kSource});
constexpr Entry kHuberEntry =
    component<Huber, HuberConfig>({.name = "toy.loss.huber",
                                   .aliases = "toy.loss.pseudo_huber",
                                   .summary = "Square near zero, absolute in the tails.",
                                   .detail = "Robust against outliers.",
                                   .source = kSource,
                                   .shape = "label, score: [rows]",
                                   .errors = "GRD-2004 a label is not finite"},
                                  kHuber);
constexpr Entry kExactEntry = component<AnySplit, NoSettings>(
    {.name = "toy.split.exact", .summary = "All splits.", .source = kSource});
constexpr Entry kFastEntry = component<FastSplit, SplitConfig>(
    {.name = "toy.split.fast", .summary = "Some splits.", .source = kSource}, kSplit);
constexpr Entry kTreeEntry = component<Tree, TreeConfig>(
    {.name = "toy.learner.tree", .summary = "A tree.", .source = kSource}, kTree, kTreeParts);
constexpr Entry kStumpEntry =
    component<Stump, NoSettings>({.name = "toy.learner.stump",
                                  .summary = "One split.",
                                  .source = kSource,
                                  .deprecated = "0.3",
                                  .replaced_by = "toy.learner.tree with max_depth 1"});
constexpr Entry kBoostEntry =
    component<Boost, BoostConfig>({.name = "toy.boost",
                                   .aliases = "toy.gbdt toy.mart",
                                   .summary = "A sum of learners.",
                                   .source = kSource,
                                   .tags = "python:ToyBoosting classifier regressor"},
                                  kBoost, kBoostParts);
double bias(const MetricInput& input) { return input.prediction - input.truth; }
constexpr Entry kBiasEntry =
    function<&bias>({.name = "toy.metric.bias", .summary = "Mean difference.", .source = kSource});
constexpr const Entry* kAll[] = {&kSquaredEntry, &kHuberEntry, &kExactEntry, &kFastEntry,
                                 &kTreeEntry,    &kStumpEntry, &kBoostEntry, &kBiasEntry};

}  // namespace

std::span<const Entry* const> entries() { return kAll; }

const Registry& registry() {
  static const Registry made(kAll);
  return made;
}

}  // namespace gradatim::api::toys
