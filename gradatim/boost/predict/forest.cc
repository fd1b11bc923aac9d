#include "gradatim/boost/predict/forest.h"

#include <algorithm>

#include "gradatim/boost/predict/find_leaves.h"

namespace gradatim::boost {
namespace {

constexpr int kFewRows = 24;  // that walking is faster for than a whole strip

}  // namespace

Forest::Forest(std::span<const Tree* const> trees) : codes_(trees.size()) {
  for (std::size_t t = 0; t < trees.size(); ++t) {
    walk_.add(*trees[t]);
    for (const Node& node : trees[t]->nodes) {
      if (!node.leaf()) features_.push_back(node.feature);
    }
    if (trees[t]->slopes.any()) {
      sloped_.resize(trees.size());
      sloped_[t] = trees[t];
      for (const Slopes::Term& term : trees[t]->slopes.all) features_.push_back(term.feature);
    }
    if (!encodes(*trees[t])) continue;
    if (groups_.empty() || !groups_.back().add(*trees[t])) {
      Planes next;
      if (!next.add(*trees[t])) continue;
      groups_.push_back(std::move(next));
    }
    codes_[t].group = static_cast<std::int64_t>(groups_.size()) - 1;
  }
  std::sort(features_.begin(), features_.end());
  features_.erase(std::unique(features_.begin(), features_.end()), features_.end());
  for (Planes& planes : groups_) planes.finish();
  for (std::size_t t = 0; t < trees.size(); ++t) {
    if (codes_[t].group < 0) continue;
    codes_[t].code = encode(*trees[t], [&](const Node& node) {
      return groups_[codes_[t].group].condition_of(*trees[t], node);
    });
  }
}

void Forest::add(const Strip& strip, std::int64_t first, std::int64_t last, int columns,
                 double* sum, Scratch& scratch) const {
  if (strip.rows <= kFewRows) return add_few(strip, first, last, columns, sum);
  alignas(64) std::uint8_t leaf[kStrip];
  for (std::int64_t t = first; t < last; ++t) {
    double* out = outputs() == 1 ? sum + (t % columns) * kStrip : sum;
    const Coded& coded = codes_[t];
    if (coded.group < 0 && sloped(t)) {
      add_few(strip, t, t + 1, columns, sum);
      continue;
    }
    if (coded.group < 0) {
      walk_.rows(t, strip.cells.data(), kStrip, strip.rows, out);
      continue;
    }
    if (coded.group != scratch.group_) {
      const Planes& planes = groups_[coded.group];
      scratch.planes_.resize(planes.count());
      planes.fill(strip.cells.data(), strip.rows, scratch.planes_.data());
      scratch.group_ = coded.group;
    }
    find_leaves(coded.code, scratch.planes_.data(), leaf);
    if (sloped(t)) {
      add_sloped(strip, t, leaf, out);
    } else if (outputs() == 1) {
      add_leaves(coded.code, leaf, out);
    } else {
      add_vectors(coded.code, leaf, out);
    }
  }
}

void Forest::add_few(const Strip& strip, std::int64_t first, std::int64_t last, int columns,
                     double* sum) const {
  std::vector<double> row(strip.features);
  for (int i = 0; i < strip.rows; ++i) {
    for (std::int64_t f = 0; f < strip.features; ++f) row[f] = strip.cells[f * kStrip + i];
    each_of_row(row.data(), first, last, [&](std::int64_t tree, const auto* values) {
      if (outputs() == 1) {
        sum[(tree % columns) * kStrip + i] += double{*values};
        return;
      }
      for (int k = 0; k < outputs(); ++k) sum[at(i, k)] += double{values[k]};
    });
  }
}

void Forest::add_sloped(const Strip& strip, std::int64_t tree, const std::uint8_t* leaf,
                        double* sum) const {
  const std::vector<std::int32_t>& nodes = codes_[tree].code.nodes;
  for (int i = 0; i < strip.rows; ++i) {
    sum[i] += sloped_[tree]->linear_value(nodes[leaf[i]], [&](std::int32_t feature) {
      return strip.cells[std::int64_t{feature} * kStrip + i];
    });
  }
}

}  // namespace gradatim::boost
