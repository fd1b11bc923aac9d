// Net: a network that computes.
//
//  1. make_net() builds it from its Network's settings for a shape, with initial values; load_net()
//     with those of a file.
//  2. forward() gives outputs; under an active gradient mode they know how to go back.
//  3. In training, run() is the forward pass of a step and backward() takes d loss / d output to
//     parameters().gradients(), onto what is there already. By default both use automatic
//     differentiation; small networks write them by hand.
#pragma once

#include <memory>
#include <optional>

#include "gradatim/core/philox.h"
#include "gradatim/neural/network.h"
#include "gradatim/neural/nn/parameters.h"
#include "gradatim/neural/training.h"

namespace gradatim::neural {

/// Of sampling: what a network makes of a context, kept from one step to the next. It is empty at
/// first, and for one network, one context and one thread.
struct ContextKeys {
  std::vector<Tensor> layers;
};

struct NetInput {
  Tensor x;       // [rows, sample...], with the channels beside them, float32
  Tensor t;       // [rows], or [1] where row_by_row(), float32: what networks are told of the time
  Tensor labels;  // [rows], int64, or undefined where the network has no classes
  std::optional<Philox> dropout = {};  // draws of what a step of training leaves out
  // Of networks that attend to text: [texts, tokens, context], float32, or what that is made of,
  // [texts, tokens], int64. Each text is that of so many rows that follow one another, by default
  // of one.
  Tensor context = {}, tokens = {};
  ContextKeys* kept = nullptr;  // or none; without gradients
};

/// An output, and how it changes along some directions.
struct Along {
  Tensor output;    // [rows, sample...]
  Tensor products;  // [directions, rows, dims]: J z or z^T J, whichever the network has at hand
};

class Net {
 public:
  virtual ~Net() = default;

  Parameters& parameters() { return parameters_; }
  const Parameters& parameters() const { return parameters_; }
  /// [rows, sample...], with `outputs` times as many channels; or [rows, scores].
  virtual Tensor forward(const NetInput& input) = 0;
  /// Of a field, the output and its products with directions z [directions, rows or 1, dims]; under
  /// an active gradient mode both know how to go back, to parameters and to x. By default z^T J, by
  /// automatic differentiation, one direction after the other.
  virtual Along along(const NetInput& input, const Tensor& directions);
  /// [rows, width]: what a classifier's last layer takes. UsageError GRD-1170 where there is none.
  virtual Tensor features(const NetInput& input);
  /// [rows, tokens, context]: what a text of these tokens is to the network. UsageError GRD-1195
  /// where it attends to none.
  virtual Tensor context_of(const Tensor& tokens);
  /// Multiplications and additions for a row between two places where threads wait for each other:
  /// of a layer, the mean of all, unless the network knows better.
  virtual double operations_at_once() const;
  /// Whether forward() without gradients gives a row the same numbers whatever lies beside it, and
  /// may be asked by several threads at once.
  virtual bool row_by_row() const { return false; }
  /// Numbers that run() multiplies; parameters, gradients and outputs are float32 whatever they
  /// are. UsageError GRD-1180 where the processor or the network has not got them.
  void set_precision(Precision precision);
  virtual Tensor run(const NetInput& input);
  virtual void backward(const Tensor& output_gradient);
  /// Gives back what run() and backward() keep; nobody learns any more.
  virtual void end_training() { output_ = Tensor(); }

 protected:
  /// Whether run() leaves its multiplications to torch, which can do them in bfloat16.
  virtual bool takes_bfloat16() const { return true; }
  /// For constructors: the layers added since the last call multiply at so many places of a sample.
  void layers_at(std::int64_t places);

 private:
  double operations_ = 0.0;  // of all layers, a row
  std::size_t layers_ = 0, counted_ = 0;
  Precision precision_ = Precision::float32;
  Parameters parameters_;
  Tensor output_;  // of run(), with its graph
};

/// What a Network's maker() names; the caller owns the result.
using MakeNet = Net*(const void* config, const NetworkShape& shape);

/// The network with its initial values, on `device`. UsageError GRD-1161 where it does not suit the
/// shape, GRD-1170 where it cannot put out what is wanted.
std::unique_ptr<Net> make_net(const Network& network, const NetworkShape& shape,
                              at::Device device = at::kCPU);
/// The same with a file's values, in memory. Errors of Parameters::load(), found before memory is
/// taken: settings may claim any size.
std::unique_ptr<Net> load_net(const Network& network, const NetworkShape& shape,
                              const SafetensorsFile& file, const std::string& prefix);
/// The same with parameters that are still to be packed.
std::unique_ptr<Net> declare_net(const Network& network, const NetworkShape& shape);

}  // namespace gradatim::neural
