// gradatim train: settings and data in, one model file out.
#include <fmt/format.h>

#include <algorithm>

#include "gradatim/cli/cli.h"
#include "gradatim/cli/group.h"
#include "gradatim/cli/names.h"
#include "gradatim/cli/processes.h"
#include "gradatim/cli/session.h"
#include "gradatim/cli/training_plan.h"
#include "gradatim/cli/training_request.h"
#include "gradatim/core/error.h"
#include "gradatim/core/text.h"
#include "gradatim/data/model.h"

namespace gradatim::cli {
namespace {

constexpr OptionSpec kOptions[] = {
    {"data", "SRC",
     "Rows to learn from: a file, a folder or a pattern; the ending tells the format."},
    {"target", "COL[,COL]", "The column to predict, or several of numbers."},
    {"valid", "SRC|SHARE", "Rows to watch, for early stopping: a source, or a share of the data."},
    {"weight", "COL", "A column of row weights."},
    {"base_margin", "COL[,COL]", "Columns of starting scores."},
    {"metric", "NAME[,NAME]", "What to watch; the first one stops early. The loss's by default."},
    {"task", "KIND", "classification or regression; by default the target and the loss decide."},
    {"schema", "FILE", "JSON with types of columns that overrule the inference."},
    {"sparse_absent", "KIND",
     "What a feature that a line of LIBSVM text does not name holds: zero (the default) or "
     "missing; the model remembers it."},
    {"exclude", "COL[,COL]", "Columns not to learn from."},
    {"label", "NAME",
     "Of networks: where the samples' labels are: an array of the NPZ, a column of the table, a "
     "file "
     "beside the images. What is called y or label is found by itself."},
    {"given", "COL[,COL]",
     "Of neural.flow: columns that each sample is given, and that are no part of it."},
    {"captions", "FILE",
     "Of diffusions: a table with a column caption: one a sample or, with a column label, "
     "phrasings "
     "of each label."},
    {"autoencoder_file", "FILE",
     "Of neural.latent_diffusion: a saved autoencoder, instead of one that learns first."},
    {"source", "SRC", "Of networks: samples that a flow starts from, instead of normal noise."},
    {"log_dir", "DIR",
     "Of networks: a folder for metrics (JSON lines, TensorBoard) and pictures of samples."},
    {"init_model", "FILE",
     "A model to go on from: n_estimators rounds are added to its own; its settings are not taken "
     "over."},
    {"resume", "DIR",
     "A folder for a checkpoint. Where it holds one of the same fit, the fit goes on from it."},
    {"checkpoint_seconds", "S",
     "Time between two checkpoints, 30 by default; 0 writes one after every round."},
    {"out", "FILE", "Where to save the model; - is stdout."},
};

// Early stopping without rows to watch would silently never stop.
void check_stopping(const TrainingPlan& plan) {
  const auto patience = plan.settings.values.find("early_stopping_rounds");
  if (patience == plan.settings.values.end() || plan.arguments.has("valid")) return;
  const auto* rounds = std::get_if<std::int64_t>(&patience->second);
  GRADATIM_CHECK(rounds == nullptr || *rounds == 0, UsageError, 1010,
                 "--early_stopping_rounds {} needs rows to watch; add --valid FILE or --valid 0.2",
                 *rounds);
}

std::string summary_of(const data::Model& model, const std::string& out) {
  const auto& card = model.card();
  const char* unit = model.takes_samples() ? "step" : "round";
  std::string text = fmt::format("wrote {}: {}, {} {}{}", out, card.settings.component, card.rounds,
                                 unit, card.rounds == 1 ? "" : "s");
  for (const auto& history : card.history) {
    // Networks keep means of parts of their steps.
    const auto round =
        model.takes_samples() ? history.values.size() : static_cast<std::size_t>(card.rounds);
    if (round == 0 || round > history.values.size()) continue;
    text += fmt::format(", {} {:.5g}", history.name, history.values[round - 1]);
  }
  return text;
}

int run_train(const Arguments& given) {
  const TrainingPlan plan = plan_training(given);
  const Arguments& arguments = plan.arguments;
  if (const int count = processes_to_start(arguments)) return run_processes(given, count);
  Session session(arguments, learns_samples(plan) ? "step" : "round");
  const std::string out = arguments.required("out");
  on_first_rank(session.group().get(), [&] {
    if (out != "-") check_writable(out);
  });
  check_stopping(plan);
  for (const auto& notice : api::notices(plan.settings)) session.progress().on_warning(notice);
  data::FitRequest request = request_of(plan, session);
  if (!learns_samples(plan)) check_target(plan, request);
  request.resume = arguments.text("resume");
  request.checkpoint_seconds = arguments.number("checkpoint_seconds", 30.0, 0.0);
  const auto model = data::fit_model(plan.settings, request);
  check_interrupt();
  on_first_rank(session.group().get(), [&] { write_result(out, model->bytes()); });
  session.progress().finish(summary_of(*model, out));
  return kDone;
}

}  // namespace

constexpr Command kTrain = {
    .name = "train",
    .synopsis =
        "MODEL|CONFIG.toml --data SRC --target COL [--valid SRC|0.2] [--SETTING V ...] --out FILE",
    .summary =
        "Trains a model and saves it. The settings of the model and of its parts are options "
        "too; 'gradatim train MODEL --help' shows them.",
    .options = kOptions,
    .takes_settings = true,
    .run = run_train,
    .joins_group = true,
};

}  // namespace gradatim::cli
