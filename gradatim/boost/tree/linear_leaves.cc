#include "gradatim/boost/tree/linear_leaves.h"

#include <algorithm>
#include <cmath>

#include "gradatim/core/parallel.h"

namespace gradatim::boost {
namespace {

// Sums over chunks are added in the order of rows, whichever thread made them.
constexpr std::size_t kChunk = 4096;

// The numeric features on the path to each node, ascending.
std::vector<std::vector<std::int32_t>> numeric_paths(const Tree& tree) {
  std::vector<std::vector<std::int32_t>> paths(tree.nodes.size());
  for (std::size_t n = 0; n < tree.nodes.size(); ++n) {
    const Node& node = tree.nodes[n];
    if (node.leaf()) continue;
    auto path = paths[n];
    if (!node.categorical) {
      const auto at = std::lower_bound(path.begin(), path.end(), node.feature);
      if (at == path.end() || *at != node.feature) path.insert(at, node.feature);
    }
    paths[node.left] = path;
    paths[node.left + 1] = std::move(path);
  }
  return paths;
}

// Sums over some rows without missing cells.
struct Means {
  std::int64_t rows = 0, g = 0, h = 0;
  std::vector<double> hx;  // [features]
};
struct Products {
  std::vector<double> hxx, gx;  // [features, features], the lower triangle; [features]
};

}  // namespace

struct LinearLeaves::Model {
  std::int32_t node = 0;
  std::span<const std::uint32_t> rows;
  std::vector<std::int32_t> features;
  std::vector<const double*> cells;  // of each feature
  Means sums;
  std::vector<double> mean;
  Products products;
  std::vector<double> slope;
  double intercept = 0.0;

  std::size_t size() const { return features.size(); }
  bool gather(std::uint32_t row, double* x) const {
    bool whole = true;
    for (std::size_t j = 0; j < size(); ++j) {
      x[j] = cells[j][row];
      whole = whole && x[j] == x[j];
    }
    return whole;
  }

  Means sum_chunk(std::span<const std::uint32_t> chunk, const Statistics& statistics) const {
    Means means{.hx = std::vector<double>(size())};
    std::vector<double> x(size());
    for (const std::uint32_t row : chunk) {
      if (!gather(row, x.data())) continue;
      const Fine& fine = statistics.rows[row].fine;
      ++means.rows;
      means.g += fine.g;
      means.h += fine.h;
      for (std::size_t j = 0; j < size(); ++j) means.hx[j] += fine.h * x[j];
    }
    return means;
  }

