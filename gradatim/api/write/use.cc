// How an export is asked for from C++, from the command line and from Python: the last section of
// its reference page, rendered from the entry.
#include <fmt/format.h>

#include <algorithm>

#include "gradatim/api/settings.h"
#include "gradatim/api/write/python.h"

namespace gradatim::api::write {
namespace {

// The way from a model to a component that may be a part of it.
struct Use {
  const Entry* model = nullptr;
  std::string route;                // "learner.split."
  std::vector<Option> options;      // {"learner.split", "fast"}
  std::string python;               // "learner=Tree(split=Fast(bins=256))"
  std::vector<const Entry*> named;  // classes in it
};

Use use_of(const Entry& entry, std::string inner, const Registry& registry) {
  const auto [user, part] = user_of(entry.kind, registry);
  if (user == nullptr) return {.model = &entry, .python = std::move(inner)};
  const bool component = entry.signature.empty();
  const auto made = component ? fmt::format("{}({})", python_name(entry), inner)
                              : fmt::format("\"{}\"", short_name(entry));
  Use use = use_of(*user, fmt::format("{}={}", part->name, made), registry);
  if (component) use.named.push_back(&entry);
  use.options.emplace_back(use.route + std::string(part->name), short_name(entry));
  use.route += std::string(part->name) + ".";
  return use;
}

std::string cpp(const Use& use) {
  std::string options;
  for (const auto& [path, text] : use.options) {
    options += fmt::format("    {{\"{}\", \"{}\"}},\n", path, text);
  }
  const bool plain = use.options.empty();
  return fmt::format(
      "```cpp\n#include \"gradatim/api/settings.h\"\n\n"
      "const std::vector<gradatim::api::Option> options{}{}{};\n"
      "const auto settings = gradatim::api::parse_settings(\"{}\", options);\n"
      "const auto made = gradatim::api::build(settings);\n```\n",
      plain ? "" : " = {\n", options, plain ? "" : "}", use.model->text.name);
}

// Components of process/ are parts of a sampling, not of a fit.
constexpr std::string_view kSampler = "process.sampler";

bool samples(const Use& use) { return first_segment(use.model->text.name) == "process"; }

std::string sampling_command(const Use& use) {
  if (use.model->text.name != kSampler) return {};  // a part of training, as weights of a loss
  std::string from = "two_moons", options;
  for (const auto& [path, text] : use.options) {
    if (path == "oracle") {
      from = text;
    } else {
      options += fmt::format(" --{} {}", path, text);
    }
  }
  return fmt::format("```sh\ngradatim sample {} --count 1000{} --out samples.csv\n```\n", from,
                     options);
}

std::string sampling_python(const Use& use, const Entry& entry) {
  std::vector<std::string> imports;
  for (const Entry* part : use.named) {
    imports.push_back(python_import(python_module_name(*part), {python_name(*part)}));
  }
  if (use.model->text.name != kSampler) {
    return fmt::format("```python\n{}\nmade = {}()\n```\n",
                       python_import(python_module_name(entry), {python_name(entry)}),
                       python_name(entry));
  }
  imports.insert(imports.begin(), python_import("gradatim.process", {"sample"}));
  const bool oracle = use.python.starts_with("oracle=");
  const auto from = oracle ? use.python.substr(7) : "field";
  return fmt::format("```python\n{}\nsamples = sample({}, (1000, 2){})\n```\n", joined(imports, ""),
                     from, oracle || use.python.empty() ? "" : ", " + use.python);
}

std::string command(const Use& use) {
  if (!use.model->signature.empty()) {
    return "```sh\ngradatim evaluate model.safetensors --data test.csv --json\n```\n";
  }
  std::string options;
  for (const auto& [path, text] : use.options) options += fmt::format(" --{} {}", path, text);
  return fmt::format(
      "```sh\ngradatim train {} --data {}{} \\\n"
      "    --out model.safetensors\n```\n",
      use.model->text.name, learns_samples(*use.model) ? "samples.npz" : "train.csv --target y",
      options);
}

// The estimator of the task that the entry's tags speak of, else of the model's first.
std::string estimator(const Entry& model, const Entry& entry) {
  if (python_tag(model).empty()) return {};
  const auto known = tasks(model);
  const auto tags = words(entry.text.tags);
  const auto stem = [](std::string_view word) { return word.substr(0, 7); };  // regress, classif
  for (const auto& task : known) {
    for (const auto& tag : tags) {
      if (stem(tag) == stem(task)) return python_tag(model) + camel_case(task);
    }
  }
  if (known.empty()) return learns_samples(model) ? python_tag(model) : "";
  return python_tag(model) + camel_case(known.front());
}

std::string python(const Use& use, const Entry& entry) {
  const auto module = python_module_name(entry);
  const auto name = python_name(entry);
  if (!entry.signature.empty()) {
    return fmt::format("```python\nfrom {} import {}\n\nprint({}({}))\n```\n", module, name, name,
                       joined(words(entry.signature), ", "));
  }
  const auto fitted = estimator(*use.model, entry);
  std::vector<std::string> imports;
  imports.push_back(
      fitted.empty()
          ? python_import(python_module_name(*use.model), {python_name(*use.model)})
          : python_import(fmt::format("gradatim.{}", first_segment(use.model->text.name)),
                          {fitted}));
  for (const Entry* part : use.named) {
    imports.push_back(python_import(python_module_name(*part), {python_name(*part)}));
  }
  const auto call = fitted.empty() ? python_name(*use.model) : fitted;
  return fmt::format("```python\n{}\nmodel = {}({}){}\n```\n", joined(imports, ""), call,
                     use.python, fitted.empty() ? "" : ".fit(X, y)");
}

// Pipelines draw from a checkpoint, whose class in Python is written by hand.
constexpr std::string_view kPipeline = "neural.pipeline";

std::string drawing(const Use& use, const Entry& entry) {
  const Setting& first = entry.settings.front();
  const auto value = to_text(first.initial());
  const std::string name = python_name(entry);
  return fmt::format(
      "```sh\ngradatim sample stable-diffusion/ --prompt \"a red cat\" --{0} {1} --out cat.png\n```"
      "\n\n```python\nfrom gradatim.neural import {2}\n\n"
      "image = {2}.from_pretrained(\"stable-diffusion\")(\"a red cat\", {3})[0]\n```\n",
      first.name, value, name, use.python);
}

}  // namespace

std::string use_text(const Entry& entry, const Registry& registry) {
  const Setting* first = entry.settings.empty() ? nullptr : &entry.settings.front();
  Use use = use_of(
      entry,
      first == nullptr ? "" : fmt::format("{}={}", first->name, python_value(first->initial())),
      registry);
  if (first != nullptr) {
    use.options.emplace_back(use.route + std::string(first->name), to_text(first->initial()));
  }
  if (samples(use) && entry.signature.empty()) {
    const auto line = sampling_command(use);
    return "\n## Use\n\n" + cpp(use) + "\n" + line + (line.empty() ? "" : "\n") +
           sampling_python(use, entry);
  }
  if (entry.kind == kPipeline) return "\n## Use\n\n" + cpp(use) + "\n" + drawing(use, entry);
  if (entry.kind == "process.metric") return "\n## Use\n\n" + cpp(use) + "\n" + python(use, entry);
  return "\n## Use\n\n" + cpp(use) + "\n" + command(use) + "\n" + python(use, entry);
}

}  // namespace gradatim::api::write
