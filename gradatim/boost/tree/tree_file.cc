// Trees as arrays of a model file. A file may come from anywhere, so everything that prediction
// relies on is checked here, once: children come after their one parent and inside their tree,
// features exist, category words exist, values are finite.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "gradatim/boost/tree/tree_member.h"
#include "gradatim/core/error.h"

namespace gradatim::boost {
namespace {

// One array a field, over the nodes of all trees.
struct Arrays {
  std::vector<std::int64_t> first{0};  // node of each tree, and one past the last
  std::vector<std::int32_t> feature, left, first_word, words;
  std::vector<double> threshold, cover;
  std::vector<float> value, gain;
  std::vector<std::uint8_t> flags;  // 1: missing goes left, 2: categorical
  std::vector<std::int64_t> count;
  std::vector<std::int64_t> first_category_word{0};
  std::vector<std::uint32_t> category_words;
  std::vector<float> vectors;  // [nodes, outputs], only where trees have several outputs
  // Only where a leaf has slopes.
  std::vector<std::int64_t> first_slope{0};  // of each node, and one past the last
  std::vector<std::int32_t> slope_feature;
  std::vector<double> slope, intercept, step;
};

constexpr const char* kFirstSlope = "tree.first_slope";

template <class File, class A, class F>
void each_slope_array(File& file, A& a, F&& f) {
  f(file, kFirstSlope, a.first_slope);
  f(file, "tree.slope_feature", a.slope_feature);
  f(file, "tree.slope", a.slope);
  f(file, "tree.intercept", a.intercept);
  f(file, "tree.step", a.step);
}

template <class File, class A, class F>
void each_array(File& file, A& a, F&& f) {
  f(file, "tree.first", a.first);
  f(file, "tree.feature", a.feature);
  f(file, "tree.left", a.left);
  f(file, "tree.threshold", a.threshold);
  f(file, "tree.value", a.value);
  f(file, "tree.flags", a.flags);
  f(file, "tree.gain", a.gain);
  f(file, "tree.cover", a.cover);
  f(file, "tree.count", a.count);
  f(file, "tree.first_word", a.first_word);
  f(file, "tree.words", a.words);
  f(file, "tree.first_category_word", a.first_category_word);
  f(file, "tree.category_words", a.category_words);
}

[[noreturn]] void refuse(const SafetensorsFile& file, std::int64_t tree, std::int64_t node,
                         std::string_view why) {
  throw ModelError(3010, fmt::format("{}: tree {}, node {}: {}; the file is damaged or was not "
                                     "written by gradatim",
                                     file.source(), tree, node, why));
}

void check_node(const SafetensorsFile& file, std::int64_t t, std::int64_t n, const Tree& tree,
                std::span<const FeatureBins> features) {
  const Node& node = tree.nodes[n];
  const auto nodes = static_cast<std::int64_t>(tree.nodes.size());
  if (!std::isfinite(node.value)) refuse(file, t, n, "its value is not finite");
  if (!std::isfinite(node.gain) || !std::isfinite(node.cover) || node.count < 0) {
    refuse(file, t, n, "its gain, cover or count is not possible");
  }
  if (node.leaf()) return;
  if (node.feature >= static_cast<std::int64_t>(features.size())) {
    refuse(file, t, n, "its feature does not exist");
  }
  if (node.left <= n || node.left + std::int64_t{1} >= nodes) {
    refuse(file, t, n, "its children are outside the tree");
  }
  if (node.categorical != features[node.feature].categorical()) {
    refuse(file, t, n, "its feature is of another type");
  }
  if (!node.categorical) {
    if (std::isnan(node.threshold)) refuse(file, t, n, "its threshold is not a number");
    return;
  }
  const auto words = static_cast<std::int64_t>(tree.category_words.size());
  if (node.first_word < 0 || node.words < 0 || std::int64_t{node.first_word} + node.words > words) {
    refuse(file, t, n, "its categories are outside the tree");
  }
}

// Any node but the root is the child of one other: a second parent would put it at two depths.
void check_parents(const SafetensorsFile& file, std::int64_t t, const Tree& tree) {
  std::vector<std::uint8_t> known(tree.nodes.size());
  known.front() = 1;
  for (const Node& node : tree.nodes) {
    if (node.leaf()) continue;
    for (const std::int32_t child : {node.left, node.left + 1}) {
      if (known[child] != 0) refuse(file, t, child, "it is the child of two nodes");
      known[child] = 1;
    }
  }
  for (std::size_t n = 0; n < known.size(); ++n) {
    if (known[n] == 0) refuse(file, t, static_cast<std::int64_t>(n), "it is no node's child");
  }
}

// Offsets rise from 0 to the number of elements, at least by `least` at each step; `why` they do
// not.
void check_offsets(const SafetensorsFile& file, const std::vector<std::int64_t>& first,
                   std::size_t elements, std::int64_t least, std::string_view why) {
  if (first.empty() || first.front() != 0 || first.back() != static_cast<std::int64_t>(elements)) {
    refuse(file, 0, 0, "the sizes of its arrays do not fit together");
  }
  for (std::size_t t = 0; t + 1 < first.size(); ++t) {
    if (first[t + 1] < first[t] + least) {
      throw ModelError(3010, fmt::format("{}: {} {}; the file is damaged or was not written by "
                                         "gradatim",
                                         file.source(), why, t));
    }
  }
}

// Slopes are of numbers, in leaves of one value, at most INT32_MAX of a tree.
void check_slopes(const SafetensorsFile& file, const Arrays& a,
                  std::span<const FeatureBins> features) {
  const std::size_t nodes = a.feature.size();
  const std::size_t trees = a.first.size() - 1;
  if (a.first_slope.size() != nodes + 1 || a.intercept.size() != nodes || a.step.size() != trees ||
      a.slope_feature.size() != a.slope.size() || !a.vectors.empty()) {
    refuse(file, 0, 0, "the sizes of its slopes do not fit together");
  }
  check_offsets(file, a.first_slope, a.slope.size(), 0, "its slopes end before they begin at node");
  const auto finite = [](double x) { return std::isfinite(x); };
  if (!std::all_of(a.slope.begin(), a.slope.end(), finite) ||
      !std::all_of(a.intercept.begin(), a.intercept.end(), finite) ||
      !std::all_of(a.step.begin(), a.step.end(),
                   [](double x) { return std::isfinite(x) && x >= 0.0; })) {
    refuse(file, 0, 0, "a slope is not finite");
  }
  for (const std::int32_t f : a.slope_feature) {
    const bool known = f >= 0 && f < static_cast<std::int64_t>(features.size());
    if (!known || features[f].categorical()) refuse(file, 0, 0, "a slope's feature is no number");
  }
  for (std::size_t n = 0; n < nodes; ++n) {
    if (a.feature[n] >= 0 && a.first_slope[n + 1] > a.first_slope[n]) {
      refuse(file, 0, static_cast<std::int64_t>(n), "it is no leaf and has slopes");
    }
  }
  for (std::size_t t = 0; t < trees; ++t) {
    if (a.first_slope[a.first[t + 1]] - a.first_slope[a.first[t]] >
        std::numeric_limits<std::int32_t>::max()) {
      refuse(file, static_cast<std::int64_t>(t), 0, "it has too many slopes");
    }
  }
}

void append_slopes(const Tree& tree, Arrays& a) {
  const Slopes& slopes = tree.slopes;
  const auto before = static_cast<std::int64_t>(a.slope.size());
  for (std::size_t n = 0; n < tree.nodes.size(); ++n) {
    a.first_slope.push_back(before + (slopes.any() ? slopes.first[n + 1] : 0));
    a.intercept.push_back(slopes.any() ? slopes.intercept[n] : 0.0);
  }
  for (const Slopes::Term& term : slopes.all) {
    a.slope_feature.push_back(term.feature);
    a.slope.push_back(term.weight);
  }
  a.step.push_back(slopes.step);
}

Slopes extract_slopes(const Arrays& a, std::size_t t) {
  const std::int64_t begin = a.first[t];
  const std::int64_t end = a.first[t + 1];
  const std::int64_t first = a.first_slope[begin];
  Slopes slopes;
  if (a.first_slope[end] == first) return slopes;
  slopes.step = a.step[t];
  for (std::int64_t n = begin; n <= end; ++n) {
    slopes.first.push_back(static_cast<std::int32_t>(a.first_slope[n] - first));
  }
  for (std::int64_t i = first; i < a.first_slope[end]; ++i) {
    slopes.all.push_back({a.slope_feature[i], a.slope[i]});
  }
  slopes.intercept.assign(a.intercept.begin() + begin, a.intercept.begin() + end);
  return slopes;
}

void append(const Tree& tree, Arrays& a) {
  for (const Node& node : tree.nodes) {
    a.feature.push_back(node.feature);
    a.left.push_back(node.left);
    a.threshold.push_back(node.threshold);
    a.value.push_back(node.value);
    a.flags.push_back(
        static_cast<std::uint8_t>((node.missing_left ? 1 : 0) | (node.categorical ? 2 : 0)));
    a.gain.push_back(node.gain);
    a.cover.push_back(node.cover);
    a.count.push_back(node.count);
    a.first_word.push_back(node.first_word);
    a.words.push_back(node.words);
  }
  a.first.push_back(static_cast<std::int64_t>(a.feature.size()));
  a.category_words.insert(a.category_words.end(), tree.category_words.begin(),
                          tree.category_words.end());
  a.vectors.insert(a.vectors.end(), tree.vectors.begin(), tree.vectors.end());
  a.first_category_word.push_back(static_cast<std::int64_t>(a.category_words.size()));
  append_slopes(tree, a);
}

Tree extract(const Arrays& a, std::size_t t) {
  Tree tree;
  if (!a.vectors.empty()) {
    tree.outputs = static_cast<int>(a.vectors.size() / a.feature.size());
    tree.vectors.assign(a.vectors.begin() + a.first[t] * tree.outputs,
                        a.vectors.begin() + a.first[t + 1] * tree.outputs);
  }
  for (std::int64_t i = a.first[t]; i < a.first[t + 1]; ++i) {
    Node node;
    node.feature = a.feature[i];
    node.left = a.left[i];
    node.threshold = a.threshold[i];
    node.value = a.value[i];
    node.missing_left = (a.flags[i] & 1) != 0;
    node.categorical = (a.flags[i] & 2) != 0;
    node.gain = a.gain[i];
    node.cover = a.cover[i];
    node.count = a.count[i];
    node.first_word = a.first_word[i];
    node.words = a.words[i];
    tree.nodes.push_back(node);
  }
  tree.category_words.assign(a.category_words.begin() + a.first_category_word[t],
                             a.category_words.begin() + a.first_category_word[t + 1]);
  if (!a.slope.empty()) tree.slopes = extract_slopes(a, t);
  return tree;
}

}  // namespace

void store_trees(std::span<const std::unique_ptr<Member>> members, SafetensorsWriter& file) {
  Arrays a;
  for (const auto& member : members) append(static_cast<const TreeMember&>(*member).tree(), a);
  each_array(file, a, [](SafetensorsWriter& out, const char* name, const auto& array) {
    out.add(name, std::span(array));
  });
  if (!a.vectors.empty()) file.add("tree.vectors", std::span<const float>(a.vectors));
  if (a.slope.empty()) return;
  each_slope_array(file, a, [](SafetensorsWriter& out, const char* name, const auto& array) {
    out.add(name, std::span(array));
  });
}

Members load_trees(const SafetensorsFile& file, std::span<const FeatureBins> features) {
  Arrays a;
  const auto read = [](const SafetensorsFile& in, const char* name, auto& array) {
    array = in.read<typename std::remove_reference_t<decltype(array)>::value_type>(name);
  };
  each_array(file, a, read);
  const std::size_t nodes = a.feature.size();
  for (const std::size_t size :
       {a.left.size(), a.threshold.size(), a.value.size(), a.flags.size(), a.gain.size(),
        a.cover.size(), a.count.size(), a.first_word.size(), a.words.size()}) {
    if (size != nodes) refuse(file, 0, 0, "the sizes of its arrays do not fit together");
  }
  if (file.has("tree.vectors")) a.vectors = file.read<float>("tree.vectors");
  constexpr std::size_t kMostOutputs = 1 << 16;
  if (!a.vectors.empty() &&
      (nodes == 0 || a.vectors.size() % nodes != 0 || a.vectors.size() / nodes < 2 ||
       a.vectors.size() / nodes > kMostOutputs ||
       !std::all_of(a.vectors.begin(), a.vectors.end(),
                    [](float x) { return std::isfinite(x); }))) {
    refuse(file, 0, 0, "the values of its outputs do not fit its nodes or are not finite");
  }
  check_offsets(file, a.first, nodes, 1, "there is no root in tree");
  check_offsets(file, a.first_category_word, a.category_words.size(), 0,
                "its category words end before they begin at tree");
  if (a.first.size() != a.first_category_word.size()) {
    refuse(file, 0, 0, "the sizes of its arrays do not fit together");
  }
  if (file.has(kFirstSlope)) {
    each_slope_array(file, a, read);
    check_slopes(file, a, features);
  }
  Members members;
  for (std::size_t t = 0; t + 1 < a.first.size(); ++t) {
    Tree tree = extract(a, t);
    for (std::size_t n = 0; n < tree.nodes.size(); ++n) {
      check_node(file, static_cast<std::int64_t>(t), static_cast<std::int64_t>(n), tree, features);
    }
    check_parents(file, static_cast<std::int64_t>(t), tree);
    members.push_back(std::make_unique<TreeMember>(std::move(tree)));
  }
  return members;
}

}  // namespace gradatim::boost
