#include "gradatim/boost/learner/tree_learner.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "gradatim/boost/tree/counted.h"
#include "gradatim/boost/tree/linear_leaves.h"
#include "gradatim/boost/tree/symmetric_grower.h"
#include "gradatim/boost/tree/tree_member.h"
#include "gradatim/boost/tree/vector_criterion.h"
#include "gradatim/core/error.h"
#include "gradatim/core/parallel.h"
#include "gradatim/dist/collectives.h"

namespace gradatim::boost {
namespace {

// Of the rows: where weights stand for a distribution, settings count rows of mean weight.
double mean_weight(const ClassStatistics& statistics, const dist::Shard& shard) {
  const std::int64_t sum = dist::sum(
      *shard.group,
      std::accumulate(statistics.weight.begin(), statistics.weight.end(), std::int64_t{0}));
  return statistics.unit * static_cast<double>(sum) /
         static_cast<double>(shard.rows(std::ssize(statistics.weight)));
}

class TreeFitter final : public Fitter {
 public:
  TreeFitter(const TreeSettings& settings, const FitContext& context)
      : settings_(settings),
        grow_(settings.grow),
        data_(*context.data),
        linear_(data_.features(), *context.table, settings.linear_lambda) {
    const BinnedData& data = data_;
    grow_.features = resolve(settings.features, data.features());
    grow_.limited = !grow_.features.direction.empty() || settings.rule.path_smooth > 0.0;
    counted_ = settings.min_child_samples > 1 || settings.rule.path_smooth > 0.0;
  }

  void draw_by(std::uint64_t seed, std::uint32_t draw) override {
    grow_.seed = seed;
    grow_.draw = draw;
  }
  std::span<const double> feature_weights() const override { return grow_.features.weight; }

  std::unique_ptr<Member> fit(const Statistics& statistics, std::span<const std::uint32_t> rows,
                              std::span<const std::int32_t> features) override {
    const WideNewton fine(statistics, settings_.rule);
    if (statistics.wide || data_.exact()) return grow(fine, fine, rows, features);
    return grow(PackedNewton(statistics, settings_.rule), fine, rows, features);
  }

  std::unique_ptr<Member> fit_classes(const ClassStatistics& statistics,
                                      std::span<const std::uint32_t> rows,
                                      std::span<const std::int32_t> features) override {
    GRADATIM_CHECK(!settings_.linear_tree, UsageError, 1074,
                   "linear_tree gives leaves values, and a tree that votes for classes has none; "
                   "leave it out, or use boost.newton");
    const NewtonRule& rule = settings_.rule;
    GRADATIM_CHECK(!grow_.limited && rule.max_delta_step == 0.0 && rule.reg_alpha == 0.0,
                   UsageError, 1031,
                   "monotone_constraints, path_smooth, max_delta_step and reg_alpha are about the "
                   "values of leaves, and a tree that votes for classes has none; leave them out, "
                   "or use boost.newton");
    grow_.categories.min_mass =
        settings_.grow.categories.min_mass * mean_weight(statistics, data_.shard());
    const ClassWeights criterion(statistics.label.data(), statistics.weight.data(),
                                 statistics.classes, statistics.unit, settings_.criterion, 0.0);
    return grow(criterion, criterion, rows, features);
  }

