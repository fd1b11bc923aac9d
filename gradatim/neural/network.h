// Network: the architecture of a field or a classifier, chosen by name. Settings alone; what
// computes is made of them by libgradatim_neural (nn/net.h).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace gradatim::neural {

/// The transformer by which a network reads texts.
struct TextShape {
  std::int64_t tokens = 0, vocabulary = 0;  // of a text; 0: none is read
  std::int64_t layers = 0, heads = 0;
};

/// What a network is to fit.
struct NetworkShape {
  std::vector<std::int64_t> sample;  // {dims}, or {channels, height, width}
  std::int64_t classes = 0;          // labels 0 .. classes - 1; `classes` itself is "anything"
  std::int64_t outputs = 1;          // put out for each number in: 2 with learned variances
  std::int64_t context = 0;          // numbers of each token of text that is attended to; 0: none
  TextShape text;                    // where the network embeds texts itself
  // Channels that a network of images is given behind a sample's and puts nothing out for, such as
  // a mask and the image behind it.
  std::int64_t beside = 0;
  std::int64_t scores = 0;  // of classes, put out instead of a field; 0: a field
  double time_scale = 1.0;  // of times, so that they reach about 1,000
  double wave_scale = 1.0;  // of the waves that times are told by: below 1, slower ones
  std::uint64_t seed = 0;   // of the initial values
};

class Network {
 public:
  using Interface = Network;
  static constexpr std::string_view kKind = "neural.network";
  virtual ~Network() = default;

  /// The function of libgradatim_neural that makes it, a MakeNet, and the config that it takes.
  virtual const char* maker() const = 0;
  virtual const void* config() const = 0;
  /// What it can put out: numbers like those of the samples, or a score a class.
  virtual bool makes_fields() const { return true; }
  virtual bool makes_scores() const { return false; }
  /// Whether it can attend to a text.
  virtual bool attends() const { return false; }
};

}  // namespace gradatim::neural
