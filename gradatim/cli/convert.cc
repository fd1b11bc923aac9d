// gradatim convert: networks from folders of diffusers, and to them; checkpoints of Stable
// Diffusion from one layout into the other.
#include "gradatim/neural/convert.h"

#include <fmt/format.h>

#include <filesystem>

#include "gradatim/cli/cli.h"
#include "gradatim/cli/session.h"
#include "gradatim/core/error.h"

namespace gradatim::cli {
namespace {

constexpr OptionSpec kOptions[] = {
    {"out", "FILE|DIR",
     "Where to write: of a folder a model file, of a model file a folder, which must be new."},
    {"scaling", "range|none",
     "Of a folder: range takes the network's numbers from -1 to 1 for images of bytes, none leaves "
     "them as they are; by default range for 1 or 3 channels."},
    {"tokenizer", "DIR", "Of a checkpoint of Stable Diffusion: the tokenizer that goes with it."},
    {"prediction", "epsilon|v_prediction",
     "Of a single file of Stable Diffusion: what its network says, where the file does not tell."},
};

void warn(Session& session, const std::vector<std::string>& notes) {
  for (const auto& note : notes) session.progress().on_warning(note);
}

int read_folder(const std::string& folder, const std::string& out, const Arguments& arguments,
                Session& session) {
  if (out != "-") check_writable(out);
  const auto made = neural::from_diffusers(folder, arguments.text("scaling", "automatic"));
  warn(session, made.notes);
  write_result(out, made.model->bytes());
  session.progress().finish(
      fmt::format("wrote {}: {}", out, made.model->card().settings.component));
  return kDone;
}

int write_folder(const std::string& path, const std::string& out, const Arguments& arguments,
                 Session& session) {
  GRADATIM_CHECK(!arguments.has("scaling"), UsageError, 1002,
                 "--scaling is for folders of diffusers; a model file knows its own");
  GRADATIM_CHECK(out != "-", UsageError, 1002,
                 "--out of a model of diffusers is a folder; name one, not -");
  const auto model = data::load_model(path);
  warn(session, neural::to_diffusers(*model, out));
  const bool field = model->card().settings.component == "neural.diffusion";
  session.progress().finish(
      fmt::format("wrote {}: {} of diffusers", out, field ? "a DDPMPipeline" : "an AutoencoderKL"));
  return kDone;
}

int convert_layout(const std::string& from, const std::string& out, const Arguments& arguments,
                   Session& session) {
  GRADATIM_CHECK(!arguments.has("scaling"), UsageError, 1002,
                 "--scaling is for networks; a checkpoint of Stable Diffusion is kept as it is");
  GRADATIM_CHECK(
      out != "-", UsageError, 1002,
      "--out of a checkpoint of Stable Diffusion is a file or a folder; name one, not -");
  const bool folder = std::filesystem::is_directory(from);
  if (folder) check_writable(out);
  warn(session,
       neural::convert_stable_diffusion(from, out,
                                        {.tokenizer = arguments.text("tokenizer"),
                                         .prediction = arguments.text("prediction", "automatic")}));
  session.progress().finish(fmt::format("wrote {}: Stable Diffusion as {}", out,
                                        folder ? "a single file" : "a folder of diffusers"));
  return kDone;
}

int run_convert(const Arguments& arguments) {
  Session session(arguments, "step");
  const std::string from = arguments.required_positional("a FOLDER of diffusers or a model FILE");
  const std::string out = arguments.required("out");
  session.check_no_device();
  if (neural::is_stable_diffusion(from)) return convert_layout(from, out, arguments, session);
  for (const char* name : {"tokenizer", "prediction"}) {
    GRADATIM_CHECK(!arguments.has(name), UsageError, 1002,
                   "--{} is for checkpoints of Stable Diffusion; {} is none", name, from);
  }
  const bool folder = std::filesystem::is_directory(from);
  return (folder ? read_folder : write_folder)(from, out, arguments, session);
}

}  // namespace

constexpr Command kConvert = {
    .name = "convert",
    .synopsis = "FOLDER --out FILE.safetensors | FILE.safetensors --out FOLDER",
    .summary =
        "Converts networks of diffusers to model files and back, and checkpoints of Stable "
        "Diffusion.",
    .options = kOptions,
    .run = run_convert,
};

}  // namespace gradatim::cli
