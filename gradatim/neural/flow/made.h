// Made: a multilayer perceptron whose outputs for a number depend on the numbers in front of it
// alone, by masks on its weights (Germain, Gregor, Murray and Larochelle (2015), MADE).
//
// A unit of degree m sees the first m numbers of the order, and units of a degree of at most m; the
// number at place d hears units of a degree below d. Degrees rise evenly over the units of a layer.
// Units of the first layer are told the whole context, and there, degree 0 hears it alone.
#pragma once

#include <mutex>
#include <utility>
#include <vector>

#include "gradatim/neural/flow/conditioner.h"

namespace gradatim::neural {

class Made {
 public:
  /// Of `dims` numbers, last to first where `reversed`, `each` outputs a number. The last layer
  /// begins at 0.
  Made(const Scope& scope, std::int64_t dims, std::int64_t context, std::int64_t each,
       bool reversed, const ConditionerConfig& config);

  /// The weights under their masks, for as many passes as they stay the same.
  std::vector<Tensor> weights() const;
  /// x [rows, dims], context [rows, context] or undefined -> [rows, each, dims].
  Tensor operator()(const std::vector<Tensor>& weights, const Tensor& x,
                    const Tensor& context) const;
  /// Of one number: [rows, each, 1].
  Tensor of_number(const std::vector<Tensor>& weights, const Tensor& x, const Tensor& context,
                   std::int64_t number) const;
  /// The number at a place of the order.
  std::int64_t number_at(std::int64_t place) const { return reversed_ ? dims_ - 1 - place : place; }

 private:
  Tensor hidden(const std::vector<Tensor>& weights, const Tensor& x, const Tensor& context) const;

  std::int64_t dims_, context_, each_;
  bool reversed_;
  Activation activation_;
  std::vector<Tensor> weights_, biases_;  // [out, in], [out]
  // Of what a layer gives and takes: its mask, which is as large as the weights, is made when it is
  // first asked for, and a file has been compared with the shapes by then.
  std::vector<std::pair<Tensor, Tensor>> degrees_;
  mutable std::once_flag masked_;
  mutable std::vector<Tensor> masks_;
};

}  // namespace gradatim::neural
