#include "gradatim/boost/category/ordered_statistics.h"

#include <limits>

namespace gradatim::boost {
namespace {

// The sums of one lane over the rows so far.
class RunningSums {
 public:
  RunningSums(const BlockedTarget& target, int lane, const BlockedCodes& codes, double prior_weight)
      : weight_of_(target.weight.data()),
        target_of_(target.target.data() + lane * target.size()),
        unit_(target.target_unit[lane]),
        weight_unit_(target.weight_unit),
        code_(codes.code.data()),
        prior_weight_(prior_weight),
        sums_(codes.cells) {}

  void add(std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      total_.target += target_of_[i];
      total_.weight += weight_of_[i];
      if (code_[i] < 0) continue;
      sums_[code_[i]].target += target_of_[i];
      sums_[code_[i]].weight += weight_of_[i];
    }
  }

  double mean() const {
    if (total_.weight == 0) return std::numeric_limits<double>::quiet_NaN();
    return static_cast<double>(total_.target) * unit_ /
           (static_cast<double>(total_.weight) * weight_unit_);
  }
  double value(std::int32_t code, double mean) const {
    if (code < 0) return mean;
    const Sum& sum = sums_[code];
    return (static_cast<double>(sum.target) * unit_ + prior_weight_ * mean) /
           (static_cast<double>(sum.weight) * weight_unit_ + prior_weight_);
  }
  bool empty() const { return total_.weight == 0; }
  /// The squared distance of a row's target, times its weight.
  double error(std::int64_t i, double from) const {
    const double weight = static_cast<double>(weight_of_[i]) * weight_unit_;
    if (weight == 0.0) return 0.0;
    const double distance = static_cast<double>(target_of_[i]) * unit_ / weight - from;
    return weight * distance * distance;
  }

 private:
  struct Sum {
    std::int64_t target = 0;
    std::int64_t weight = 0;
  };
  const std::int64_t* weight_of_;
  const std::int64_t* target_of_;
  double unit_, weight_unit_;
  const std::int32_t* code_;
  double prior_weight_;
  std::vector<Sum> sums_;
  Sum total_;
};

}  // namespace

std::vector<double> ordered_values(const BlockedTarget& target, const BlockedCodes& codes,
                                   double prior_weight) {
  std::vector<double> values(target.size() * target.lanes);
  for (int lane = 0; lane < target.lanes; ++lane) {
    RunningSums sums(target, lane, codes, prior_weight);
    double* out = values.data() + lane * target.size();
    for (int b = 0; b < BlockedTarget::kBlocks; ++b) {
      const double mean = sums.mean();
      for (std::int64_t i = target.first[b]; i < target.first[b + 1]; ++i) {
        out[i] = sums.value(codes.code[i], mean);
      }
      sums.add(target.first[b], target.first[b + 1]);
    }
  }
  return values;
}

std::vector<double> statistic_table(const BlockedTarget& target, const BlockedCodes& codes,
                                    double prior_weight) {
  std::vector<double> table((codes.cells + 1) * target.lanes);
  for (int lane = 0; lane < target.lanes; ++lane) {
    RunningSums sums(target, lane, codes, prior_weight);
    sums.add(0, target.size());
    const double mean = sums.mean();
    for (std::int64_t code = 0; code < codes.cells; ++code) {
      table[code * target.lanes + lane] = sums.value(static_cast<std::int32_t>(code), mean);
    }
    table[codes.cells * target.lanes + lane] = mean;
  }
  return table;
}

double explained(const BlockedTarget& target, const BlockedCodes& codes, double prior_weight) {
  double share = 0.0;
  for (int lane = 0; lane < target.lanes; ++lane) {
    RunningSums sums(target, lane, codes, prior_weight);
    double of_mean = 0.0;
    double of_statistic = 0.0;
    for (int b = 0; b < BlockedTarget::kBlocks; ++b) {
      const double mean = sums.mean();
      const std::int64_t begin = sums.empty() ? target.first[b + 1] : target.first[b];
      for (std::int64_t i = begin; i < target.first[b + 1]; ++i) {
        of_mean += sums.error(i, mean);
        of_statistic += sums.error(i, sums.value(codes.code[i], mean));
      }
      sums.add(target.first[b], target.first[b + 1]);
    }
    if (of_mean > 0.0) share += 1.0 - of_statistic / of_mean;
  }
  return share / target.lanes;
}

}  // namespace gradatim::boost
