// P_ij = exp((f_i + g_j - C_ij) / e) of row and column sums 1/n, C the squared distance, e the
// regularisation times C's mean: f and g by turns make rows and columns sum to 1/n, in logarithms,
// so that nothing overflows. Partners are then drawn from the rows of P.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradatim/api/export.h"
#include "gradatim/core/error.h"
#include "gradatim/core/math.h"
#include "gradatim/core/parallel.h"
#include "gradatim/core/philox.h"
#include "gradatim/process/coupling.h"

namespace gradatim::process {
namespace {

struct SinkhornConfig {
  double regularisation = 0.05;
  int iterations = 2000;
  double tolerance = 1e-3;
};

constexpr double kMostUnits = 1e12;  // the plan is then still known to 1e-4

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

// The plan in units of e: log(n P_ij) = f_i + g_j - cost_ij.
class Plan {
 public:
  Plan(const Batch& batch, double regularisation)
      : n_(batch.rows), cost_(at(n_ * n_)), turned_(at(n_ * n_)), f_(at(n_)), g_(at(n_)) {
    const std::vector<float> squares = squared_costs(batch);
    double sum = 0.0;
    for (const float x : squares) sum += double{x};
    const double mean = sum / static_cast<double>(squares.size());
    const double unit = mean > 0.0 ? regularisation * mean : 1.0;
    const double most = double{*std::ranges::max_element(squares)} / unit;
    GRADATIM_CHECK(most <= kMostUnits, NumericError, 4025,
                   "sinkhorn: the largest cost is {:.2g} regularisations, and float64 can weigh up "
                   "to {:g}; raise regularisation (now {:g}), or take optimal_transport",
                   most, kMostUnits, regularisation);
    for (std::int64_t i = 0; i < n_; ++i) {
      for (std::int64_t j = 0; j < n_; ++j) {
        cost_[at(i * n_ + j)] = double{squares[at(i * n_ + j)]} / unit;
        turned_[at(j * n_ + i)] = cost_[at(i * n_ + j)];
      }
    }
  }

  /// One turn; how far sums of rows were from their due before it, on average and relative to it.
  double improve() {
    const std::vector<double> before = f_;
    balance(cost_, g_, f_);
    balance(turned_, f_, g_);
    double off = 0.0;
    for (std::size_t i = 0; i < f_.size(); ++i) {
      off += std::abs(math::exp(std::min(before[i] - f_[i], 700.0)) - 1.0);
    }
    return off / static_cast<double>(n_);
  }

  /// The column at which the running sum of row i passes the part `u` of all of it.
  std::int32_t draw(std::int64_t i, double u) const {
    std::vector<double> weight(at(n_));
    for (std::int64_t j = 0; j < n_; ++j) weight[at(j)] = g_[at(j)] - cost_[at(i * n_ + j)];
    const double most = *std::ranges::max_element(weight);
    double sum = 0.0;
    for (double& w : weight) sum += w = math::exp(w - most);
    double left = u * sum;
    for (std::int64_t j = 0; j < n_; ++j) {
      left -= weight[at(j)];
      if (left < 0.0) return static_cast<std::int32_t>(j);
    }
    return static_cast<std::int32_t>(std::ranges::max_element(weight) - weight.begin());
  }

 private:
  // own_i = -log(sum_j exp(other_j - cost_ij) / n): the row's mean is then 1.
  void balance(const std::vector<double>& cost, const std::vector<double>& other,
               std::vector<double>& own) const {
    parallel_for(n_, 64, [&](std::int64_t begin, std::int64_t end) {
      std::vector<double> part(at(n_));
      for (std::int64_t i = begin; i < end; ++i) {
        const double* row = cost.data() + i * n_;
        double most[8], sum[8] = {};  // in lanes by place: the same bits on every processor
        std::ranges::fill(most, other[0] - row[0]);
        for (std::int64_t j = 0; j < n_; ++j) {
          part[at(j)] = other[at(j)] - row[j];
          most[j % 8] = std::max(most[j % 8], part[at(j)]);
        }
        const double top = *std::ranges::max_element(most);
        for (double& x : part) x -= top;
        math::exp_all(part);
        for (std::int64_t j = 0; j < n_; ++j) sum[j % 8] += part[at(j)];
        const double all =
            ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
        own[at(i)] = -(top + math::log(all / static_cast<double>(n_)));
      }
    });
  }

  std::int64_t n_;
  std::vector<double> cost_, turned_;  // [rows, columns], [columns, rows]
  std::vector<double> f_, g_;
};

class Sinkhorn final : public Coupling {
 public:
  explicit Sinkhorn(const SinkhornConfig& config) : config_(config) {}

 protected:
  void choose(const Batch& batch, std::span<std::int32_t> partner) const override {
    Plan plan(batch, config_.regularisation);
    double off = plan.improve();
    for (int turn = 1; turn == 1 || !(off <= config_.tolerance); ++turn) {
      GRADATIM_CHECK(turn <= config_.iterations, NumericError, 4025,
                     "sinkhorn: after {} iterations sums of rows are {:.2g} of their due away from "
                     "it, and {:.2g} is allowed; raise regularisation (now {:g}), tolerance or "
                     "iterations, or take optimal_transport",
                     config_.iterations, off, config_.tolerance, config_.regularisation);
      off = plan.improve();
      if (turn % 16 == 0) check_interrupt();
    }
    const Philox draws(batch.seed, Stream::coupling, static_cast<std::uint32_t>(batch.step));
    parallel_for(batch.rows, 64, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        partner[at(i)] = plan.draw(i, draws.uniform(static_cast<std::uint64_t>(i)));
      }
    });
  }

 private:
  SinkhornConfig config_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&SinkhornConfig::regularisation>(
        {.doc = "Weight of the entropy, in means of the batch's squared distances: small is near "
                "optimal transport and slow, large near independence.",
         .range = api::above(0.0)}),
    api::setting<&SinkhornConfig::iterations>({.doc = "Turns at most.", .range = api::at_least(1)}),
    api::setting<&SinkhornConfig::tolerance>(
        {.doc = "How far sums of the plan's rows may be from their due, on average and relative "
                "to it.",
         .range = api::above(0.0)}),
};

constexpr api::Text kText = {
    .name = "process.coupling.sinkhorn",
    .summary = "Partners drawn from the entropic optimal transport plan of the batch.",
    .detail =
        "Every noise row is used once and draws its data row from its row of the plan, so a data "
        "row may come several times or not at all, as where pairs are drawn from the whole plan; "
        "the expected numbers are the same.",
    .source =
        "Cuturi (2013), Sinkhorn distances: lightspeed computation of optimal transport; Tong et "
        "al. (2024), Improving and generalizing flow-based generative models with minibatch "
        "optimal transport",
    .shape = "noise, data: [rows, dims]",
    .errors =
        "GRD-1155 shapes do not fit; GRD-4024 a number is not finite; GRD-4025 it does not "
        "converge",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_coupling_sinkhorn) =
    gradatim::api::component<gradatim::process::Sinkhorn, gradatim::process::SinkhornConfig>(
        gradatim::process::kText, gradatim::process::kSettings);
