// FlowModel: what neural.flow saves: densities, samples and codes.
//
// Rows go through the steps in chunks of a fixed number, the last one padded: a row's bits do not
// depend on how many are asked for. Chunks of small flows are computed by threads at once.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gradatim/data/model.h"
#include "gradatim/neural/flow/data_map.h"
#include "gradatim/neural/flow/flow_net.h"
#include "gradatim/neural/flow/given.h"
#include "gradatim/neural/train/sample_kind.h"
#include "gradatim/process/flow.h"

namespace gradatim::neural {

struct FlowParts {
  std::shared_ptr<FlowNet> net;
  DataMap map;
  Given given;
  at::Device device = at::kCPU;
};

class FlowModel final : public data::Model, public process::Flow {
 public:
  FlowModel(FlowPlan plan, data::ModelCard card, SampleKind kind, FlowParts parts)
      : plan_(std::move(plan)),
        card_(std::move(card)),
        kind_(std::move(kind)),
        parts_(std::move(parts)) {}
  static std::shared_ptr<const FlowModel> load(const FlowPlan& plan, const SafetensorsFile& file,
                                               const data::ModelCard& card);

  const data::ModelCard& card() const override { return card_; }
  bool takes_samples() const override { return true; }
  std::vector<std::pair<std::string, double>> evaluate_samples(const data::Samples& samples,
                                                               std::uint64_t seed) const override;
  std::string bytes() const override;
  std::shared_ptr<const data::Model> on(const std::string& device) const override;

  std::span<const std::int64_t> shape() const override { return kind_.shape; }
  std::span<const std::string> classes() const override { return kind_.classes; }
  std::span<const std::string> columns() const override { return kind_.columns; }
  bool holds_bytes() const override { return kind_.bytes; }
  std::span<const std::string> given_columns() const override { return kind_.given; }
  std::vector<float> sample(const process::FlowRequest& request) const override;
  process::Likelihood log_prob(std::span<const double> data,
                               const process::FlowRequest& request) const override;
  std::vector<float> encode(std::span<const double> data,
                            const process::FlowRequest& request) const override;
  std::vector<float> decode(std::span<const double> codes,
                            const process::FlowRequest& request) const override;
  std::vector<float> inpaint(std::span<const double> data, std::span<const std::uint8_t> known,
                             std::int64_t steps,
                             const process::FlowRequest& request) const override;

 private:
  struct Chunk {
    std::int64_t first, rows;  // rows of them are wanted
    std::int64_t size;         // and so many computed
  };
  std::vector<Chunk> chunks_of(process::RowRange rows) const;
  void for_chunks(process::RowRange rows, const std::function<void(const Chunk&)>& f) const;
  void check(const process::FlowRequest& request) const;
  void check(const process::FlowRequest& request, std::size_t numbers) const;
  Tensor context(const process::FlowRequest& request, const Chunk& chunk) const;
  Tensor context(std::int64_t label, const process::FlowRequest& request, const Chunk& chunk) const;
  Tensor contexts(const std::function<std::int64_t(std::int64_t)>& label_of,
                  const process::FlowRequest& request, const Chunk& chunk) const;
  Tensor densities(const Tensor& states, const process::FlowRequest& request,
                   const Chunk& chunk) const;
  void check_labelled(const process::FlowRequest& request) const;
  Tensor middles(std::span<const double> data, const process::FlowRequest& request,
                 const Chunk& chunk) const;
  Moved drawn_states(std::span<const double> data, const process::FlowRequest& request,
                     const Chunk& chunk, int draw) const;
  std::vector<double> one_draw(std::span<const double> data, const process::FlowRequest& request,
                               int draw) const;
  void put_data(const Tensor& states, const Chunk& chunk, std::int64_t first,
                std::span<float> out) const;

  FlowPlan plan_;
  data::ModelCard card_;
  SampleKind kind_;
  FlowParts parts_;
};

/// What a learned dequantiser makes of whole numbers v [rows, dims] by normal noise [rows, dims]:
/// states [rows, sample...] and ln |d state / du| - ln q(u | v) [rows], differentiable.
Moved dequantized(const FlowParts& parts, const Tensor& v, const Tensor& noise);
/// Numbers as float32 on a device.
Tensor floats_of(const std::vector<double>& numbers, std::vector<std::int64_t> sizes,
                 at::Device device);
/// What a flow of this plan is made of for such samples.
FlowShape flow_shape(const FlowPlan& plan, const SampleKind& kind, const Given& given,
                     std::uint64_t seed);
std::shared_ptr<FlowNet> flow_net(const FlowPlan& plan, const FlowShape& shape, at::Device device);

}  // namespace gradatim::neural
