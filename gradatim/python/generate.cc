// Models that samples are drawn from: arrays of samples, and what one does with a Generator.
#include "gradatim/process/generate.h"

#include <fmt/format.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "gradatim/api/settings.h"
#include "gradatim/core/error.h"
#include "gradatim/data/samples/values.h"
#include "gradatim/process/guide.h"
#include "gradatim/process/host_space.h"
#include "gradatim/process/noised_classifier.h"
#include "gradatim/process/sampler.h"
#include "gradatim/python/arrays.h"
#include "gradatim/python/module.h"

namespace nb = nanobind;

namespace gradatim::python {
namespace {

using process::Generator;

const Generator& generator_of(const Fitted& fitted) {
  const auto* generator = dynamic_cast<const Generator*>(fitted.model.get());
  GRADATIM_CHECK(generator != nullptr, UsageError, 1162, "a model of {} cannot be sampled from",
                 fitted.model->card().settings.component);
  return *generator;
}

const process::NoisedClassifier& classifier_of(const data::Model& model) {
  const auto* classifier = dynamic_cast<const process::NoisedClassifier*>(&model);
  GRADATIM_CHECK(classifier != nullptr, UsageError, 1172,
                 "a classifier of samples guides, such as neural.classifier; this is {}",
                 model.card().settings.component);
  return *classifier;
}

// What all models of samples say about these.
template <class Say>
auto of_samples(const Fitted& fitted, Say say) {
  const auto* classifier = dynamic_cast<const process::NoisedClassifier*>(fitted.model.get());
  if (classifier != nullptr) return say(*classifier);
  const auto* space = dynamic_cast<const process::SampleSpace*>(fitted.model.get());
  GRADATIM_CHECK(space != nullptr, UsageError, 1162, "a model of {} cannot be sampled from",
                 fitted.model->card().settings.component);
  return say(*space);
}

// Memory for samples, which Python fills: the only copy of what the user has.
SharedSamples empty_samples(std::int64_t count, std::vector<std::int64_t> shape, bool bytes) {
  auto samples = std::make_shared<data::Samples>();
  samples->count = count;
  samples->shape = std::move(shape);
  const auto numbers = static_cast<std::size_t>(count * samples->size());
  if (bytes) {
    samples->bytes.resize(numbers);
  } else {
    samples->numbers.resize(numbers);
  }
  return {std::move(samples)};
}

// An array [count, *shape] over that memory, which it keeps alive.
nb::object memory_of(const SharedSamples& self) {
  auto& samples = *self.samples;
  const auto sizes = sizes_of(samples.count, samples.shape);
  nb::capsule owner(new SharedSamples(self),
                    [](void* p) noexcept { delete static_cast<SharedSamples*>(p); });
  if (samples.bytes.empty()) {
    return nb::cast(
        nb::ndarray<nb::numpy, float>(samples.numbers.data(), sizes.size(), sizes.data(), owner));
  }
  return nb::cast(nb::ndarray<nb::numpy, std::uint8_t>(samples.bytes.data(), sizes.size(),
                                                       sizes.data(), owner));
}

// [count, names], what each sample is given.
void set_given(const SharedSamples& self, const Doubles& given, Words names) {
  self.samples->given.assign(given.data(), given.data() + given.size());
  self.samples->given_columns = std::move(names);
}

void set_labels(const SharedSamples& self, std::vector<std::int64_t> labels, Words classes) {
  self.samples->labels = std::move(labels);
  self.samples->classes = std::move(classes);
}

// Phrasings, and which of them each sample has.
void set_captions(const SharedSamples& self, std::vector<Words> captions,
                  std::vector<std::int64_t> captioned) {
  self.samples->captions = std::move(captions);
  self.samples->captioned = std::move(captioned);
}

// A classifier, or samples to match; of a weight where the sampler names no guidance.
struct Guide {
  std::shared_ptr<const data::Model> classifier;
  std::shared_ptr<const data::Samples> match;
  std::int64_t blocks = 4;
  std::optional<double> weight;