  std::unique_ptr<Member> fit_vector(const VectorStatistics& statistics, int outputs, bool sketched,
                                     std::span<const std::uint32_t> rows,
                                     std::span<const std::int32_t> features) override {
    const int most = VectorNewton<true>::most_outputs();
    GRADATIM_CHECK(!data_.exact(), UsageError, 1040,
                   "multi_strategy=multi_output_tree searches histograms; leave tree_method=exact "
                   "out, or use one_output_per_tree");
    GRADATIM_CHECK(statistics.outputs <= most, UsageError, 1040,
                   "multi_strategy=multi_output_tree searches splits on at most {} outputs, and "
                   "there are {}; set sketch_outputs, or use one_output_per_tree",
                   most, statistics.outputs);
    GRADATIM_CHECK(
        !grow_.limited && !counted_ && grow_.grow_policy != GrowPolicy::symmetric, UsageError, 1032,
        "multi_strategy=multi_output_tree takes no monotone_constraints, path_smooth, "
        "min_child_samples or grow_policy=symmetric; leave them out, or use one_output_per_tree");
    const VectorFine fine(statistics, settings_.rule);
    auto member = statistics.wide
                      ? grow_by<TreeGrower>(VectorNewton<false>(statistics, settings_.rule), fine,
                                            rows, features)
                      : grow_by<TreeGrower>(VectorNewton<true>(statistics, settings_.rule), fine,
                                            rows, features);
    if (sketched) make_room(static_cast<TreeMember&>(*member).tree(), outputs);
    return member;
  }

  void fill_output(Member& member, int output, const Statistics& statistics) const override {
    Tree& tree = static_cast<TreeMember&>(member).tree();
    const WideNewton fine(statistics, settings_.rule);
    const auto count = std::ssize(buffers_.leaves);
    std::vector<NewtonSum> sums(count);
    parallel_tasks(count, [&](std::int64_t i) {
      for (const std::uint32_t row : buffers_.leaves[i].rows) {
        WideNewton::add_row(sums[i], fine.read(row));
      }
    });
    static_assert(sizeof(NewtonSum) == 2 * sizeof(std::int64_t));
    data_.shard().group->all_reduce(
        std::span(reinterpret_cast<std::int64_t*>(sums.data()), 2 * sums.size()),
        dist::Reduction::sum);
    for (std::int64_t i = 0; i < count; ++i) {
      tree.set_value(buffers_.leaves[i].node, output, static_cast<float>(fine.leaf(sums[i])));
    }
  }

  std::vector<Leaf> leaves() const override {
    std::vector<Leaf> leaves;
    for (const auto& leaf : buffers_.leaves) leaves.push_back({leaf.node, leaf.rows});
    return leaves;
  }
  bool add_leaf(const Member& member, const Leaf& part, int output, double limit,
                std::span<double> scores) const override {
    const Tree& tree = static_cast<const TreeMember&>(member).tree();
    if (tree.slopes.any()) return linear_.add(tree, part.id, part.rows, limit, scores);
    const auto value = double{tree.value(part.id, output)};
    bool below = true;
    for (const std::uint32_t row : part.rows) {
      scores[row] += value;
      below &= std::abs(scores[row]) < limit;
    }
    return below;
  }
  void set_leaf(Member& member, std::int32_t id, int output, double value) const override {
    const double most = settings_.rule.max_delta_step;
    if (most > 0.0) value = std::clamp(value, -most, most);
    if (grow_.limited) value = std::clamp(value, buffers_.limits[id].low, buffers_.limits[id].high);
    static_cast<TreeMember&>(member).tree().set_value(id, output, static_cast<float>(value));
  }
  void widen(Member& member, int outputs) const override {
    Tree& tree = static_cast<TreeMember&>(member).tree();
    tree.outputs = outputs;
    if (outputs == 1) return;
    tree.vectors.assign(tree.nodes.size() * outputs, 0.0F);
    for (Node& node : tree.nodes) node.value = 0.0F;
  }
  void fit_slopes(Member& member, const Statistics& statistics, bool regularised) override {
    const NewtonRule rule = regularised ? settings_.rule : NewtonRule{.reg_lambda = 0.0};
    linear_.fit(static_cast<TreeMember&>(member).tree(), buffers_.leaves, statistics, rule);
  }

 private:
  static void make_room(Tree& tree, int outputs) {
    for (Node& node : tree.nodes) node.value = 0.0F;
    tree.outputs = outputs;
    tree.vectors.assign(tree.nodes.size() * outputs, 0.0F);
  }

