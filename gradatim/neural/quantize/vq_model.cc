#include "gradatim/neural/quantize/vq_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradatim/core/error.h"
#include "gradatim/core/observer.h"
#include "gradatim/neural/nn/device.h"
#include "gradatim/neural/nn/error.h"
#include "gradatim/neural/nn/memory.h"
#include "gradatim/neural/nn/states.h"
#include "gradatim/neural/quantize/draw_codes.h"
#include "gradatim/neural/size.h"

namespace gradatim::neural {
namespace {

using process::CodesRequest;
using process::RowRange;

std::vector<std::int64_t> shape_of_codes(const CodeShape& codes) {
  std::vector<std::int64_t> shape;
  if (codes.levels.size() > 1) return {codes.length()};
  const auto& places = codes.levels.front();
  if (places.height > 1) shape.push_back(places.height);
  shape.push_back(places.width);
  if (codes.books() > 1) shape.push_back(codes.books());
  return shape;
}

std::vector<std::int64_t> sizes_of_codes(const CodeShape& codes) {
  std::vector<std::int64_t> sizes;
  for (std::int64_t k = 0; k < codes.length(); ++k) sizes.push_back(codes.size_at(k));
  return sizes;
}

std::vector<std::int64_t> with_rows(std::int64_t rows, const std::vector<std::int64_t>& sample) {
  std::vector<std::int64_t> sizes{rows};
  sizes.insert(sizes.end(), sample.begin(), sample.end());
  return sizes;
}

}  // namespace

std::int64_t vq_chunk(const SampleKind& kind) {
  return std::clamp<std::int64_t>((std::int64_t{1} << 18) / kind.dims(), 16, 256);
}

VqModel::VqModel(VqPlan plan, data::ModelCard card, SampleKind kind, VqParts parts)
    : plan_(std::move(plan)),
      card_(std::move(card)),
      kind_(std::move(kind)),
      parts_(std::move(parts)),
      code_shape_(shape_of_codes(parts_.net->codes(0, 0))),
      code_sizes_(sizes_of_codes(parts_.net->codes(0, 0))) {}

void VqModel::for_chunks(
    std::int64_t rows, const std::function<void(std::int64_t first, std::int64_t rows)>& f) const {
  const std::int64_t chunk = vq_chunk(kind_);
  translated([&] {
    const at::NoGradGuard plain;
    const PooledMemory pooled;
    const TorchThreads threads(parts_.net->operations() * static_cast<double>(chunk));
    for (std::int64_t first = 0; first < rows; first += chunk) {
      check_interrupt();
      f(first, std::min(chunk, rows - first));
    }
  });
}

std::vector<std::int64_t> VqModel::encode(std::span<const double> data) const {
  const std::int64_t dims = kind_.dims(), rows = std::ssize(data) / dims;
  std::vector<std::int64_t> codes(to_size(rows * length()));
  for_chunks(rows, [&](std::int64_t first, std::int64_t count) {
    std::vector<double> states(data.begin() + first * dims, data.begin() + (first + count) * dims);
    parts_.scale.to_states(states);
    const Tensor x = at::tensor(at::ArrayRef<double>(states), at::kFloat).view({count, dims});
    const Tensor whole = padded(x, 0, vq_chunk(kind_)).to(parts_.device);
    const Tensor found =
        parts_.net->encode(whole.view(with_rows(whole.size(0), kind_.shape))).cpu().contiguous();
    std::copy_n(found.const_data_ptr<std::int64_t>(), count * length(),
                codes.data() + first * length());
  });
  return codes;
}

std::vector<float> VqModel::decode(std::span<const std::int64_t> codes) const {
  const std::int64_t dims = kind_.dims(), rows = std::ssize(codes) / length();
  for (std::size_t k = 0; k < codes.size(); ++k) {
    const std::size_t place = k % to_size(length());
    GRADATIM_CHECK(codes[k] >= 0 && codes[k] < code_sizes_[place], DataError, 2110,
                   "row {}: the code at place {} is {}; it must be in [0, {}]",
                   k / to_size(length()), place, codes[k], code_sizes_[place] - 1);
  }
  std::vector<float> data(to_size(rows * dims));
  for_chunks(rows, [&](std::int64_t first, std::int64_t count) {
    const at::ArrayRef<std::int64_t> own(codes.data() + first * length(),
                                         to_size(count * length()));
    const Tensor part = at::tensor(own, at::kLong).view({count, length()});
    const Tensor made =
        parts_.net->decode(padded(part, 0, vq_chunk(kind_)).to(parts_.device)).cpu().contiguous();
    std::copy_n(made.const_data_ptr<float>(), count * dims, data.data() + first * dims);
  });
  parts_.scale.to_data(std::span<float>(data));
  return data;
}

void VqModel::check(const CodesRequest& request, std::int64_t rows) const {
  const auto classes = std::ssize(kind_.classes);
  for (const auto label : request.labels) {
    GRADATIM_CHECK(label >= 0 && label < classes, UsageError, 1104,
                   "there is no label {}; the model has {}", label, classes);
  }
  GRADATIM_CHECK(request.labels.size() <= 1 || std::ssize(request.labels) >= rows, UsageError, 1104,
                 "{} labels do not suit {} rows; give one for all, or one each",
                 request.labels.size(), rows);
}

std::vector<std::int64_t> VqModel::sample_codes(const CodesRequest& request) const {
  check(request, request.rows);
  const CodeDraw draw{.seed = request.seed,
                      .first_row = 0,
                      .temperature = request.temperature,
                      .top_k = request.top_k,
                      .top_p = request.top_p};
  check_draw(draw);
  const RowRange range = request.only.value_or(RowRange{0, request.rows});
  std::vector<std::int64_t> codes(to_size(range.count * length()));
  Tensor labels;
  if (!kind_.classes.empty()) {
    const Philox draws(request.seed, Stream::component, 1);
    labels = at::empty({range.count}, at::kLong);
    for (std::int64_t k = 0; k < range.count; ++k) {
      const std::int64_t row = range.first + k;
      labels.data_ptr<std::int64_t>()[k] =
          request.labels.empty() ? parts_.labels.draw(draws.uniform(to_size(row)))
                                 : request.labels[request.labels.size() > 1 ? to_size(row) : 0];
    }
    labels = labels.to(parts_.device);
  }
  translated([&] {
    const at::NoGradGuard plain;
    const PooledMemory pooled;
    CodeDraw own = draw;
    own.first_row = range.first;
    const Tensor made = parts_.prior->sample(range.count, labels, own).cpu().contiguous();
    std::copy_n(made.const_data_ptr<std::int64_t>(), made.numel(), codes.data());
  });
  return codes;
}

std::string VqModel::bytes() const {
  SafetensorsWriter file;
  data::store_card(card_, file);
  kind_.store(file);
  parts_.scale.store(file);
  parts_.labels.store(file);
  parts_.observation.store(file);
  const auto store = [&](const Parameters& parameters, const char* prefix) {
    parameters.store(file, parameters.values(), prefix);
  };
  store(parts_.net->parameters(), "autoencoder.");
  store(parts_.prior->parameters(), "prior.");
  return file.bytes();
}

std::shared_ptr<const VqModel> VqModel::load(const VqPlan& plan, const SafetensorsFile& file,
                                             const data::ModelCard& card) {
  GRADATIM_CHECK(plan.autoencoder != nullptr, ModelError, 3006,
                 "{}: its settings name no autoencoder", file.source());
  SampleKind kind = SampleKind::load(file);
  VqParts parts{.net = load_vq(plan, kind.shape, file, "autoencoder."),
                .scale = Scale::load(file, kind.dims()),
                .labels = Given::load(file, kind.classes.size(), 0),
                .observation = Observation::load(file, kind.dims(), kind.bytes)};
  parts.prior =
      load_prior(*plan.prior, parts.net->codes(std::ssize(kind.classes), 0), file, "prior.");
  return std::make_shared<VqModel>(plan, card, std::move(kind), std::move(parts));
}

std::shared_ptr<const data::Model> VqModel::on(const std::string& device) const {
  GRADATIM_CHECK(device_of(device) == at::kCPU, UsageError, 1163,
                 "neural.vq computes on the cpu alone; leave out --device {}", device);
  return shared_from_this();
}

std::vector<std::int64_t> codes_of(const VqModel& model, const data::Samples& samples) {
  std::vector<std::int64_t> codes;
  const std::int64_t chunk = vq_chunk(SampleKind::of(samples));
  for (std::int64_t first = 0; first < samples.count; first += chunk) {
    const auto part =
        model.encode(numbers_of(samples, first, std::min(chunk, samples.count - first)));
    codes.insert(codes.end(), part.begin(), part.end());
  }
  return codes;
}

std::vector<double> numbers_of(const data::Samples& samples, std::int64_t first,
                               std::int64_t rows) {
  const auto from = to_size(first * samples.size()), count = to_size(rows * samples.size());
  if (samples.bytes.empty()) {
    return {samples.numbers.begin() + static_cast<std::ptrdiff_t>(from),
            samples.numbers.begin() + static_cast<std::ptrdiff_t>(from + count)};
  }
  return {samples.bytes.begin() + static_cast<std::ptrdiff_t>(from),
          samples.bytes.begin() + static_cast<std::ptrdiff_t>(from + count)};
}

}  // namespace gradatim::neural
