// gradatim encode, decode: samples to codes, and back. A flow's steps are exact, and a field's
// probability flow is integrated, to codes of the density that samples are drawn from; the codes of
// an autoencoder are discrete, or latents.
#include <fmt/format.h>

#include "gradatim/cli/cli.h"
#include "gradatim/cli/coder.h"
#include "gradatim/cli/generate.h"
#include "gradatim/cli/model_samples.h"
#include "gradatim/cli/session.h"
#include "gradatim/core/error.h"
#include "gradatim/data/samples/values.h"
#include "gradatim/process/generate.h"
#include "gradatim/process/latent.h"

namespace gradatim::cli {
namespace {

constexpr OptionSpec kOptions[] = {
    {"data", "SRC", "Samples as the model learned from, or codes as encode gives them."},
    {"label", "K", "A word of the model's labels, or where the data hold one a sample."},
    {"atol", "X", "Of fields: tolerance of the integration, of numbers about 1; 1e-5 by default."},
    {"rtol", "X", "Of fields: tolerance for each unit of larger numbers; 1e-5 by default."},
    {"out", "FILE", "Where to write; the ending tells the format. CSV on stdout by default (-)."},
};

// Codes as a table has them, with labels and what is given beside them.
data::Samples codes_of(const data::Samples& samples, std::vector<float> codes) {
  data::Samples made{.count = samples.count,
                     .numbers = std::move(codes),
                     .labels = samples.labels,
                     .classes = samples.classes,
                     .given = samples.given,
                     .given_columns = samples.given_columns};
  made.shape = {std::ssize(made.numbers) / std::max<std::int64_t>(samples.count, 1)};
  for (std::int64_t k = 0; k < made.size(); ++k) made.columns.push_back(fmt::format("z{}", k));
  return made;
}

data::Samples data_of(const process::SampleSpace& space, const data::Samples& codes,
                      std::vector<float> numbers) {
  data::Samples made{.shape = {space.shape().begin(), space.shape().end()},
                     .count = codes.count,
                     .labels = codes.labels,
                     .classes = codes.classes,
                     .columns = {space.columns().begin(), space.columns().end()},
                     .given = codes.given,
                     .given_columns = codes.given_columns};
  if (space.holds_bytes()) {
    made.bytes = process::to_bytes(numbers);
  } else {
    made.numbers = std::move(numbers);
  }
  return made;
}

std::vector<double> codes_read(const data::Samples& samples, std::int64_t dims) {
  const std::int64_t shape[] = {dims};
  return data::values_of(samples, shape, "the codes");
}

data::Samples by_flow(const data::Model& model, const process::Flow& flow, bool encode,
                      const Arguments& arguments, Session& session) {
  GRADATIM_CHECK(arguments.settings.empty(), UsageError, 1002,
                 "a flow's steps are exact, and it has no option '--{}'",
                 arguments.settings.front().first);
  for (const char* other : {"atol", "rtol"}) {
    GRADATIM_CHECK(!arguments.has(other), UsageError, 1002,
                   "a flow's steps are exact, and it has no option '--{}'", other);
  }
  const auto read = read_labelled(model, flow, arguments, session);
  const auto request = flow_request(flow, read, session.seed());
  if (encode) {
    const auto data = data::values_of(read.samples, flow.shape(), "the samples");
    return codes_of(read.samples, flow.encode(data, request));
  }
  const auto codes = codes_read(read.samples, process::dims_of(flow));
  return data_of(flow, read.samples, flow.decode(codes, request));
}

data::Samples by_field(const data::Model& model, const process::Generator& generator, bool encode,
                       const Arguments& arguments, Session& session) {
  constexpr double kTolerance = 1e-5;
  const process::OdeOptions ode{.atol = arguments.number("atol", kTolerance, 0.0),
                                .rtol = arguments.number("rtol", kTolerance, 0.0)};
  GRADATIM_CHECK(ode.atol + ode.rtol > 0.0, UsageError, 1003,
                 "--atol and --rtol are both 0; one of them must be positive");
  auto asked = api::parse_settings("process.sampler", arguments.settings);
  for (const char* unused : {"steps", "evaluations", "grid", "solver", "guidance"}) {
    GRADATIM_CHECK(!asked.values.contains(unused) && !asked.parts.contains(unused), UsageError,
                   1002,
                   "encode and decode have no option '--{}': the flow is integrated to a "
                   "tolerance",
                   unused);
  }
  const auto settings = process::sampler_for(generator, std::move(asked));
  const auto read = read_labelled(model, generator, arguments, session);
  const auto labels = process::labels_named(generator, read.labels, read.samples.count);
  if (encode) {
    auto data = data::values_of(read.samples, generator.shape(), "the samples");
    const auto codes =
        process::encode(generator, settings, std::move(data), labels, ode, &session.progress());
    return codes_of(read.samples, {codes.begin(), codes.end()});
  }
  const auto codes = codes_read(read.samples, process::state_dims_of(generator));
  return data_of(generator, read.samples,
                 process::decode(generator, settings, codes, labels, ode, &session.progress()));
}

data::Samples by_latents(const process::LatentCoder& coder, bool encode, const Arguments& arguments,
                         Session& session) {
  GRADATIM_CHECK(arguments.settings.empty(), UsageError, 1002,
                 "an autoencoder has nothing to be set, and no option '--{}'",
                 arguments.settings.front().first);
  for (const char* other : {"atol", "rtol", "label"}) {
    GRADATIM_CHECK(!arguments.has(other), UsageError, 1002,
                   "an autoencoder knows neither labels nor tolerances, and has no option '--{}'",
                   other);
  }
  const auto read =
      data::read_samples(arguments.required("data"), {.observer = &session.progress()});
  const process::LatentRequest request{.rows = read.count};
  if (encode) {
    const auto data = data::values_of(read, coder.shape(), "the samples");
    return codes_of(read, coder.encode(data, request));
  }
  // As images, or as encode writes them: a row each.
  const auto latents = read.is_images() ? data::values_of(read, coder.latent_shape(), "the codes")
                                        : codes_read(read, process::latent_dims_of(coder));
  return data_of(coder, read, coder.decode(latents, request));
}

data::Samples coded(const data::Model& model, bool encode, const Arguments& arguments,
                    Session& session) {
  if (const auto* flow = flow_of(model)) {
    return by_flow(model, *flow, encode, arguments, session);
  }
  if (const auto* coder = coder_of(model)) {
    return encode_codes(model, *coder, encode, arguments, session);
  }
  if (const auto* coder = dynamic_cast<const process::LatentCoder*>(&model)) {
    return by_latents(*coder, encode, arguments, session);
  }
  const auto* generator = generator_of(model);
  GRADATIM_CHECK(generator != nullptr, UsageError, 1162,
                 "{} has no codes; encode and decode take a model that can be sampled from, such "
                 "as neural.flow",
                 model.card().settings.component);
  return by_field(model, *generator, encode, arguments, session);
}

int run(bool encode, const Arguments& arguments) {
  Session session(arguments, "evaluation");
  const auto model =
      data::load_model(arguments.required_positional("a model FILE"))->on(session.device());
  const std::string out = arguments.text("out", "-");
  if (out != "-") check_writable(out);
  const auto made = coded(*model, encode, arguments, session);
  data::write_samples(made, out);
  if (out != "-") session.progress().finish(fmt::format("wrote {}: {} rows", out, made.count));
  return kDone;
}

int run_encode(const Arguments& arguments) { return run(true, arguments); }
int run_decode(const Arguments& arguments) { return run(false, arguments); }

}  // namespace

constexpr Command kEncode = {
    .name = "encode",
    .synopsis = "FILE --data SRC [--label K] [--out FILE|-]",
    .summary = "Codes of samples, in the density that the model draws them from.",
    .options = kOptions,
    .takes_settings = true,
    .component = "process.sampler",
    .run = run_encode,
};

constexpr Command kDecode = {
    .name = "decode",
    .synopsis = "FILE --data SRC [--label K] [--out FILE|-]",
    .summary = "The samples of such codes.",
    .options = kOptions,
    .takes_settings = true,
    .component = "process.sampler",
    .run = run_decode,
};

}  // namespace gradatim::cli
