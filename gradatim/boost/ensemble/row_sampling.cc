#include "gradatim/boost/ensemble/row_sampling.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "gradatim/boost/ensemble/sampling.h"
#include "gradatim/boost/statistics.h"
#include "gradatim/core/error.h"
#include "gradatim/core/parallel.h"
#include "gradatim/core/philox.h"
#include "gradatim/dist/collectives.h"

namespace gradatim::boost {
namespace {

constexpr std::int64_t kBlock = 4096;
// The upper half of a float's bits, less the sign: 32,768 buckets of sizes.
constexpr int kBucketShift = 16;
constexpr std::size_t kBuckets = std::size_t{1} << 15;
constexpr double kMost{std::numeric_limits<float>::max()};

// How much each row matters: a float >= 0, whose bits rank it, and the same in fixed point, whose
// sums are exact.
class Importance {
 public:
  Importance(const SampledGradients& in, double lambda) : shard_(in.shard), size_(in.rows) {
    dist::together(*shard_.group, [&] { measure(in, lambda); });
    float most = 0.0F;
    for (const float size : size_) most = std::max(most, size);
    most = static_cast<float>(dist::maximum(*shard_.group, double{most}));
    const int bits = 61 - ceil_log2(static_cast<double>(all_rows()) + 1.0);
    scale_ = most > 0.0F ? std::ldexp(1.0, bits - ceil_log2(double{most})) : 1.0;
  }

  const dist::Shard& shard() const { return shard_; }
  std::int64_t rows() const { return static_cast<std::int64_t>(size_.size()); }
  std::int64_t all_rows() const { return shard_.rows(rows()); }
  float operator[](std::int64_t row) const { return size_[row]; }
  std::uint32_t bits(std::int64_t row) const { return std::bit_cast<std::uint32_t>(size_[row]); }
  std::int64_t fixed(float size) const { return static_cast<std::int64_t>(double{size} * scale_); }
  double scale() const { return scale_; }

 private:
  void measure(const SampledGradients& in, double lambda) {
    parallel_for(in.rows, kBlock, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        double squares = 0.0;
        for (int k = 0; k < in.outputs; ++k) {
          const double g = in.g[k * in.rows + row];
          const double h = in.h[k * in.rows + row];
          squares += g * g + lambda * h * h;
        }
        GRADATIM_CHECK(std::isfinite(squares), NumericError, 4001,
                       "a gradient or hessian is not finite; scale the target, lower the learning "
                       "rate or check the custom loss");
        const double weight = in.weight.empty() ? 1.0 : double{in.weight[row]};
        size_[row] = static_cast<float>(std::min(weight * std::sqrt(squares), kMost));
      }
    });
  }

  dist::Shard shard_;
  std::vector<float> size_;
  double scale_ = 1.0;
};

struct Bucket {
  std::int64_t rows = 0;
  std::int64_t sum = 0;  // fixed point
};

std::vector<Bucket> buckets_of(const Importance& importance) {
  constexpr std::int64_t kParts = 8;
  std::vector<std::vector<Bucket>> parts(kParts, std::vector<Bucket>(kBuckets));
  parallel_tasks(kParts, [&](std::int64_t part) {
    const std::int64_t end = importance.rows() * (part + 1) / kParts;
    for (std::int64_t row = importance.rows() * part / kParts; row < end; ++row) {
      Bucket& bucket = parts[part][importance.bits(row) >> kBucketShift];
      ++bucket.rows;
      bucket.sum += importance.fixed(importance[row]);
    }
  });
  for (std::int64_t part = 1; part < kParts; ++part) {
    for (std::size_t b = 0; b < kBuckets; ++b) {
      parts[0][b].rows += parts[part][b].rows;
      parts[0][b].sum += parts[part][b].sum;
    }
  }
  static_assert(sizeof(Bucket) == 2 * sizeof(std::int64_t));
  importance.shard().group->all_reduce(std::span(&parts[0][0].rows, 2 * kBuckets),
                                       dist::Reduction::sum);
  return std::move(parts[0]);
}

// A row of any rank, by its place among all.
struct RankedRow {
  std::int64_t place = 0;
  float size = 0.0F;
  bool operator<(const RankedRow& other) const {
    return size != other.size ? size > other.size : place < other.place;
  }
};

// Rows of one bucket, the largest first; equal ones by row.
std::vector<RankedRow> ranked(const Importance& importance, std::size_t bucket) {
  std::vector<RankedRow> rows;
  for (std::int64_t row = 0; row < importance.rows(); ++row) {
    if (importance.bits(row) >> kBucketShift == bucket) {
      rows.push_back({importance.shard().first_row + row, importance[row]});
    }
  }
  if (importance.shard().split()) {
    rows = dist::gather_values<RankedRow>(*importance.shard().group, rows);
  }
  std::ranges::sort(rows, std::less<>());
  return rows;
}

