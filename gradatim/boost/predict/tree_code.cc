#include "gradatim/boost/predict/tree_code.h"

#include <algorithm>
#include <bit>

namespace gradatim::boost {
namespace {

constexpr int kMostLevels = 8;

std::int64_t count_leaves(const Tree& tree) {
  return std::count_if(tree.nodes.begin(), tree.nodes.end(),
                       [](const Node& node) { return node.leaf(); });
}

bool same_question(const Tree& tree, const Node& a, const Node& b) {
  if (a.leaf() || b.leaf()) return a.leaf() == b.leaf();
  if (a.feature != b.feature || a.missing_left != b.missing_left) return false;
  if (a.categorical != b.categorical) return false;
  if (!a.categorical) return a.threshold == b.threshold && a.split_bin == b.split_bin;
  const auto* words = tree.category_words.data();
  return std::equal(words + a.first_word, words + a.first_word + a.words, words + b.first_word,
                    words + b.first_word + b.words);
}

class Encoder {
 public:
  Encoder(const Tree& tree, const std::function<Condition(const Node&)>& condition_of)
      : tree_(tree), condition_of_(condition_of) {}

  TreeCode encode() {
    const std::int64_t leaves = count_leaves(tree_);
    code_.depth = depth(0);
    code_.stride = vector_stride(tree_.outputs);
    // A step of the chain costs about 1.6 times a condition of a complete tree.
    const bool shallow = code_.depth <= kMostLevels;
    const std::int64_t complete = (std::int64_t{1} << std::min(code_.depth, kMostLevels)) - 1;
    if (shallow && code_.depth > 0 && symmetric()) {
      code_.shape = TreeCode::Shape::symmetric;
      for (std::int32_t n = 0; !tree_.nodes[n].leaf(); n = tree_.nodes[n].left) {
        ask(tree_.nodes[n]);
      }
      place_complete(0, code_.depth, 0);
    } else if (shallow && code_.depth > 0 && 10 * complete <= 16 * (leaves - 1)) {
      code_.shape = TreeCode::Shape::complete;
      ask_complete(0, code_.depth);
      place_complete(0, code_.depth, 0);
    } else {
      ask_chain(0);
    }
    if (code_.stride == 0) {
      code_.values.resize(std::max<std::size_t>(16, std::bit_ceil(code_.values.size())));
    }
    return std::move(code_);
  }

 private:
  int depth(std::int32_t n) const {
    const Node& node = tree_.nodes[n];
    return node.leaf() ? 0 : 1 + std::max(depth(node.left), depth(node.left + 1));
  }

  // All leaves lie on one level, and the nodes of a level ask the same.
  bool symmetric() const {
    std::vector<std::int32_t> level = {0};
    while (true) {
      const Node& first = tree_.nodes[level.front()];
      for (const std::int32_t n : level) {
        if (!same_question(tree_, tree_.nodes[n], first)) return false;
      }
      if (first.leaf()) return true;
      std::vector<std::int32_t> next;
      for (const std::int32_t n : level) {
        next.push_back(tree_.nodes[n].left);
        next.push_back(tree_.nodes[n].left + 1);
      }
      level = std::move(next);
    }
  }

  Condition& ask(const Node& node) {
    code_.conditions.push_back(condition_of_(node));
    Condition& condition = code_.conditions.back();
    code_.masked = code_.masked || condition.mask != 0xFFFFFFFF;
    return condition;
  }

  // Children first. Below a leaf that lies too high, nobody goes right.
  void ask_complete(std::int32_t n, int levels) {
    if (levels == 0) return;
    const Node& node = tree_.nodes[n];
    ask_complete(node.leaf() ? n : node.left, levels - 1);
    ask_complete(node.leaf() ? n : node.left + 1, levels - 1);
    if (node.leaf()) {
      code_.conditions.push_back({.bound = four_times(127)});
    } else {
      ask(node);
    }
  }
  void place_complete(std::int32_t n, int levels, std::size_t number) {
    const Node& node = tree_.nodes[n];
    if (levels == 0) return put(n, number);
    const std::size_t half = std::size_t{1} << (levels - 1);
    place_complete(node.leaf() ? n : node.left, levels - 1, number);
    place_complete(node.leaf() ? n : node.left + 1, levels - 1, number + half);
  }

  void put(std::int32_t n, std::size_t number) {
    const std::size_t each = std::max(code_.stride, 1);
    code_.values.resize(std::max(code_.values.size(), (number + 1) * each));
    for (int k = 0; k < tree_.outputs; ++k) code_.values[number * each + k] = tree_.value(n, k);
    if (!tree_.slopes.any()) return;
    code_.nodes.resize(std::max(code_.nodes.size(), number + 1));
    code_.nodes[number] = n;
  }

  // Parents first, the left subtree's leaves numbered before the right's.
  void ask_chain(std::int32_t n) {
    const Node& node = tree_.nodes[n];
    if (node.leaf()) return put(n, numbered_++);
    Condition& condition = ask(node);
    const auto first = static_cast<std::uint32_t>(numbered_);
    const auto left = static_cast<std::uint32_t>(leaves_below(node.left));
    condition.from = four_times(first);
    condition.to = four_times(first + left);
    ask_chain(node.left);
    ask_chain(node.left + 1);
  }
  std::int64_t leaves_below(std::int32_t n) const {
    const Node& node = tree_.nodes[n];
    return node.leaf() ? 1 : leaves_below(node.left) + leaves_below(node.left + 1);
  }

  const Tree& tree_;
  const std::function<Condition(const Node&)>& condition_of_;
  TreeCode code_;
  std::size_t numbered_ = 0;  // leaves of the chain
};

}  // namespace

bool encodes(const Tree& tree) {
  if (count_leaves(tree) > kMostCodedLeaves) return false;
  std::vector<bool> seen(tree.nodes.size());
  for (const Node& node : tree.nodes) {
    if (node.leaf()) continue;
    if (seen[node.left] || seen[node.left + 1]) return false;
    seen[node.left] = seen[node.left + 1] = true;
  }
  return true;
}

TreeCode encode(const Tree& tree, const std::function<Condition(const Node&)>& condition_of) {
  return Encoder(tree, condition_of).encode();
}

}  // namespace gradatim::boost
