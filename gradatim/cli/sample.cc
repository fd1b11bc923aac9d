// gradatim sample: rows from an oracle or from a model that is a field.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string>

#include "gradatim/api/registry.h"
#include "gradatim/api/settings.h"
#include "gradatim/cli/cli.h"
#include "gradatim/cli/coder.h"
#include "gradatim/cli/draw.h"
#include "gradatim/cli/generate.h"
#include "gradatim/cli/group.h"
#include "gradatim/cli/guide.h"
#include "gradatim/cli/model_samples.h"
#include "gradatim/cli/processes.h"
#include "gradatim/cli/session.h"
#include "gradatim/core/error.h"
#include "gradatim/core/text.h"
#include "gradatim/data/model.h"
#include "gradatim/data/reader.h"
#include "gradatim/dist/collectives.h"
#include "gradatim/process/generate.h"
#include "gradatim/process/sampler.h"
#include "gradatim/tabular/model_field.h"

namespace gradatim::cli {
namespace {

constexpr OptionSpec kOwnOptions[] = {
    {"count", "N", "How many rows to sample; required, but of a checkpoint 1 by default."},
    {"label", "K[,K]",
     "Ask for this label: a word of the model's, or a place of the oracle's, from 0; of several, "
     "one a row in turn."},
    {"prompt", "TEXT",
     "Ask for this text, of a model that learned captions or a checkpoint of Stable Diffusion."},
    {"negative", "K|TEXT", "The label, or text, that classifier-free guidance leads away from.",
     "negative_prompt"},
    {"classifier", "FILE",
     "Guide by this saved neural.classifier to the label, along its gradient; the field itself is "
     "asked for anything."},
    {"match", "SRC",
     "Guide to images whose coarse pixels are those of the images here, one a row in turn."},
    {"match_blocks", "N", "Coarse pixels of --match a side; 4 by default."},
    {"source", "SRC", "Samples to start from, where the model was trained from such."},
    {"given", "COL=V[,COL=V]", "Of flows: the numbers that samples are given."},
    {"temperature", "T",
     "Of flows: what the base's deviation is multiplied by; of codes: what the prior's logits are "
     "divided by; 1 by default."},
    {"top_k", "N", "Of codes: draw among the likeliest so many; 0, the default, is all."},
    {"top_p", "P", "Of codes: and among those that reach this probability together; 1 by default."},
    {"out", "FILE",
     "Where to write; the ending tells the format: a table, .npz, .npy, or .png, a picture of all "
     "images. CSV on stdout by default (-). Of a checkpoint .png, with several images a file each, "
     "numbered by their seeds, .npz or .npy."},
};

constexpr auto kOptions = [] {
  std::array<OptionSpec, std::size(kOwnOptions) + std::size(kCheckpointOptions)> all{};
  std::ranges::copy(kCheckpointOptions, std::ranges::copy(kOwnOptions, all.begin()).out);
  return all;
}();

// "--guidance 3" is guidance of that weight: by a guide, or else classifier-free.
std::vector<api::Option> with_guidance(std::vector<api::Option> options) {
  for (std::size_t i = 0; i < options.size(); ++i) {
    if (options[i].first != "guidance" || !parse_number(options[i].second)) continue;
    options.emplace_back("guidance.weight", options[i].second);
    options[i].second = "classifier_free";
  }
  return options;
}

struct Source {
  std::vector<std::string> columns;
  process::FieldOn field;  // empty: the sampler's own oracle
};

Source model_source(const std::shared_ptr<const data::Model>& model,
                    const process::Sampler& sampler) {
  const tabular::ModelField probe(model, sampler.prediction());
  return {probe.columns(), [model](const auto&, const auto& prediction) {
            return std::make_shared<tabular::ModelField>(model, prediction);
          }};
}

data::Table table_of(const std::vector<std::string>& columns, const std::vector<float>& samples) {
  std::vector<data::Column> made;
  const std::size_t rows = samples.size() / columns.size();
  for (std::size_t k = 0; k < columns.size(); ++k) {
    std::vector<double> cells(rows);
    for (std::size_t row = 0; row < rows; ++row) {
      // The shortest decimal of a float, not the many digits of the same number as a double.
      cells[row] = std::stod(fmt::format("{}", samples[row * columns.size() + k]));
    }
    made.push_back(data::numeric_column(columns[k], std::move(cells)));
  }
  return data::Table(std::move(made));
}

int write_made(const data::Samples& samples, const Arguments& arguments, Session& session) {
  const std::string out = arguments.text("out", "-");
  on_first_rank(session.group().get(), [&] { data::write_samples(samples, out); });
  if (out != "-") {
    session.progress().finish(fmt::format("wrote {}: {} samples", out, samples.count));
  }
  return kDone;
}

// A flow's, in one pass.
data::Samples sample_flow(const process::Flow& flow, const Arguments& arguments, Session& session) {
  GRADATIM_CHECK(arguments.settings.empty(), UsageError, 1002,
                 "a flow samples in one pass, and has no option '--{}'",
                 arguments.settings.front().first);
  for (const char* other :
       {"prompt", "negative", "classifier", "match", "source", "top_k", "top_p"}) {
    GRADATIM_CHECK(!arguments.has(other), UsageError, 1002,
                   "a flow samples in one pass, and has no option '--{}'", other);
  }
  data::Samples samples{.shape = {flow.shape().begin(), flow.shape().end()},
                        .count = arguments.integer("count", 1, 1),
                        .columns = {flow.columns().begin(), flow.columns().end()}};
  const auto labels = process::labels_named(flow, arguments.list("label"), samples.count);
  process::FlowRequest request{.rows = samples.count,
                               .seed = session.seed(),
                               .labels = labels,
                               .given = given_numbers(flow, arguments),
                               .temperature = arguments.number("temperature", 1.0, 0.0)};
  // Of several ranks each makes a part; a row is the same whoever makes it.
  dist::Group* group = session.group().get();
  if (group != nullptr) {
    const auto begin = [&](std::int64_t part) { return part * samples.count / group->size(); };
    request.only =
        process::RowRange{begin(group->rank()), begin(group->rank() + 1) - begin(group->rank())};
  }
  auto numbers = flow.sample(request);
  if (group != nullptr) numbers = dist::gather_values<float>(*group, numbers);
  if (!labels.empty()) {
    samples.classes = {flow.classes().begin(), flow.classes().end()};
    samples.labels = labels;
    samples.labels.resize(static_cast<std::size_t>(samples.count), labels.back());
  }
  if (flow.holds_bytes()) {
    samples.bytes = process::to_bytes(numbers);
  } else {
    samples.numbers = std::move(numbers);
  }
  return samples;
}

// A word that is neither a file nor an oracle's name.
void check_source(const std::string& name, const Arguments& arguments) {
  const auto& registry = api::Registry::instance();
  const bool known = registry.find(name) || registry.find("process.oracle." + name);
  if (is_file(name) || known) return;
  std::error_code ignored;
  GRADATIM_CHECK(!std::filesystem::is_directory(name, ignored), DataError, 2001,
                 "cannot read '{}': the folder is no checkpoint of Stable Diffusion, which has a "
                 "model_index.json and networks in unet, vae and text_encoder",
                 name);
  const bool path = name.find_first_of("/.") != std::string::npos || arguments.has("prompt");
  GRADATIM_CHECK(!path, DataError, 2001,
                 "cannot read '{}': there is no such file or folder; checkpoints are not fetched, "
                 "name one that is here",
                 name);
}

Command::Help help_of_sample(const Arguments& arguments) {
  const bool checkpoint =
      !arguments.positional.empty() && is_checkpoint(arguments.positional.front());
  if (!checkpoint) return {kSample.component};
  return {"neural.stable_diffusion", kNotOfCheckpoints};
}

int run_sample(const Arguments& arguments) {
  const std::string name = arguments.required_positional("an oracle's NAME or a model FILE");
  const bool checkpoint = is_checkpoint(name);
  const int processes = checkpoint ? 0 : processes_to_start(arguments);
  if (processes > 0) return run_processes(arguments, processes);
  Session session(arguments, "step");
  if (checkpoint) return draw_images(name, arguments, session);
  const auto check = [&] { check_source(name, arguments); };
  session.group() ? dist::together(*session.group(), check) : check();
  for (const OptionSpec& option : kCheckpointOptions) {
    GRADATIM_CHECK(!arguments.has(option.name), UsageError, 1002,
                   "--{} is for checkpoints of Stable Diffusion", option.name);
  }
  arguments.required("count");
  process::SampleRequest request{.rows = arguments.integer("count", 1, 1),
                                 .seed = session.seed(),
                                 .observer = &session.progress()};
  const std::string out = arguments.text("out", "-");
  on_first_rank(session.group().get(), [&] {
    if (out != "-") check_writable(out);
  });
  std::vector<api::Option> options = with_guidance(with_guide(arguments.settings, arguments));
  GRADATIM_CHECK(options.size() == arguments.settings.size() || arguments.has("label") ||
                     arguments.has("prompt") || has_guide(arguments),
                 UsageError, 1010,
                 "--guidance W stresses a label or a text; name one by --label K or --prompt TEXT");
  std::shared_ptr<const data::Model> model;
  if (is_file(name)) {
    model = data::load_model(name)->on(session.device());
    if (const auto* flow = flow_of(*model)) {
      return write_made(sample_flow(*flow, arguments, session), arguments, session);
    }
    if (const auto* coder = coder_of(*model)) {
      return write_made(sample_codes(*coder, arguments, session), arguments, session);
    }
    for (const char* other : {"given", "temperature", "top_k", "top_p"}) {
      GRADATIM_CHECK(!arguments.has(other), UsageError, 1002, "--{} is for {}", other,
                     std::string_view(other) == "given" ? "flows such as neural.flow"
                                                        : "flows and codes, such as neural.flow "
                                                          "and neural.vq");
    }
    if (const auto* generator = generator_of(*model)) {
      return write_made(generate(*generator, arguments, session, options), arguments, session);
    }
    GRADATIM_CHECK(!model->takes_samples(), UsageError, 1162,
                   "{} cannot be sampled from; take a model such as neural.diffusion",
                   model->card().settings.component);
  }
  GRADATIM_CHECK(!arguments.has("prompt"), UsageError, 1002,
                 "--prompt is for models that learned captions, such as neural.latent_diffusion");
  GRADATIM_CHECK(!arguments.has("source"), UsageError, 1002,
                 "--source is for models that were trained from such");
  GRADATIM_CHECK(!has_guide(arguments), UsageError, 1002,
                 "--classifier and --match guide saved networks, such as neural.diffusion");
  session.check_no_device();
  check_no_group(session.group().get(), "sample of an oracle or a boosted model");
  if (!is_file(name)) options.emplace_back("oracle", name);
  const auto settings = api::parse_settings(kSample.component, options);
  for (const auto& notice : api::notices(settings)) session.progress().on_warning(notice);
  const auto sampler = api::build_as<process::Sampler>(settings);
  Source source;
  if (is_file(name)) {
    source = model_source(model, *sampler);
  } else {
    for (std::int64_t k = 0; k < sampler->oracle_dims(); ++k) {
      source.columns.push_back(fmt::format("x{}", k));
    }
  }
  const auto label = [&](std::string_view option) -> process::ConditionPtr {
    if (!arguments.has(option)) return nullptr;
    return std::make_shared<process::Labels>(std::vector{arguments.integer(option, 0, 0)});
  };
  request.condition = label("label");
  request.negative = label("negative");
  request.dims = static_cast<std::int64_t>(source.columns.size());
  const auto samples = sampler->sample(source.field, std::move(request));
  const data::Table table = table_of(source.columns, samples);
  data::write_table(table, out);
  if (out != "-") session.progress().finish(fmt::format("wrote {}: {} rows", out, table.rows()));
  return kDone;
}

}  // namespace

constexpr Command kSample = {
    .name = "sample",
    .synopsis =
        "NAME|FILE --count N [--out FILE|-] [--solver NAME] [--steps K] [--guidance W] [--OPTION "
        "V] | CHECKPOINT --prompt TEXT --out X.png [--OPTION V]",
    .summary =
        "Samples from an oracle, a saved model that is a field, or a checkpoint of Stable "
        "Diffusion.",
    .options = kOptions,
    .takes_settings = true,
    .component = "process.sampler",
    .run = run_sample,
    .joins_group = true,
    .help = help_of_sample,
};

}  // namespace gradatim::cli