// Whether each row is among the `count` largest.
std::vector<std::uint8_t> largest(const Importance& importance, std::int64_t count) {
  std::vector<std::uint8_t> chosen(importance.rows());
  const auto buckets = buckets_of(importance);
  std::size_t last = kBuckets;
  while (last > 0 && buckets[last - 1].rows <= count) count -= buckets[--last].rows;
  for (std::int64_t row = 0; row < importance.rows(); ++row) {
    chosen[row] = importance.bits(row) >> kBucketShift >= last;
  }
  if (last == 0 || count == 0) return chosen;
  const auto rows = ranked(importance, last - 1);
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t row = rows[i].place - importance.shard().first_row;
    if (row >= 0 && row < importance.rows()) chosen[row] = 1;
  }
  return chosen;
}

// mu with sum min(1, s / mu) = wanted: what lies above it is drawn for certain. Where n rows do and
// the others sum up to r, mu = r / (wanted - n); the largest n for which the n-th row is >= mu.
double threshold(const Importance& importance, double wanted) {
  const auto buckets = buckets_of(importance);
  std::int64_t total = 0;
  for (const Bucket& bucket : buckets) total += bucket.sum;
  std::int64_t above = 0;
  const auto mu = [&] {
    return static_cast<double>(total) / importance.scale() / (wanted - static_cast<double>(above));
  };
  const auto room = [&](std::int64_t rows) { return static_cast<double>(above + rows) < wanted; };
  std::size_t b = kBuckets;
  for (; b > 0; --b) {
    const Bucket& bucket = buckets[b - 1];
    if (bucket.rows == 0) continue;
    if (!room(bucket.rows)) break;
    // The bucket as a whole: its least value against the threshold without it.
    const auto least = std::bit_cast<float>(static_cast<std::uint32_t>((b - 1) << kBucketShift));
    above += bucket.rows;
    total -= bucket.sum;
    if (double{least} >= mu()) continue;
    above -= bucket.rows;
    total += bucket.sum;
    break;
  }
  if (b > 0) {
    for (const RankedRow& row : ranked(importance, b - 1)) {
      if (!room(1)) break;
      if (double{row.size} < mu()) break;
      ++above;
      total -= importance.fixed(row.size);
    }
  }
  return mu();
}

RowSample with_weights(const SampledGradients& in, std::uint64_t seed, std::uint32_t draw,
                       const std::vector<float>& probability) {
  RowSample sample{.every = false};
  sample.weight.resize(in.rows);
  const Philox random(seed, Stream::rows, draw);
  parallel_for(in.rows, kBlock, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const float p = probability[row];
      if (p < 1.0F && !(random.uniform(in.shard.first_row + row) < double{p})) continue;
      sample.weight[row] = (in.weight.empty() ? 1.0F : in.weight[row]) / p;
    }
  });
  for (std::int64_t row = 0; row < in.rows; ++row) {
    if (sample.weight[row] > 0.0F) sample.rows.push_back(static_cast<std::uint32_t>(row));
  }
  return sample;
}

}  // namespace

void check(const SamplingConfig& config) {
  GRADATIM_CHECK(
      config.method != SamplingMethod::goss || config.top_rate + config.other_rate <= 1.0,
      UsageError, 1003, "top_rate + other_rate must be at most 1; got {} + {}", config.top_rate,
      config.other_rate);
}

RowSample draw_rows(const SamplingConfig& config, const SampledGradients& in, std::uint64_t seed,
                    std::uint32_t draw) {
  const auto uniform = [&](double share) {
    if (share >= 1.0) return RowSample();
    return RowSample{false, sample_rows(in.rows, share, seed, draw, in.shard), {}};
  };
  const std::int64_t all_rows = in.shard.rows(in.rows);
  if (config.method == SamplingMethod::uniform) return uniform(config.subsample);
  std::vector<float> probability(in.rows);
  RowSample sample;
  if (config.method == SamplingMethod::goss) {
    const Importance importance(in, 0.0);
    const auto top = std::llround(config.top_rate * static_cast<double>(all_rows));
    const auto chosen = largest(importance, top);
    const double other = std::min(1.0, config.other_rate / (1.0 - config.top_rate));
    for (std::int64_t row = 0; row < in.rows; ++row) {
      probability[row] = chosen[row] != 0 ? 1.0F : static_cast<float>(other);
    }
    sample = with_weights(in, seed, draw, probability);
  } else {
    if (config.subsample >= 1.0) return uniform(1.0);
    const Importance importance(in, config.mvs_lambda);
    const double mu = threshold(importance, config.subsample * static_cast<double>(all_rows));
    if (mu > 0.0) {
      for (std::int64_t row = 0; row < in.rows; ++row) {
        probability[row] = static_cast<float>(std::min(1.0, double{importance[row]} / mu));
      }
      sample = with_weights(in, seed, draw, probability);
    }
  }
  const bool none = dist::sum(*in.shard.group, std::ssize(sample.rows)) == 0;
  return none ? uniform(std::min(1.0, config.subsample)) : sample;
}

}  // namespace gradatim::boost
