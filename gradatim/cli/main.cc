// The command `gradatim`: finds the verb, runs it, and turns what went wrong into one line and an
// exit status: 0 done, 1 failed, 2 wrong usage, 128 + signal interrupted.
#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include "gradatim/api/registry.h"
#include "gradatim/cli/cli.h"
#include "gradatim/cli/group.h"
#include "gradatim/cli/processes.h"
#include "gradatim/cli/training_request.h"
#include "gradatim/core/error.h"
#include "gradatim/core/parallel.h"
#include "gradatim/core/simd.h"
#include "gradatim/core/text.h"

namespace gradatim::cli {
namespace {

constexpr Command kList = {
    .name = "list",
    .synopsis = "[KIND]",
    .summary = "Lists public names: models, losses, learners, metrics.",
    .run = [](const Arguments& arguments) { return run_list(arguments.positional); }};

constexpr Command kDescribe = {
    .name = "describe",
    .synopsis = "NAME",
    .summary = "Describes a public name: its settings, parts, source, errors.",
    .run = [](const Arguments& arguments) { return run_describe(arguments.positional); }};

constexpr OptionSpec kApiOptions[] = {
    {"root", "DIR", "Where 'write' finds the sources; the current folder by default."},
    {"golden", "DIR", "Where 'check' finds the committed golden files; api/golden by default."},
    {"changelog", "FILE", "Where 'check' looks for BREAKING lines; CHANGELOG.md by default."},
};

constexpr Command kApi = {
    .name = "api",
    .synopsis = "write|check",
    .summary = "Writes what is derived from the registry, or checks it for breaking changes.",
    .options = kApiOptions,
    .run = [](const Arguments& arguments) {
      std::vector<std::string> words = arguments.positional;
      for (const auto& option : kApiOptions) {
        if (!arguments.has(option.name)) continue;
        words.push_back(fmt::format("--{}", option.name));
        words.push_back(arguments.text(option.name));
      }
      return run_api(words);
    }};

constexpr const Command* kCommands[] = {&kTrain,   &kPredict, &kEvaluate, &kCv,     &kSearch,
                                        &kExplain, &kSample,  &kLogprob,  &kEncode, &kDecode,
                                        &kConvert, &kList,    &kDescribe, &kApi};

const Command& find_command(const std::string& name) {
  std::vector<std::string> names;
  for (const Command* command : kCommands) {
    if (command->name == name) return *command;
    names.emplace_back(command->name);
  }
  const auto near = did_you_mean(name, names);
  throw UsageError(1001, fmt::format("there is no verb '{}'{}", name,
                                     near.empty() ? "; the verbs are " + join_and(names) : near));
}

int run(std::span<const std::string> words) {
  check_simd_variable();
  if (words.empty()) {
    std::fputs(help_of(kCommands).c_str(), stderr);
    return kWrongUsage;
  }
  const std::string& first = words[0];
  if (first == "--version") {
    fmt::print("gradatim {}\n", GRADATIM_VERSION);
    return kDone;
  }
  if (first == "--help" || first == "-h" || (first == "help" && words.size() == 1)) {
    fmt::print("{}", help_of(kCommands));
    return kDone;
  }
  if (first == "help") return run(std::vector<std::string>{words[1], "--help"});
  const Command& command = find_command(first);
  const Arguments arguments = parse_arguments(command, words.subspan(1));
  if (!arguments.help) {
    check_one_process(command);
    if (command.joins_group && !command.takes_settings) {  // train looks at its settings first
      if (const int count = processes_to_start(arguments)) return run_processes(arguments, count);
    }
    return command.run(arguments);
  }
  const auto& registry = api::Registry::instance();
  if (!command.component.empty()) {
    const Command::Help help =
        command.help != nullptr ? command.help(arguments) : Command::Help{command.component};
    fmt::print("{}{}", help_of(command, help.hidden),
               help_of_component(registry.get(help.component), arguments.settings));
  } else if (command.takes_settings && !arguments.positional.empty()) {
    const auto& model = registry.get(arguments.positional.front(), "model");
    fmt::print("{}{}", help_of(command, refused_options(model)),
               help_of_component(model, arguments.settings));
  } else {
    fmt::print("{}", help_of(command));
  }
  return kDone;
}

volatile std::sig_atomic_t caught = 0;

// The first signal asks politely, so that nothing is left half-written; the second one insists.
void on_signal(int signal) {
  if (caught != 0) _exit(128 + signal);
  caught = signal;
  request_interrupt();
}

void handle_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

int fail(const std::string& text, int status) {
  fail_group(text);
  std::fputs(fmt::format("gradatim{}: {}\n", rank_text(), text).c_str(), stderr);
  return status;
}

// A full disk shows when the text leaves, not when it is printed.
int flushed(int status) {
  if (std::fflush(stdout) == 0) return status;
  return fail("cannot write to standard output (GRD-2002)", kFailed);
}

int defect(const std::exception& error) {
  const std::string text =
      fmt::format("{}; this is a defect of gradatim, please report it", error.what());
  return fail(Error(4099, text).what(), kFailed);
}

int guarded(std::span<const std::string> words) {
  try {
    return flushed(run(words));
  } catch (const Interrupted& interrupted) {
    return fail(interrupted.what(), 128 + (caught != 0 ? caught : SIGINT));
  } catch (const UsageError& error) {
    return fail(error.what(), kWrongUsage);
  } catch (const Error& error) {
    // A rank that stops since it was asked to leaves the others in the middle of an operation.
    return fail(error.what(), caught != 0 && error.code() == 5003 ? 128 + caught : kFailed);
  } catch (const std::bad_alloc&) {
    return fail("there is not enough memory; use fewer rows or columns (GRD-2030)", kFailed);
  } catch (const std::system_error& error) {
    if (std::ferror(stdout) != 0)
      return fail("cannot write to standard output (GRD-2002)", kFailed);
    return defect(error);
  } catch (const std::exception& error) {
    return defect(error);
  }
}

}  // namespace

int caught_signal() { return caught; }

}  // namespace gradatim::cli

int main(int argc, char** argv) {
  gradatim::cli::handle_signals();
  const std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  const int status = gradatim::cli::guarded(words);
  if (gradatim::cli::leave_group()) {  // its threads may still wait for ranks that are gone
    std::fflush(nullptr);
    ::_exit(status);
  }
  return status;
}