  api::Settings guidance() const {
    const auto kind = match ? process::GuideKind::match : process::GuideKind::classifier;
    const auto text = weight ? fmt::format("{}", *weight) : std::string();
    return api::parse_settings("process.sampler", process::guide_options(kind, text))
        .parts.at("guidance");
  }
  // The field is not asked for the labels that a classifier leads to.
  void tell(const Generator& generator, const Words& labels,
            std::shared_ptr<const process::Path> path, process::GenerateRequest& request) const {
    if (match) {
      auto references = data::values_of(*match, generator.shape(), "the samples to match");
      request.energy =
          process::match_energy(generator, blocks, std::move(references), std::move(path));
      return;
    }
    const auto& led = classifier_of(*classifier);
    auto places = process::places_named(led.classes(), "classifier", labels, request.rows);
    request.energy = process::energy_for(
        generator, led, std::make_shared<process::Labels>(std::move(places)), std::move(path));
  }
};

nb::object sample(const Fitted& self, const std::string& sampler, std::int64_t rows,
                  std::uint64_t seed, const Words& labels, const Words& negative,
                  const Words& texts, const Words& negative_texts, const SharedSamples* source,
                  const Guide* guide, std::int64_t batch, nb::handle on_step, nb::handle on_warning,
                  int threads) {
  const Generator& generator = generator_of(self);
  auto asked = api::settings_from_json(sampler);
  if (guide != nullptr && !asked.parts.contains("guidance")) {
    asked.parts["guidance"] = guide->guidance();
  }
  const auto settings = process::sampler_for(generator, std::move(asked));
  if (guide != nullptr) process::check_hears_guide(settings);
  StepObserver observer(on_step, on_warning);
  for (const auto& notice : api::notices(settings)) observer.on_warning(notice);
  process::GenerateRequest request{.rows = rows,
                                   .seed = seed,
                                   .negative = process::labels_named(generator, negative, rows),
                                   .texts = texts,
                                   .negative_texts = negative_texts,
                                   .batch = batch,
                                   .observer = &observer};
  if (source != nullptr) {
    request.source = data::values_of(*source->samples, generator.shape(), "the source's samples");
  }
  if (guide == nullptr || guide->match) {
    request.labels = process::labels_named(generator, labels, rows);
  }
  if (guide != nullptr) {
    guide->tell(generator, labels, api::build_as<process::Sampler>(settings)->path(), request);
  }
  auto numbers =
      unlocked(threads, [&] { return process::generate(generator, settings, std::move(request)); });
  const auto sizes = sizes_of(rows, generator.shape());
  if (generator.holds_bytes()) return array_of(process::to_bytes(numbers), sizes);
  return array_of(std::move(numbers), sizes);
}

// -> log_prob, standard_error (nats), [rows] each.
nb::tuple log_prob(const Fitted& self, const std::string& sampler, const Doubles& x,
                   const Words& labels, int probes, std::uint64_t seed, bool end_field, double atol,
                   double rtol, int threads) {
  const Generator& generator = generator_of(self);
  const auto settings = process::sampler_for(generator, api::settings_from_json(sampler));
  const auto rows = static_cast<std::int64_t>(x.size()) / process::dims_of(generator);
  const auto places = process::labels_named(generator, labels, rows);
  const process::LikelihoodOptions options{
      .probes = probes,
      .seed = seed,
      .end = end_field ? process::EndDensity::field : process::EndDensity::start,
      .ode = {.atol = atol, .rtol = rtol}};
  StepObserver observer{nb::none(), nb::none()};
  std::vector<double> data(x.data(), x.data() + x.size());
  auto found = unlocked(threads, [&] {
    return process::log_prob(generator, settings, std::move(data), places, options, &observer);
  });
  const std::vector sizes{static_cast<std::size_t>(rows)};
  return nb::make_tuple(array_of(std::move(found.log_prob), sizes),
                        array_of(std::move(found.standard_error), sizes));
}

// What the network says of states x [rows, *shape] at times t [rows].
nb::object field(const Fitted& self, const Doubles& x, const Doubles& t, const Words& labels,
                 int threads) {
  const Generator& generator = generator_of(self);
  const auto dims = process::state_dims_of(generator);
  const auto rows = static_cast<std::int64_t>(t.size());
  GRADATIM_CHECK(static_cast<std::int64_t>(x.size()) == rows * dims, UsageError, 1105,
                 "{} states of {} numbers need {} in all, not {}", rows, dims, rows * dims,
                 x.size());
  const auto known = process::labels_named(generator, labels, rows);
  process::ConditionPtr condition;
  if (!known.empty()) condition = std::make_shared<process::Labels>(known);
  std::vector<std::int64_t> places(static_cast<std::size_t>(rows));
  for (std::size_t row = 0; row < places.size(); ++row)
    places[row] = static_cast<std::int64_t>(row);
  const std::vector<double> times(t.data(), t.data() + t.size());
  std::vector<float> said(x.size());
  unlocked(threads, [&] {
    process::HostSpace<float> space;
    const auto state = space.from({x.data(), x.size()}, rows, dims);
    process::Vec out;
    generator.field()->eval(space, {state, times, places}, {&condition, 1}, {&out, 1});
    const float* numbers = process::HostSpace<float>::data(out);
    std::copy_n(numbers, said.size(), said.begin());
    return 0;
  });
  return array_of(std::move(said), sizes_of(rows, generator.state_shape()));
}

// -> [rows, columns]
nb::object predict_samples(const Fitted& self, const SharedSamples& samples, int threads) {
  auto made = unlocked(threads, [&] { return self.model->predict_samples(*samples.samples); });
  const auto columns = static_cast<std::size_t>(made.columns);
  const auto rows = made.values.size() / columns;
  return array_of(std::move(made.values), {rows, columns});
}

// -> [rows, width]
nb::object features(const Fitted& self, const SharedSamples& samples, int threads) {
  const auto& classifier = classifier_of(*self.model);
  auto made = unlocked(threads, [&] {
    return classifier.features(
        data::values_of(*samples.samples, classifier.shape(), "X's samples"));
  });
  const auto rows = static_cast<std::size_t>(samples.samples->count);
  const auto width = made.size() / rows;
  return array_of(std::move(made), {rows, width});
}

double loss(const Fitted& self, const SharedSamples& samples, std::uint64_t seed, int threads) {
  return unlocked(
      threads, [&] { return self.model->evaluate_samples(*samples.samples, seed).front().second; });
}

}  // namespace

void bind_generate(nb::module_& module) {
  nb::class_<SharedSamples>(module, "Samples", "Arrays of one shape, with labels where there are.")
      .def_prop_ro("memory", &memory_of)
      .def_prop_rw(
          "columns", [](const SharedSamples& self) { return self.samples->columns; },
          [](const SharedSamples& self, Words names) { self.samples->columns = std::move(names); })
      .def("set_given", &set_given, nb::arg("given"), nb::arg("names"))
      .def("set_captions", &set_captions, nb::arg("captions"), nb::arg("captioned"))
      .def("set_labels", &set_labels, nb::arg("labels"), nb::arg("classes"));
  module.def("empty_samples", &empty_samples, nb::arg("count"), nb::arg("shape"), nb::arg("bytes"),
             "Memory for samples.");
  nb::class_<Guide>(module, "Guide", "What guides samples beside their labels.")
      .def(
          "__init__",
          [](Guide* self, const Fitted* classifier, const SharedSamples* match, std::int64_t blocks,
             std::optional<double> weight) {
            new (self) Guide{classifier == nullptr ? nullptr : classifier->model,
                             match == nullptr ? nullptr : match->samples, blocks, weight};
          },
          nb::arg("classifier").none(), nb::arg("match").none(), nb::arg("blocks"),
          nb::arg("weight").none());
  module.def("predict_samples", &predict_samples, nb::arg("model"), nb::arg("samples"),
             nb::arg("threads"), "Chances of the classes, [rows, classes].");
  module.def("features", &features, nb::arg("model"), nb::arg("samples"), nb::arg("threads"),
             "What a classifier's last layer takes, [rows, width].");
  module.def("generate", &sample, nb::arg("model"), nb::arg("sampler"), nb::arg("rows"),
             nb::arg("seed"), nb::arg("labels"), nb::arg("negative"), nb::arg("texts"),
             nb::arg("negative_texts"), nb::arg("source").none(), nb::arg("guide").none(),
             nb::arg("batch"), nb::arg("on_step").none(), nb::arg("on_warning"), nb::arg("threads"),
             "Samples [rows, *shape] of a model.");
  module.def("model_log_prob", &log_prob, nb::arg("model"), nb::arg("sampler"), nb::arg("x"),
             nb::arg("labels"), nb::arg("probes"), nb::arg("seed"), nb::arg("end_field"),
             nb::arg("atol"), nb::arg("rtol"), nb::arg("threads"), "ln p of data under a model.");
  module.def("model_field", &field, nb::arg("model"), nb::arg("x"), nb::arg("t"), nb::arg("labels"),
             nb::arg("threads"), "A model's field at states and times.");
  module.def("model_loss", &loss, nb::arg("model"), nb::arg("samples"), nb::arg("seed"),
             nb::arg("threads"), "The loss of training on samples.");
  module.def(
      "sample_shape",
      [](const Fitted& self) {
        return of_samples(self, [](const auto& model) {
          const auto shape = model.shape();
          return std::vector<std::int64_t>(shape.begin(), shape.end());
        });
      },
      nb::arg("model"), "Of one sample.");
  module.def(
      "sample_classes",
      [](const Fitted& self) {
        return of_samples(self, [](const auto& model) {
          const auto words = model.classes();
          return Words(words.begin(), words.end());
        });
      },
      nb::arg("model"), "Words of the labels.");
  module.def(
      "sample_columns",
      [](const Fitted& self) {
        return of_samples(self, [](const auto& model) {
          const auto names = model.columns();
          return Words(names.begin(), names.end());
        });
      },
      nb::arg("model"), "Names of the numbers of a row.");
}

}  // namespace gradatim::python
