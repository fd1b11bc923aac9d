#include "gradatim/boost/ensemble/scored_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>

#include "gradatim/boost/ensemble/shard_data.h"
#include "gradatim/core/error.h"
#include "gradatim/core/parallel.h"
#include "gradatim/dist/collectives.h"

namespace gradatim::boost {
namespace {

constexpr std::int64_t kBlock = 4096;

}  // namespace

void predict_training(const Member& member, const BinnedData& binned, const data::Table& features,
                      std::vector<double>& out) {
  if (member.needs_values()) {
    predict_values(member, features, out);
    return;
  }
  out.resize(binned.rows() * member.outputs());
  member.predict_all(binned, out.data());
}

void each_row_block(const data::Table& features, bool whole,
                    const std::function<void(const RowBlock& rows, std::int64_t first)>& f) {
  const auto width = static_cast<std::int64_t>(features.columns().size());
  auto read_block = [&](std::int64_t begin, std::int64_t end) {
    auto owner = std::make_shared<std::vector<double>>((end - begin) * width);
    std::vector<double>& values = *owner;
    std::vector<double> cells(end - begin);
    for (std::int64_t c = 0; c < width; ++c) {
      features.columns()[c].read(begin, cells);
      for (std::int64_t i = 0; i < end - begin; ++i) values[i * width + c] = cells[i];
    }
    f(RowBlock{values.data(), end - begin, width, owner}, begin);
  };
  if (whole)
    read_block(0, features.rows());
  else
    parallel_for(features.rows(), kBlock, read_block);
}

void predict_values(const Member& member, const data::Table& features, std::vector<double>& out) {
  out.resize(features.rows() * member.outputs());
  // A member of the caller's own runs on the caller's thread, all rows at once.
  each_row_block(features, member.whole(), [&](const RowBlock& rows, std::int64_t first) {
    member.predict(rows, out.data() + first * member.outputs());
  });
}

ScoredRows::ScoredRows(const LabelledRows& rows, std::span<const double> base_score,
                       double grid_step)
    : rows_(rows),
      limit_(std::ldexp(grid_step, 52)),
      beyond_(base_score.size()),
      scores_(rows.rows() * base_score.size()) {
  const auto outputs = base_score.size();
  GRADATIM_CHECK(rows.base_margin.empty() || rows.base_margin.size() == outputs, DataError, 2027,
                 "the loss has {} scores a row and {} columns of base margins were named", outputs,
                 rows.base_margin.size());
  for (std::size_t k = 0; k < outputs; ++k) {
    auto scores = output(static_cast<int>(k));
    for (std::int64_t row = 0; row < rows.rows(); ++row) {
      const double margin = rows.base_margin.empty() ? 0.0 : rows.base_margin[k][row];
      scores[row] = base_score[k] + std::nearbyint(margin / grid_step) * grid_step;
    }
  }
}

void ScoredRows::predict(const Member& member, const BinnedData* binned) {
  if (binned != nullptr)
    predict_training(member, *binned, rows_.features, values_);
  else
    predict_values(member, rows_.features, values_);
}

void ScoredRows::begin_sums(int k, int outputs) {
  std::fill_n(beyond_.begin() + k, outputs, std::uint8_t{0});
}

// Any thread's block.
void ScoredRows::note(int k, bool exact) {
  if (!exact) std::atomic_ref(beyond_[k]).store(1, std::memory_order_relaxed);
}

void ScoredRows::check_exact() const {
  const std::int64_t beyond = std::ranges::count(beyond_, 1);
  GRADATIM_CHECK(dist::maximum(*rows_.shard.group, beyond) == 0, NumericError, 4002,
                 "scores grew beyond {} and the fit diverges; lower the learning rate", limit_);
}

void ScoredRows::add(const Member& member, const BinnedData* binned, int k) {
  predict(member, binned);
  const int outputs = member.outputs();
  begin_sums(k, outputs);
  parallel_for(rows(), kBlock, [&](std::int64_t begin, std::int64_t end) {
    for (int j = 0; j < outputs; ++j) {
      auto scores = output(k + j);
      bool exact = true;
      for (std::int64_t row = begin; row < end; ++row) {
        scores[row] += values_[row * outputs + j];
        exact &= std::abs(scores[row]) < limit_;
      }
      note(k + j, exact);
    }
  });
}

void ScoredRows::rescale(const Member& member, const BinnedData* binned, int k, double from,
                         double to, const Grid& grid) {
  predict(member, binned);
  const int outputs = member.outputs();
  begin_sums(k, outputs);
  parallel_for(rows(), kBlock, [&](std::int64_t begin, std::int64_t end) {
    for (int j = 0; j < outputs; ++j) {
      auto scores = output(k + j);
      bool exact = true;
      for (std::int64_t row = begin; row < end; ++row) {
        const double value = values_[row * outputs + j];
        scores[row] += double{grid.round(to * value)} - grid.round(from * value);
        exact &= std::abs(scores[row]) < limit_;
      }
      note(k + j, exact);
    }
  });
}

void ScoredRows::add_all(std::span<const std::unique_ptr<Member>> members, int outputs) {
  each_row_block(rows_.features, false, [&](const RowBlock& block, std::int64_t first) {
    std::vector<double> values(block.rows * outputs);
    for (std::size_t m = 0; m < members.size(); ++m) {
      members[m]->predict(block, values.data());
      const int width = members[m]->outputs();
      for (int j = 0; j < width; ++j) {
        double* scores = output(static_cast<int>(m * width % outputs) + j).data() + first;
        for (std::int64_t i = 0; i < block.rows; ++i) scores[i] += values[i * width + j];
      }
    }
  });
}

void ScoredRows::add_leaves(const Fitter& fitter, const Member& member,
                            std::span<const Leaf> leaves, int k) {
  std::vector<Leaf> pieces;
  for (const Leaf& leaf : leaves) {
    for (std::size_t at = 0; at < leaf.rows.size(); at += 4 * kBlock) {
      const auto count = std::min<std::size_t>(4 * kBlock, leaf.rows.size() - at);
      pieces.push_back({leaf.id, leaf.rows.subspan(at, count)});
    }
  }
  const int outputs = member.outputs();
  begin_sums(k, outputs);
  auto add_piece = [&](const Leaf& piece) {
    for (int j = 0; j < outputs; ++j) {
      note(k + j, fitter.add_leaf(member, piece, j, limit_, output(k + j)));
    }
  };
  parallel_for(static_cast<std::int64_t>(pieces.size()), 8,
               [&](std::int64_t from, std::int64_t to) {
                 for (std::int64_t i = from; i < to; ++i) add_piece(pieces[i]);
               });
}

std::vector<double> ScoredRows::predictions(const Loss& loss, int outputs,
                                            std::span<const std::uint32_t> rows) {
  const int columns = loss.predictions(outputs);
  const auto count = static_cast<std::int64_t>(rows.size());
  std::vector<double> made(count * columns);
  parallel_for(count, kBlock, [&](std::int64_t begin, std::int64_t end) {
    std::vector<double> block((end - begin) * outputs);
    for (int k = 0; k < outputs; ++k) {
      for (std::int64_t i = begin; i < end; ++i) {
        block[(i - begin) * outputs + k] = output(k)[rows[i]];
      }
    }
    loss.transform(block, outputs,
                   std::span(made).subspan(begin * columns, (end - begin) * columns));
  });
  return made;
}

MetricInput ScoredRows::metric_input(int outputs, int columns, const Transform& transform) {
  predictions_.resize(rows() * columns);
  parallel_for(rows(), kBlock, [&](std::int64_t begin, std::int64_t end) {
    std::vector<double> block((end - begin) * outputs);
    for (int k = 0; k < outputs; ++k) {
      const double* scores = scores_.data() + k * rows();
      for (std::int64_t row = begin; row < end; ++row) {
        block[(row - begin) * outputs + k] = scores[row];
      }
    }
    transform(block, std::span(predictions_).subspan(begin * columns, (end - begin) * columns));
  });
  predictions_ = of_all_ranks(rows_, std::move(predictions_));
  const LabelledRows& all = rows_.all();
  return {all.label, predictions_, columns, all.weight, rows_.targets};
}

MetricInput ScoredRows::metric_input(const Loss& loss, int outputs) {
  return metric_input(outputs, loss.predictions(outputs),
                      [&](std::span<const double> scores, std::span<double> out) {
                        loss.transform(scores, outputs, out);
                      });
}

}  // namespace gradatim::boost
