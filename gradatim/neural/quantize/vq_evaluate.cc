// What a VqModel says of samples: reconstruction, use of the codes, and the bound of codes and
// prior.
#include <algorithm>
#include <cmath>

#include "gradatim/neural/nn/states.h"
#include "gradatim/neural/quantize/vq_model.h"
#include "gradatim/neural/size.h"

namespace gradatim::neural {
namespace {

using process::CodesRequest;

struct CodeUse {
  double perplexity = 0.0, alive = 0.0;
};

// How codes are used, of each book of all places together, the mean over books.
CodeUse use_of(std::span<const std::int64_t> codes, const CodeShape& shape) {
  CodeUse use;
  const auto length = to_size(shape.length());
  std::int64_t level_begin = 0;
  double books = 0.0;
  for (const auto& level : shape.levels) {
    const std::int64_t level_end = level_begin + level.places() * shape.books();
    for (std::int64_t book = 0; book < shape.books(); ++book) {
      std::vector<double> counts(to_size(shape.sizes[to_size(book)]), 0.0);
      double all = 0.0, entropy = 0.0, alive = 0.0;
      for (std::size_t row = 0; row < codes.size(); row += length) {
        for (std::int64_t k = level_begin + book; k < level_end; k += shape.books(), all += 1.0) {
          counts[to_size(codes[row + to_size(k)])] += 1.0;
        }
      }
      for (const double count : counts) {
        if (count == 0.0) continue;
        alive += 1.0;
        entropy -= count / all * std::log(count / all);
      }
      use.perplexity += std::exp(entropy);
      use.alive += alive / static_cast<double>(counts.size());
      books += 1.0;
    }
    level_begin = level_end;
  }
  return {use.perplexity / books, use.alive / books};
}

}  // namespace

// ln P of codes of rows [first, first + rows), where no label is asked for over all by their
// shares. They are padded to a chunk as all rows are, so that none depends on how many there are.
Tensor VqModel::prior_nats(std::span<const std::int64_t> codes, std::int64_t first,
                           std::int64_t rows, const CodesRequest& request) const {
  const std::int64_t chunk = vq_chunk(kind_);
  const at::ArrayRef<std::int64_t> own(codes.data() + first * length(), to_size(rows * length()));
  const Tensor part =
      padded(at::tensor(own, at::kLong).view({rows, length()}), 0, chunk).to(parts_.device);
  const auto nats = [&](const Tensor& labels) {
    return parts_.prior->log_prob(part, labels.defined() ? labels.to(parts_.device) : labels)
        .to(at::kDouble)
        .sum(1)
        .narrow(0, 0, rows)
        .cpu();
  };
  const auto classes = std::ssize(kind_.classes);
  if (classes == 0) return nats({});
  if (request.labels.size() == 1) return nats(at::full({chunk}, request.labels[0], at::kLong));
  if (!request.labels.empty()) {
    const at::ArrayRef<std::int64_t> each(request.labels.data() + first, to_size(rows));
    return nats(padded(at::tensor(each, at::kLong).view({rows, 1}), 0, chunk).flatten());
  }
  std::vector<Tensor> all;
  for (std::int64_t label = 0; label < classes; ++label) {
    const double share = parts_.labels.shares()[to_size(label)];
    if (share > 0.0) all.push_back(nats(at::full({chunk}, label, at::kLong)) + std::log(share));
  }
  return at::logsumexp(at::stack(all), 0);
}

std::vector<double> VqModel::bounds(std::span<const double> data,
                                    std::span<const std::int64_t> codes,
                                    std::span<const float> decoded,
                                    const CodesRequest& request) const {
  const std::int64_t dims = kind_.dims(), rows = std::ssize(data) / dims;
  check(request, rows);
  std::vector<double> found(to_size(rows));
  for_chunks(rows, [&](std::int64_t first, std::int64_t count) {
    const Tensor nats = prior_nats(codes, first, count, request).contiguous();
    for (std::int64_t k = 0; k < count; ++k) {
      const auto at = to_size((first + k) * dims), size = to_size(dims);
      found[to_size(first + k)] =
          nats.const_data_ptr<double>()[k] +
          parts_.observation.log_prob(data.subspan(at, size), decoded.subspan(at, size));
    }
  });
  return found;
}

process::Likelihood VqModel::log_prob(std::span<const double> data,
                                      const CodesRequest& request) const {
  const auto codes = encode(data);
  const auto rows = to_size(std::ssize(data) / kind_.dims());
  return {.log_prob = bounds(data, codes, decode(codes), request),
          .standard_error = std::vector<double>(rows, 0.0),
          .evaluations = std::vector<std::int64_t>(rows, 1)};
}

std::vector<std::pair<std::string, double>> VqModel::evaluate_samples(const data::Samples& samples,
                                                                      std::uint64_t) const {
  kind_.check(samples);
  auto data = numbers_of(samples, 0, samples.count);
  const auto codes = encode(data);
  const auto decoded = decode(codes);
  const auto numbers = static_cast<double>(data.size());
  double squares = 0.0;
  for (std::size_t k = 0; k < data.size(); ++k) {
    squares += std::pow(data[k] - double{decoded[k]}, 2.0) / numbers;
  }
  const CodeUse use = use_of(codes, parts_.net->codes(0, 0));
  std::vector<std::pair<std::string, double>> metrics{{"loss", states_loss(data, decoded)},
                                                      {"squared_error", squares},
                                                      {"perplexity", use.perplexity},
                                                      {"live_codes", use.alive}};
  if (parts_.prior == nullptr) return metrics;
  CodesRequest request{.rows = samples.count};
  if (!samples.labels.empty() && !kind_.classes.empty()) {
    const auto places = kind_.places_of(samples);
    for (const auto label : samples.labels) request.labels.push_back(places[to_size(label)]);
  }
  const auto nats = bounds(data, codes, decoded, request);
  double mean = 0.0;
  for (const double each : nats) mean += each / static_cast<double>(nats.size());
  metrics.emplace_back("bits_per_dim", process::bits_per_dim(mean, kind_.dims()));
  return metrics;
}

// What a reconstruction loses in training.
double VqModel::states_loss(std::vector<double> data, std::span<const float> decoded) const {
  std::vector<double> made(decoded.begin(), decoded.end());
  parts_.scale.to_states(data);
  parts_.scale.to_states(made);
  const bool squared = plan_.config.reconstruction == Reconstruction::squared;
  double sum = 0.0;
  for (std::size_t k = 0; k < data.size(); ++k) {
    const double far = std::abs(data[k] - made[k]);
    sum += squared ? far * far : far;
  }
  return sum / static_cast<double>(data.size());
}

}  // namespace gradatim::neural