  template <class Criterion, class Fine>
  std::unique_ptr<Member> grow(const Criterion& criterion, const Fine& fine,
                               std::span<const std::uint32_t> rows,
                               std::span<const std::int32_t> features) {
    if (!counted_) return grow_on(criterion, fine, rows, features);
    const auto fewest = settings_.min_child_samples;
    return grow_on(Counted(criterion, fewest), Counted(fine, fewest), rows, features);
  }
  template <class Criterion, class Fine>
  std::unique_ptr<Member> grow_on(const Criterion& criterion, const Fine& fine,
                                  std::span<const std::uint32_t> rows,
                                  std::span<const std::int32_t> features) {
    if (grow_.grow_policy == GrowPolicy::symmetric) {
      return grow_by<SymmetricGrower>(criterion, fine, rows, features);
    }
    return grow_by<TreeGrower>(criterion, fine, rows, features);
  }
  template <template <class, class> class Grower, class Criterion, class Fine>
  std::unique_ptr<Member> grow_by(const Criterion& criterion, const Fine& fine,
                                  std::span<const std::uint32_t> rows,
                                  std::span<const std::int32_t> features) {
    Grower<Criterion, Fine> grower(data_, criterion, fine, grow_, features, buffers_);
    return std::make_unique<TreeMember>(grower.grow(rows));
  }

  const TreeSettings& settings_;
  GrowOptions grow_;
  bool counted_ = false;  // whether cells count their rows
  const BinnedData& data_;
  LinearLeaves linear_;
  GrowBuffers buffers_;
};

}  // namespace

TreeLearner::TreeLearner(const TreeSettings& settings) : settings_(settings) {
  const NamedRules& rules = settings.features;
  const bool monotone = !rules.monotone_constraints.empty();
  GRADATIM_CHECK(!settings.linear_tree || (!monotone && settings.rule.path_smooth == 0.0 &&
                                           settings.rule.max_delta_step == 0.0),
                 UsageError, 1073,
                 "monotone_constraints, path_smooth and max_delta_step limit the values of leaves, "
                 "which a linear leaf would not keep to; leave them out, or linear_tree");
}

BinOptions TreeLearner::bin_options(std::int64_t /*rows*/) const {
  return {.max_bin = settings_.max_bin, .exact = settings_.tree_method == TreeMethod::exact};
}

std::unique_ptr<Fitter> TreeLearner::start(const FitContext& context) const {
  return std::make_unique<TreeFitter>(settings_, context);
}

void TreeLearner::store(std::span<const std::unique_ptr<Member>> members,
                        SafetensorsWriter& file) const {
  store_trees(members, file);
}

Members TreeLearner::load(const SafetensorsFile& file,
                          std::span<const FeatureBins> features) const {
  return load_trees(file, features);
}

void TreeLearner::check_classes(const SafetensorsFile& file,
                                std::span<const std::unique_ptr<Member>> members,
                                int classes) const {
  if (classes == 0) return;  // any finite value is a number, and loading checked that
  for (const auto& member : members) {
    GRADATIM_CHECK(!member->needs_values(), ModelError, 3010,
                   "{}: a leaf that votes for a class has slopes; the file is damaged",
                   file.source());
    for (const Node& node : static_cast<const TreeMember&>(*member).tree().nodes) {
      const bool known = node.value >= 0.0F && node.value < static_cast<float>(classes);
      GRADATIM_CHECK(!node.leaf() || known, ModelError, 3010,
                     "{}: a leaf votes for class {} of {}; the file is damaged", file.source(),
                     node.value, classes);
    }
  }
}

void TreeLearner::importances(std::span<const std::unique_ptr<Member>> members,
                              std::span<double> gain, std::span<double> cover,
                              std::span<double> count) const {
  for (const auto& member : members) {
    for (const Node& node : static_cast<const TreeMember&>(*member).tree().nodes) {
      if (node.leaf()) continue;
      gain[node.feature] += double{node.gain};
      cover[node.feature] += node.cover;
      count[node.feature] += 1.0;
    }
  }
}

}  // namespace gradatim::boost
