// Fits that share their data and go forward round by round: what cross-validation and search run.
//
//  1. Trainer::prepare() turns a request into PreparedData, once: rows as bins, labels, weights.
//  2. Trainer::start() makes a SteppedFit over it that learns from some of its rows and watches the
//     others; no row is copied.
//  3. step() fits one round, held_out() gives the metrics on the rows that it does not learn from.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace gradatim::data {

class PreparedData {
 public:
  virtual ~PreparedData() = default;
  virtual std::int64_t rows() const = 0;
  /// The class of each row; empty where the target is a number.
  virtual std::vector<std::int32_t> classes() const = 0;
};

class SteppedFit {
 public:
  virtual ~SteppedFit() = default;
  virtual void step() = 0;
  /// (short name, value); the first decides.
  virtual std::vector<std::pair<std::string, double>> held_out() = 0;
  /// Whether more of the first metric is better.
  virtual bool maximises() const = 0;
};

}  // namespace gradatim::data
