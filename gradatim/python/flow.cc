// Flows with an exact density, and codes of whatever samples are drawn from.
#include "gradatim/process/flow.h"

#include <fmt/format.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "gradatim/api/settings.h"
#include "gradatim/core/error.h"
#include "gradatim/process/generate.h"
#include "gradatim/python/arrays.h"
#include "gradatim/python/module.h"

namespace nb = nanobind;

namespace gradatim::python {
namespace {

using process::Flow;
using process::FlowRequest;
using Bytes = nb::ndarray<const std::uint8_t, nb::c_contig, nb::device::cpu>;

const Flow& flow_of(const Fitted& fitted) {
  const auto* flow = dynamic_cast<const Flow*>(fitted.model.get());
  GRADATIM_CHECK(flow != nullptr, UsageError, 1162, "a model of {} is no flow with exact steps",
                 fitted.model->card().settings.component);
  return *flow;
}

FlowRequest request_of(const Flow& flow, std::int64_t rows, std::uint64_t seed, const Words& labels,
                       const Doubles& given) {
  return {.rows = rows,
          .seed = seed,
          .labels = process::labels_named(flow, labels, rows),
          .given = {given.data(), given.data() + given.size()}};
}

std::int64_t rows_of(const process::SampleSpace& space, const Doubles& x) {
  return static_cast<std::int64_t>(x.size()) / process::dims_of(space);
}

nb::object sample(const Fitted& self, std::int64_t rows, std::uint64_t seed, const Words& labels,
                  const Doubles& given, double temperature, int threads) {
  const Flow& flow = flow_of(self);
  auto request = request_of(flow, rows, seed, labels, given);
  request.temperature = temperature;
  auto numbers = unlocked(threads, [&] { return flow.sample(request); });
  const auto sizes = sizes_of(rows, flow.shape());
  if (flow.holds_bytes()) return array_of(process::to_bytes(numbers), sizes);
  return array_of(std::move(numbers), sizes);
}

// -> log_prob, standard_error (nats), [rows] each.
nb::tuple log_prob(const Fitted& self, const Doubles& x, std::uint64_t seed, const Words& labels,
                   const Doubles& given, int draws, int threads) {
  const Flow& flow = flow_of(self);
  auto request = request_of(flow, rows_of(flow, x), seed, labels, given);
  request.draws = draws;
  auto found = unlocked(threads, [&] { return flow.log_prob({x.data(), x.size()}, request); });
  const std::vector sizes{static_cast<std::size_t>(request.rows)};
  return nb::make_tuple(array_of(std::move(found.log_prob), sizes),
                        array_of(std::move(found.standard_error), sizes));
}

nb::object encode(const Fitted& self, const Doubles& x, const Words& labels, const Doubles& given,
                  int threads) {
  const Flow& flow = flow_of(self);
  const auto request = request_of(flow, rows_of(flow, x), 0, labels, given);
  auto codes = unlocked(threads, [&] { return flow.encode({x.data(), x.size()}, request); });
  return array_of(std::move(codes), sizes_of(request.rows, std::vector{process::dims_of(flow)}));
}

nb::object decode(const Fitted& self, const Doubles& z, const Words& labels, const Doubles& given,
                  int threads) {
  const Flow& flow = flow_of(self);
  const auto request = request_of(flow, rows_of(flow, z), 0, labels, given);
  auto numbers = unlocked(threads, [&] { return flow.decode({z.data(), z.size()}, request); });
  const auto sizes = sizes_of(request.rows, flow.shape());
  if (flow.holds_bytes()) return array_of(process::to_bytes(numbers), sizes);
  return array_of(std::move(numbers), sizes);
}

nb::object inpaint(const Fitted& self, const Doubles& x, const Bytes& known, std::int64_t steps,
                   std::uint64_t seed, const Words& labels, const Doubles& given, int threads) {
  const Flow& flow = flow_of(self);
  const auto request = request_of(flow, rows_of(flow, x), seed, labels, given);
  auto numbers = unlocked(threads, [&] {
    return flow.inpaint({x.data(), x.size()}, {known.data(), known.size()}, steps, request);
  });
  const auto sizes = sizes_of(request.rows, flow.shape());
  if (flow.holds_bytes()) return array_of(process::to_bytes(numbers), sizes);
  return array_of(std::move(numbers), sizes);
}

const process::Generator& generator_of(const Fitted& fitted) {
  const auto* generator = dynamic_cast<const process::Generator*>(fitted.model.get());
  GRADATIM_CHECK(generator != nullptr, UsageError, 1162, "a model of {} cannot be sampled from",
                 fitted.model->card().settings.component);
  return *generator;
}

nb::object encode_field(const Fitted& self, const std::string& sampler, const Doubles& x,
                        const Words& labels, double atol, double rtol, int threads) {
  const auto& generator = generator_of(self);
  const auto settings = process::sampler_for(generator, api::settings_from_json(sampler));
  const auto rows = rows_of(generator, x);
  const auto places = process::labels_named(generator, labels, rows);
  auto codes = unlocked(threads, [&] {
    return process::encode(generator, settings, {x.data(), x.data() + x.size()}, places,
                           {.atol = atol, .rtol = rtol});
  });
  return array_of(std::vector<float>(codes.begin(), codes.end()),
                  sizes_of(rows, std::vector{process::state_dims_of(generator)}));
}

nb::object decode_field(const Fitted& self, const std::string& sampler, const Doubles& z,
                        const Words& labels, double atol, double rtol, int threads) {
  const auto& generator = generator_of(self);
  const auto settings = process::sampler_for(generator, api::settings_from_json(sampler));
  const auto rows = static_cast<std::int64_t>(z.size()) / process::state_dims_of(generator);
  const auto places = process::labels_named(generator, labels, rows);
  auto numbers = unlocked(threads, [&] {
    return process::decode(generator, settings, {z.data(), z.size()}, places,
                           {.atol = atol, .rtol = rtol});
  });
  const auto sizes = sizes_of(rows, generator.shape());
  if (generator.holds_bytes()) return array_of(process::to_bytes(numbers), sizes);
  return array_of(std::move(numbers), sizes);
}

}  // namespace

void bind_flow(nb::module_& module) {
  module.def("flow_sample", &sample, nb::arg("model"), nb::arg("rows"), nb::arg("seed"),
             nb::arg("labels"), nb::arg("given"), nb::arg("temperature"), nb::arg("threads"),
             "Samples [rows, *shape] of a flow.");
  module.def("flow_log_prob", &log_prob, nb::arg("model"), nb::arg("x"), nb::arg("seed"),
             nb::arg("labels"), nb::arg("given"), nb::arg("draws"), nb::arg("threads"),
             "ln p of data under a flow, and its standard error.");
  module.def("flow_encode", &encode, nb::arg("model"), nb::arg("x"), nb::arg("labels"),
             nb::arg("given"), nb::arg("threads"), "Codes [rows, dims] of data.");
  module.def("flow_decode", &decode, nb::arg("model"), nb::arg("z"), nb::arg("labels"),
             nb::arg("given"), nb::arg("threads"), "Data [rows, *shape] of codes.");
  module.def(
      "flow_given_columns",
      [](const Fitted& self) {
        const auto columns = flow_of(self).given_columns();
        return Words(columns.begin(), columns.end());
      },
      nb::arg("model"), "Names of the numbers that samples are given.");
  module.def("flow_inpaint", &inpaint, nb::arg("model"), nb::arg("x"), nb::arg("known"),
             nb::arg("steps"), nb::arg("seed"), nb::arg("labels"), nb::arg("given"),
             nb::arg("threads"), "Data whose unknown numbers climbed the density.");
  module.def("field_encode", &encode_field, nb::arg("model"), nb::arg("sampler"), nb::arg("x"),
             nb::arg("labels"), nb::arg("atol"), nb::arg("rtol"), nb::arg("threads"),
             "Codes [rows, dims] of data, along a field's probability flow.");
  module.def(
      "field_numbers",
      [](const Fitted& self) { return process::state_dims_of(generator_of(self)); },
      nb::arg("model"), "Numbers of a state.");
  module.def("field_decode", &decode_field, nb::arg("model"), nb::arg("sampler"), nb::arg("z"),
             nb::arg("labels"), nb::arg("atol"), nb::arg("rtol"), nb::arg("threads"),
             "Data [rows, *shape] of codes, along a field's probability flow.");
}

}  // namespace gradatim::python
