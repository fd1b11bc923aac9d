#include "gradatim/neural/flow/flow_model.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "gradatim/core/error.h"
#include "gradatim/core/normal.h"
#include "gradatim/core/parallel.h"
#include "gradatim/neural/nn/device.h"
#include "gradatim/neural/nn/error.h"
#include "gradatim/neural/size.h"

namespace gradatim::neural {
namespace {

using process::FlowRequest;
using process::RowRange;

// Below so many multiplications a chunk is one thread's.
constexpr double kOneThread = 2e8;

// The mean of draws a row, and its standard error.
process::Likelihood mean_of(const std::vector<std::vector<double>>& draws) {
  const std::size_t rows = draws.front().size();
  const auto count = static_cast<double>(draws.size());
  process::Likelihood found{.log_prob = std::vector<double>(rows, 0.0),
                            .standard_error = std::vector<double>(rows, 0.0),
                            .evaluations = std::vector<std::int64_t>(rows, std::ssize(draws))};
  for (std::size_t row = 0; row < rows; ++row) {
    double squares = 0.0;
    for (const auto& draw : draws) found.log_prob[row] += draw[row] / count;
    for (const auto& draw : draws) squares += std::pow(draw[row] - found.log_prob[row], 2.0);
    if (count > 1.0) found.standard_error[row] = std::sqrt(squares / (count * (count - 1.0)));
  }
  return found;
}

}  // namespace

Tensor floats_of(const std::vector<double>& numbers, std::vector<std::int64_t> sizes,
                 at::Device device) {
  return at::tensor(at::ArrayRef<double>(numbers), at::kDouble).to(device, at::kFloat).view(sizes);
}

// A chunk's number of rows is a function of its first row alone: the first ones are small, so that
// few rows do not pay for many, later ones larger.
std::vector<FlowModel::Chunk> FlowModel::chunks_of(RowRange rows) const {
  const std::int64_t small =
      std::clamp<std::int64_t>((std::int64_t{1} << 18) / kind_.dims(), 16, 256);
  std::vector<Chunk> chunks;
  const std::int64_t end = rows.first + rows.count;
  for (std::int64_t first = 0; first < end;) {
    std::int64_t size = small;
    if (kind_.dims() <= 256 && first >= 4 * small) size = first < 8 * small ? 2 * small : 4 * small;
    if (first + size > rows.first) chunks.push_back({first, std::min(size, end - first), size});
    first += size;
  }
  return chunks;
}

void FlowModel::for_chunks(RowRange rows, const std::function<void(const Chunk&)>& f) const {
  if (rows.count == 0) return;
  const auto chunks = chunks_of(rows);
  // What a chunk gets does not depend on what else is asked for.
  const auto work = [&](const Chunk& chunk) {
    return 2.0 * static_cast<double>(parts_.net->parameters().count() * chunk.size);
  };
  const auto one = [&](std::int64_t k) {
    const Chunk& chunk = chunks[to_size(k)];
    check_interrupt();
    const at::NoGradGuard plain;
    const PooledMemory pooled;
    const TorchThreads threads(work(chunk) < kOneThread ? 0.0 : work(chunk));
    f(chunk);
  };
  translated([&] {
    if (std::ranges::all_of(chunks, [&](const Chunk& chunk) { return work(chunk) < kOneThread; })) {
      parallel_tasks(std::ssize(chunks), one);
    } else {
      for (std::int64_t k = 0; k < std::ssize(chunks); ++k) one(k);
    }
  });
}

void FlowModel::check(const FlowRequest& request) const {
  const std::int64_t columns = parts_.given.columns();
  const auto given = static_cast<std::int64_t>(request.given.size());
  GRADATIM_CHECK(columns == 0 ? given == 0 : given == columns || given == columns * request.rows,
                 UsageError, 1192,
                 "the flow learned samples that are given {} numbers each, and {} were given; give "
                 "those of one for all, or of each",
                 columns, given);
  const auto labels = std::ssize(request.labels);
  GRADATIM_CHECK(labels <= 1 || labels >= request.rows, UsageError, 1104,
                 "{} labels do not suit {} rows; give one for all, or one each", labels,
                 request.rows);
  for (const auto label : request.labels) {
    GRADATIM_CHECK(label >= 0 && label < parts_.given.classes(), UsageError, 1104,
                   "there is no label {}; the flow has {}", label, parts_.given.classes());
  }
  GRADATIM_CHECK(request.rows >= 0 && request.draws >= 1, UsageError, 1003,
                 "rows must be at least 0 and draws at least 1; got {} and {}", request.rows,
                 request.draws);
}

void FlowModel::check(const FlowRequest& request, std::size_t numbers) const {
  check(request);
  GRADATIM_CHECK(numbers == to_size(request.rows * kind_.dims()), UsageError, 1105,
                 "{} rows of {} numbers need {} in all, not {}", request.rows, kind_.dims(),
                 request.rows * kind_.dims(), numbers);
}

Tensor FlowModel::contexts(const std::function<std::int64_t(std::int64_t)>& label_of,
                           const FlowRequest& request, const Chunk& chunk) const {
  const Given& given = parts_.given;
  if (given.width() == 0) return {};
  const Tensor all = at::empty({chunk.size, given.width()}, at::kFloat);
  const std::size_t columns = to_size(given.columns());
  for (std::int64_t k = 0; k < chunk.size; ++k) {
    const std::int64_t row = std::min(chunk.first + k, request.rows - 1);
    const std::size_t at = request.given.size() > columns ? to_size(row) * columns : 0;
    given.tell(given.classes() > 0 ? label_of(row) : 0,
               std::span(request.given).subspan(at, columns),
               all.data_ptr<float>() + k * given.width());
  }
  return all.to(parts_.device);
}

Tensor FlowModel::context(std::int64_t label, const FlowRequest& request,
                          const Chunk& chunk) const {
  return contexts([label](std::int64_t) { return label; }, request, chunk);
}

Tensor FlowModel::context(const FlowRequest& request, const Chunk& chunk) const {
  return contexts(
      [&](std::int64_t row) {
        return request.labels[request.labels.size() > 1 ? to_size(row) : 0];
      },
      request, chunk);
}

// ln p of states of a chunk; where no label is asked for, of all labels by their shares.
Tensor FlowModel::densities(const Tensor& states, const FlowRequest& request,
                            const Chunk& chunk) const {
  if (!request.labels.empty() || parts_.given.classes() == 0) {
    return parts_.net->log_prob(states, context(request, chunk));
  }
  std::vector<Tensor> each;
  for (std::int64_t label = 0; label < parts_.given.classes(); ++label) {
    const double share = parts_.given.shares()[to_size(label)];
    if (share == 0.0) continue;
    each.push_back(parts_.net->log_prob(states, context(label, request, chunk)) + std::log(share));
  }
  return at::logsumexp(at::stack(each), 0);
}

// States of one draw of a chunk, and what is to be added to their ln p.
Moved FlowModel::drawn_states(std::span<const double> data, const FlowRequest& request,
                              const Chunk& chunk, int draw) const {
  const auto dims = to_size(kind_.dims()), rows = to_size(chunk.size);
  const Philox draws(request.seed, Stream::probe, static_cast<std::uint32_t>(draw));
  const bool learned = parts_.net->dequantizer() != nullptr;
  std::vector<double> states(rows * dims), log_det(rows), noise(learned ? rows * dims : 0);
  if (learned) normal_rows(draws, to_size(chunk.first), dims, noise);
  for (std::size_t k = 0; k < rows; ++k) {
    const auto row = std::min(to_size(chunk.first) + k, to_size(request.rows) - 1);
    const auto state = std::span(states).subspan(k * dims, dims);
    std::ranges::copy(data.subspan(row * dims, dims), state.begin());
    if (learned) continue;
    for (std::size_t j = 0; j < dims && parts_.map.whole(); ++j) {
      state[j] += draws.uniform(row * dims + j);
    }
    log_det[k] = parts_.map.to_state(state);
  }
  const std::vector<std::int64_t> flat{chunk.size, kind_.dims()};
  if (learned) {
    return dequantized(parts_, floats_of(states, flat, parts_.device),
                       floats_of(noise, flat, parts_.device));
  }
  std::vector<std::int64_t> sizes{chunk.size};
  sizes.insert(sizes.end(), kind_.shape.begin(), kind_.shape.end());
  return {floats_of(states, sizes, parts_.device), at::tensor(at::ArrayRef<double>(log_det))};
}

std::vector<double> FlowModel::one_draw(std::span<const double> data, const FlowRequest& request,
                                        int draw) const {
  std::vector<double> result(to_size(request.rows));
  for_chunks({0, request.rows}, [&](const Chunk& chunk) {
    const Moved drawn = drawn_states(data, request, chunk, draw);
    const Tensor found = (densities(drawn.x, request, chunk).cpu().to(at::kDouble) +
                          drawn.log_det.cpu().to(at::kDouble))
                             .contiguous();
    for (std::int64_t k = 0; k < chunk.rows; ++k) {
      const double nats = found.const_data_ptr<double>()[k];
      GRADATIM_CHECK(!std::isnan(nats), NumericError, 4032,
                     "row {} leads out of the range of floats; it is too far from what was learned",
                     chunk.first + k);
      result[to_size(chunk.first + k)] = nats;
    }
  });
  return result;
}

process::Likelihood FlowModel::log_prob(std::span<const double> data,
                                        const FlowRequest& request) const {
  check(request, data.size());
  parts_.map.check_whole(data);
  std::vector<std::vector<double>> draws;
  for (int k = 0; k < (parts_.map.whole() ? request.draws : 1); ++k) {
    draws.push_back(one_draw(data, request, k));
  }
  return mean_of(draws);
}

void FlowModel::put_data(const Tensor& states, const Chunk& chunk, std::int64_t first,
                         std::span<float> out) const {
  const Tensor numbers = states.cpu().flatten(1).to(at::kDouble).contiguous();
  const auto dims = to_size(kind_.dims());
  // Of a range that begins within the chunk, the rows behind its begin.
  const std::int64_t from = std::max<std::int64_t>(first - chunk.first, 0);
  for (std::int64_t k = from; k < chunk.rows; ++k) {
    double* row = numbers.data_ptr<double>() + k * kind_.dims();
    parts_.map.to_data({row, dims});
    float* to = out.data() + (chunk.first + k - first) * kind_.dims();
    for (std::size_t j = 0; j < dims; ++j) {
      GRADATIM_CHECK(std::isfinite(row[j]) && std::abs(row[j]) <= 3.4e38, NumericError, 4032,
                     "row {} leads out of the range of floats; its code lies too far from 0",
                     chunk.first + k);
      to[j] = static_cast<float>(row[j]);
    }
  }
}

std::vector<float> FlowModel::sample(const FlowRequest& request) const {
  check(request);
  const RowRange range = request.only.value_or(RowRange{0, request.rows});
  std::vector<float> out(to_size(range.count * kind_.dims()));
  const Philox draws(request.seed, Stream::component, 1);  // a mixture's components are of 0
  const auto drawn = [&](std::int64_t row) {               // a label by its share
    return parts_.given.draw(draws.uniform(to_size(row)));
  };
  for_chunks(range, [&](const Chunk& chunk) {
    const Tensor told =
        request.labels.empty() ? contexts(drawn, request, chunk) : context(request, chunk);
    const Tensor z =
        parts_.net->base().sample(request.seed, chunk.first, chunk.size, told, request.temperature);
    put_data(parts_.net->decode(z.to(parts_.device), told), chunk, range.first, out);
  });
  return out;
}

void FlowModel::check_labelled(const FlowRequest& request) const {
  check(request);
  GRADATIM_CHECK(!request.labels.empty() || parts_.given.classes() == 0, UsageError, 1104,
                 "the flow learned samples with labels, and codes belong to one; name it");
}

// States [rows, sample...] of a chunk's data, whole numbers as the middles of their cells.
Tensor FlowModel::middles(std::span<const double> data, const FlowRequest& request,
                          const Chunk& chunk) const {
  const auto dims = to_size(kind_.dims());
  std::vector<double> states(to_size(chunk.size) * dims);
  for (std::int64_t k = 0; k < chunk.size; ++k) {
    const std::int64_t row = std::min(chunk.first + k, request.rows - 1);
    const auto state = std::span(states).subspan(to_size(k) * dims, dims);
    std::ranges::copy(data.subspan(to_size(row) * dims, dims), state.begin());
    if (parts_.map.whole()) std::ranges::for_each(state, [](double& v) { v += 0.5; });
    parts_.map.to_state(state);
  }
  std::vector<std::int64_t> sizes{chunk.size};
  sizes.insert(sizes.end(), kind_.shape.begin(), kind_.shape.end());
  return floats_of(states, sizes, parts_.device);
}

std::vector<float> FlowModel::encode(std::span<const double> data,
                                     const FlowRequest& request) const {
  check(request, data.size());
  check_labelled(request);
  parts_.map.check_whole(data);
  std::vector<float> out(data.size());
  for_chunks({0, request.rows}, [&](const Chunk& chunk) {
    const Tensor states = middles(data, request, chunk);
    const Tensor codes = parts_.net->encode(states, context(request, chunk)).cpu().contiguous();
    for (std::int64_t k = 0; k < chunk.rows * kind_.dims(); ++k) {
      GRADATIM_CHECK(std::isfinite(codes.const_data_ptr<float>()[k]), NumericError, 4032,
                     "row {} leads out of the range of floats; it is too far from what was learned",
                     chunk.first + k / kind_.dims());
    }
    std::copy_n(codes.const_data_ptr<float>(), chunk.rows * kind_.dims(),
                out.data() + chunk.first * kind_.dims());
  });
  return out;
}

std::vector<float> FlowModel::decode(std::span<const double> codes,
                                     const FlowRequest& request) const {
  check(request, codes.size());
  check_labelled(request);
  const std::int64_t dims = kind_.dims();
  std::vector<float> out(codes.size());
  for_chunks({0, request.rows}, [&](const Chunk& chunk) {
    std::vector<double> z(to_size(chunk.size * dims));
    for (std::int64_t k = 0; k < chunk.size; ++k) {
      const std::int64_t row = std::min(chunk.first + k, request.rows - 1);
      std::ranges::copy(codes.subspan(to_size(row * dims), to_size(dims)), z.begin() + k * dims);
    }
    const Tensor states = parts_.net->decode(floats_of(z, {chunk.size, dims}, parts_.device),
                                             context(request, chunk));
    put_data(states, chunk, 0, out);
  });
  return out;
}

// -ln p of other samples, under their labels where they have some.
std::vector<std::pair<std::string, double>> FlowModel::evaluate_samples(
    const data::Samples& samples, std::uint64_t seed) const {
  kind_.check(samples);
  GRADATIM_CHECK(samples.given_columns == kind_.given, UsageError, 1192,
                 "the samples are given [{}], and the flow learned such that are given [{}]",
                 fmt::join(samples.given_columns, ", "), fmt::join(kind_.given, ", "));
  FlowRequest request{.rows = samples.count, .seed = seed};
  if (!samples.labels.empty() && !kind_.classes.empty()) {
    const auto places = kind_.places_of(samples);
    for (const auto label : samples.labels) request.labels.push_back(places[to_size(label)]);
  }
  request.given.assign(samples.given.begin(), samples.given.end());
  std::vector<double> data(to_size(samples.count * samples.size()));
  for (std::int64_t row = 0; row < samples.count; ++row) {
    const auto size = to_size(samples.size());
    parts_.map.row(samples, row, std::span(data).subspan(to_size(row) * size, size));
  }
  const auto found = log_prob(data, request).log_prob;
  const auto count = static_cast<double>(found.size());
  double mean = 0.0, squares = 0.0;
  for (const double nats : found) mean += nats / count;
  for (const double nats : found) squares += (nats - mean) * (nats - mean);
  const double error = std::sqrt(squares / count / std::max(count - 1.0, 1.0));
  return {{"loss", -mean},
          {"loss_error", error},
          {"bits_per_dim", process::bits_per_dim(mean, kind_.dims())}};
}

std::string FlowModel::bytes() const {
  SafetensorsWriter file;
  data::store_card(card_, file);
  kind_.store(file);
  parts_.map.store(file);
  parts_.given.store(file);
  parts_.net->parameters().store(file, parts_.net->parameters().values(), "flow.");
  return file.bytes();
}

std::shared_ptr<const FlowModel> FlowModel::load(const FlowPlan& plan, const SafetensorsFile& file,
                                                 const data::ModelCard& card) {
  GRADATIM_CHECK(plan.architecture != nullptr && plan.base != nullptr, ModelError, 3006,
                 "{}: its settings name no architecture and base", file.source());
  SampleKind kind = SampleKind::load(file);
  FlowParts parts{.map = DataMap::load(file, kind.dims()),
                  .given = Given::load(file, kind.classes.size(), kind.given.size())};
  parts.net = load_flow(*plan.architecture, *plan.base, flow_shape(plan, kind, parts.given, 0),
                        file, "flow.");
  return std::make_shared<FlowModel>(plan, card, std::move(kind), std::move(parts));
}

std::shared_ptr<const data::Model> FlowModel::on(const std::string& device) const {
  return translated([&]() -> std::shared_ptr<const data::Model> {
    const at::Device place = device_of(device);
    if (place == parts_.device) return shared_from_this();
    FlowParts parts = parts_;
    parts.device = place;
    parts.net = flow_net(plan_, flow_shape(plan_, kind_, parts.given, 0), place);
    parts.net->parameters().values().copy_(parts_.net->parameters().values());
    return std::make_shared<FlowModel>(plan_, card_, kind_, std::move(parts));
  });
}

FlowShape flow_shape(const FlowPlan& plan, const SampleKind& kind, const Given& given,
                     std::uint64_t seed) {
  return {kind.shape, given.classes(), given.columns(), seed,
          plan.config.dequantization == Dequantization::variational};
}

Moved dequantized(const FlowParts& parts, const Tensor& v, const Tensor& noise) {
  const Drawn drawn = parts.net->dequantizer()->draw(parts.map.states(v + 0.5).first, noise);
  const auto [states, log_det] = parts.map.states(v + drawn.u);
  std::vector<std::int64_t> sizes{v.size(0)};
  const auto& sample = parts.net->shape().sample;
  sizes.insert(sizes.end(), sample.begin(), sample.end());
  return {states.view(sizes), log_det - drawn.log_q};
}

std::shared_ptr<FlowNet> flow_net(const FlowPlan& plan, const FlowShape& shape, at::Device device) {
  return make_flow(*plan.architecture, *plan.base, shape, device);
}

}  // namespace gradatim::neural
