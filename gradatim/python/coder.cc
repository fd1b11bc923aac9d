// Models with discrete codes.
#include "gradatim/process/coder.h"

#include <fmt/format.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "gradatim/core/error.h"
#include "gradatim/process/generate.h"
#include "gradatim/python/arrays.h"
#include "gradatim/python/module.h"

namespace nb = nanobind;

namespace gradatim::python {
namespace {

using process::Coder;
using process::CodesRequest;
using Integers = nb::ndarray<const std::int64_t, nb::c_contig, nb::device::cpu>;

const Coder& coder_of(const Fitted& fitted) {
  const auto* coder = dynamic_cast<const Coder*>(fitted.model.get());
  GRADATIM_CHECK(coder != nullptr, UsageError, 1162, "a model of {} has no discrete codes",
                 fitted.model->card().settings.component);
  return *coder;
}

std::int64_t length_of(const Coder& coder) { return std::ssize(coder.code_sizes()); }

nb::object samples_of(const Coder& coder, std::vector<float> numbers) {
  const auto rows = std::ssize(numbers) / process::dims_of(coder);
  const auto sizes = sizes_of(rows, coder.shape());
  if (coder.holds_bytes()) return array_of(process::to_bytes(numbers), sizes);
  return array_of(std::move(numbers), sizes);
}

nb::object encode(const Fitted& self, const Doubles& x, int threads) {
  const Coder& coder = coder_of(self);
  auto codes = unlocked(threads, [&] { return coder.encode({x.data(), x.size()}); });
  const auto rows = std::ssize(codes) / length_of(coder);
  return array_of(std::move(codes), sizes_of(rows, coder.code_shape()));
}

nb::object decode(const Fitted& self, const Integers& codes, int threads) {
  const Coder& coder = coder_of(self);
  return samples_of(coder, unlocked(threads, [&] {
                      return coder.decode({codes.data(), codes.size()});
                    }));
}

nb::object sample(const Fitted& self, std::int64_t rows, std::uint64_t seed, const Words& labels,
                  double temperature, std::int64_t top_k, double top_p, int threads) {
  const Coder& coder = coder_of(self);
  const CodesRequest request{.rows = rows,
                             .seed = seed,
                             .labels = process::labels_named(coder, labels, rows),
                             .temperature = temperature,
                             .top_k = top_k,
                             .top_p = top_p};
  auto codes = unlocked(threads, [&] { return coder.sample_codes(request); });
  return array_of(std::move(codes), sizes_of(rows, coder.code_shape()));
}

nb::object log_prob(const Fitted& self, const Doubles& x, const Words& labels, int threads) {
  const Coder& coder = coder_of(self);
  const auto rows = static_cast<std::int64_t>(x.size()) / process::dims_of(coder);
  const CodesRequest request{.rows = rows, .labels = process::labels_named(coder, labels, rows)};
  auto found = unlocked(threads, [&] {
    return coder.log_prob({x.data(), x.size()}, request).log_prob;
  });
  return array_of(std::move(found), {static_cast<std::size_t>(rows)});
}

}  // namespace

void bind_coder(nb::module_& module) {
  module.def("coder_encode", &encode, nb::arg("model"), nb::arg("x"), nb::arg("threads"),
             "Codes [rows, *code_shape] of data.");
  module.def("coder_decode", &decode, nb::arg("model"), nb::arg("codes"), nb::arg("threads"),
             "Data [rows, *shape] of codes.");
  module.def("coder_sample", &sample, nb::arg("model"), nb::arg("rows"), nb::arg("seed"),
             nb::arg("labels"), nb::arg("temperature"), nb::arg("top_k"), nb::arg("top_p"),
             nb::arg("threads"), "Codes [rows, *code_shape] drawn from the prior.");
  module.def("coder_log_prob", &log_prob, nb::arg("model"), nb::arg("x"), nb::arg("labels"),
             nb::arg("threads"), "A lower bound of ln p of data.");
  module.def(
      "coder_shape",
      [](const Fitted& self) {
        const auto shape = coder_of(self).code_shape();
        return std::vector<std::int64_t>(shape.begin(), shape.end());
      },
      nb::arg("model"), "The shape of a sample's codes.");
  module.def(
      "coder_sizes",
      [](const Fitted& self) {
        const auto sizes = coder_of(self).code_sizes();
        return std::vector<std::int64_t>(sizes.begin(), sizes.end());
      },
      nb::arg("model"), "How many codes there are at each place.");
}

}  // namespace gradatim::python