  Products multiply_chunk(std::span<const std::uint32_t> chunk,
                          const Statistics& statistics) const {
    Products added{std::vector<double>(size() * size()), std::vector<double>(size())};
    std::vector<double> x(size());
    for (const std::uint32_t row : chunk) {
      if (!gather(row, x.data())) continue;
      const Fine& fine = statistics.rows[row].fine;
      for (std::size_t j = 0; j < size(); ++j) {
        x[j] -= mean[j];
        added.gx[j] += fine.g * x[j];
        const double hx = fine.h * x[j];
        double* to = added.hxx.data() + j * size();
        for (std::size_t k = 0; k <= j; ++k) to[k] += hx * x[k];
      }
    }
    return added;
  }
};

void LinearLeaves::read(const std::vector<Model>& models) {
  std::vector<std::int32_t> wanted;
  for (const Model& model : models) {
    for (const std::int32_t f : model.features) {
      if (!cells_[f].empty()) continue;
      cells_[f].resize(table_.rows());
      wanted.push_back(f);
    }
  }
  parallel_tasks(static_cast<std::int64_t>(wanted.size()),
                 [&](std::int64_t i) { table_.columns()[wanted[i]].read(0, cells_[wanted[i]]); });
}

void LinearLeaves::fit(Tree& tree, std::span<const LeafRows> leaves, const Statistics& statistics,
                       const NewtonRule& rule) {
  const auto paths = numeric_paths(tree);
  std::vector<Model> models;
  for (const LeafRows& leaf : leaves) {
    if (paths[leaf.node].empty() || leaf.rows.size() <= paths[leaf.node].size()) continue;
    models.push_back({.node = leaf.node, .rows = leaf.rows, .features = paths[leaf.node]});
  }
  read(models);
  struct Piece {
    std::size_t model;
    std::span<const std::uint32_t> rows;
  };
  std::vector<Piece> pieces;
  for (std::size_t m = 0; m < models.size(); ++m) {
    Model& model = models[m];
    for (const std::int32_t f : model.features) model.cells.push_back(cells_[f].data());
    for (std::size_t at = 0; at < model.rows.size(); at += kChunk) {
      pieces.push_back({m, model.rows.subspan(at, std::min(kChunk, model.rows.size() - at))});
    }
  }
  const auto count = static_cast<std::int64_t>(pieces.size());
  std::vector<Means> means(pieces.size());
  parallel_tasks(count, [&](std::int64_t p) {
    means[p] = models[pieces[p].model].sum_chunk(pieces[p].rows, statistics);
  });
  for (Model& model : models) model.sums.hx.resize(model.size());
  for (std::size_t p = 0; p < pieces.size(); ++p) {
    Means& sums = models[pieces[p].model].sums;
    sums.rows += means[p].rows;
    sums.g += means[p].g;
    sums.h += means[p].h;
    for (std::size_t j = 0; j < sums.hx.size(); ++j) sums.hx[j] += means[p].hx[j];
  }
  for (Model& model : models) {
    for (const double hx : model.sums.hx) {
      model.mean.push_back(model.sums.h > 0 ? hx / static_cast<double>(model.sums.h) : 0.0);
    }
    model.products = {std::vector<double>(model.size() * model.size()),
                      std::vector<double>(model.size())};
  }
  std::vector<Products> products(pieces.size());
  parallel_tasks(count, [&](std::int64_t p) {
    products[p] = models[pieces[p].model].multiply_chunk(pieces[p].rows, statistics);
  });
  for (std::size_t p = 0; p < pieces.size(); ++p) {
    Products& sums = models[pieces[p].model].products;
    for (std::size_t i = 0; i < sums.hxx.size(); ++i) sums.hxx[i] += products[p].hxx[i];
    for (std::size_t j = 0; j < sums.gx.size(); ++j) sums.gx[j] += products[p].gx[j];
  }
  parallel_tasks(static_cast<std::int64_t>(models.size()),
                 [&](std::int64_t m) { solve(models[m], rule, statistics.fine_units); });
  write(tree, models);
}

void LinearLeaves::solve(Model& model, const NewtonRule& rule, const Units& units) const {
  const std::size_t size = model.size();
  const Means& sums = model.sums;
  if (sums.rows <= static_cast<std::int64_t>(size) || sums.h <= 0) return;
  std::vector<double> a(size * size);
  std::vector<double> b(size);
  for (std::size_t j = 0; j < size; ++j) {
    for (std::size_t k = 0; k <= j; ++k) {
      a[j * size + k] = a[k * size + j] = model.products.hxx[j * size + k] * units.h;
    }
    a[j * size + j] += lambda_;
    b[j] = -model.products.gx[j] * units.g;
  }
  auto slope = solve_semidefinite(std::move(a), b);
  double intercept =
      rule.weight(static_cast<double>(sums.g) * units.g, static_cast<double>(sums.h) * units.h);
  for (std::size_t j = 0; j < size; ++j) intercept -= slope[j] * model.mean[j];
  const bool finite =
      std::all_of(slope.begin(), slope.end(), [](double w) { return std::isfinite(w); });
  const bool flat = std::all_of(slope.begin(), slope.end(), [](double w) { return w == 0.0; });
  if (!finite || flat || !std::isfinite(intercept)) return;
  model.slope = std::move(slope);
  model.intercept = intercept;
}

void LinearLeaves::write(Tree& tree, const std::vector<Model>& models) {
  std::vector<const Model*> of_node(tree.nodes.size());
  bool any = false;
  for (const Model& model : models) {
    if (model.slope.empty()) continue;
    of_node[model.node] = &model;
    any = true;
  }
  tree.slopes = {};
  if (!any) return;
  tree.slopes.intercept.resize(tree.nodes.size());
  for (std::size_t n = 0; n < tree.nodes.size(); ++n) {
    tree.slopes.first.push_back(static_cast<std::int32_t>(tree.slopes.all.size()));
    if (of_node[n] == nullptr) continue;
    const Model& model = *of_node[n];
    tree.slopes.intercept[n] = model.intercept;
    for (std::size_t j = 0; j < model.size(); ++j) {
      if (model.slope[j] != 0.0) tree.slopes.all.push_back({model.features[j], model.slope[j]});
    }
  }
  tree.slopes.first.push_back(static_cast<std::int32_t>(tree.slopes.all.size()));
}

bool LinearLeaves::add(const Tree& tree, std::int32_t node, std::span<const std::uint32_t> rows,
                       double limit, std::span<double> scores) const {
  bool below = true;
  for (const std::uint32_t row : rows) {
    scores[row] += tree.linear_value(node, [&](std::int32_t f) { return cells_[f][row]; });
    below &= std::abs(scores[row]) < limit;
  }
  return below;
}

std::vector<double> solve_semidefinite(std::vector<double> a, std::span<const double> b) {
  constexpr double kTiny = 0x1p-30;  // of its square that a row must add to those before
  const std::size_t size = b.size();
  std::vector<double> d(size);  // a = l diag(d) l^T; 0 where a row adds nothing
  std::vector<double> w(b.begin(), b.end());
  for (std::size_t j = 0; j < size; ++j) {
    double* row = a.data() + j * size;
    const double square = row[j];
    for (std::size_t k = 0; k < j; ++k) {
      double rest = row[k];
      for (std::size_t i = 0; i < k; ++i) rest -= row[i] * d[i] * a[k * size + i];
      row[k] = d[k] > 0.0 ? rest / d[k] : 0.0;
    }
    double rest = square;
    for (std::size_t k = 0; k < j; ++k) rest -= row[k] * row[k] * d[k];
    d[j] = rest > square * kTiny && std::isfinite(rest) ? rest : 0.0;
    for (std::size_t k = 0; k < j; ++k) w[j] -= row[k] * w[k];
    if (d[j] == 0.0) w[j] = 0.0;
  }
  for (std::size_t j = size; j-- > 0;) {
    if (d[j] == 0.0) continue;
    w[j] /= d[j];
    for (std::size_t k = j + 1; k < size; ++k) w[j] -= a[k * size + j] * w[k];
  }
  return w;
}

}  // namespace gradatim::boost
