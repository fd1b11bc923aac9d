#include "gradatim/cli/coder.h"

#include <fmt/format.h>

#include <cmath>

#include "gradatim/cli/model_samples.h"
#include "gradatim/core/error.h"
#include "gradatim/data/samples/values.h"
#include "gradatim/dist/collectives.h"
#include "gradatim/process/generate.h"

namespace gradatim::cli {
namespace {

void refuse_others(const Arguments& arguments, std::initializer_list<const char*> options) {
  GRADATIM_CHECK(arguments.settings.empty(), UsageError, 1002,
                 "a model with discrete codes has no option '--{}'; of samples it has label, "
                 "temperature, top_k and top_p",
                 arguments.settings.front().first);
  for (const char* other : options) {
    GRADATIM_CHECK(!arguments.has(other), UsageError, 1002,
                   "a model with discrete codes has no option '--{}'; of samples it has label, "
                   "temperature, top_k and top_p",
                   other);
  }
}

process::CodesRequest codes_request(const process::Coder& coder, const LabelledSamples& read) {
  return {.rows = read.samples.count,
          .labels = process::labels_named(coder, read.labels, read.samples.count)};
}

// Codes as a table has them: a column a place, and labels beside them.
data::Samples table_of_codes(const data::Samples& samples, const std::vector<std::int64_t>& codes) {
  const std::int64_t length = std::ssize(codes) / samples.count;
  data::Samples made{.shape = {length},
                     .count = samples.count,
                     .numbers = {codes.begin(), codes.end()},
                     .labels = samples.labels,
                     .classes = samples.classes};
  for (std::int64_t k = 0; k < length; ++k) made.columns.push_back(fmt::format("c{}", k));
  return made;
}

std::vector<std::int64_t> codes_read(const data::Samples& samples, std::int64_t length) {
  const std::int64_t shape[] = {length};
  const auto numbers = data::values_of(samples, shape, "the codes");
  for (std::size_t k = 0; k < samples.columns.size(); ++k) {
    GRADATIM_CHECK(samples.columns[k] == fmt::format("c{}", k), DataError, 2110,
                   "column {} of the codes is '{}'; encode writes c0, c1, ..., and decode takes "
                   "them in that order",
                   k, samples.columns[k]);
  }
  std::vector<std::int64_t> codes;
  codes.reserve(numbers.size());
  for (std::size_t k = 0; k < numbers.size(); ++k) {
    constexpr double kLargest = 9007199254740992.0;  // whole numbers up to here are what they say
    GRADATIM_CHECK(numbers[k] == std::floor(numbers[k]) && std::abs(numbers[k]) <= kLargest,
                   DataError, 2110, "row {}: the code at place {} is {}; codes are whole numbers",
                   k / static_cast<std::size_t>(length), k % static_cast<std::size_t>(length),
                   numbers[k]);
    codes.push_back(static_cast<std::int64_t>(numbers[k]));
  }
  return codes;
}

data::Samples samples_of(const process::Coder& coder, const std::vector<float>& numbers) {
  data::Samples made{.shape = {coder.shape().begin(), coder.shape().end()},
                     .count = std::ssize(numbers) / process::dims_of(coder),
                     .columns = {coder.columns().begin(), coder.columns().end()}};
  if (coder.holds_bytes()) {
    made.bytes = process::to_bytes(numbers);
  } else {
    made.numbers = numbers;
  }
  return made;
}

}  // namespace

const process::Coder* coder_of(const data::Model& model) {
  return dynamic_cast<const process::Coder*>(&model);
}

data::Samples sample_codes(const process::Coder& coder, const Arguments& arguments,
                           Session& session) {
  refuse_others(arguments, {"prompt", "negative", "classifier", "match", "source", "given"});
  const std::int64_t count = arguments.integer("count", 1, 1);
  process::CodesRequest request{
      .rows = count,
      .seed = session.seed(),
      .labels = process::labels_named(coder, arguments.list("label"), count),
      .temperature = arguments.number("temperature", 1.0, 0.0),
      .top_k = arguments.integer("top_k", 0, 0),
      .top_p = arguments.number("top_p", 1.0, 0.0)};
  // Of several ranks each makes a part; a row is the same whoever makes it.
  dist::Group* group = session.group().get();
  if (group != nullptr) {
    const auto begin = [&](std::int64_t part) { return part * count / group->size(); };
    request.only =
        process::RowRange{begin(group->rank()), begin(group->rank() + 1) - begin(group->rank())};
  }
  auto numbers = coder.decode(coder.sample_codes(request));
  if (group != nullptr) numbers = dist::gather_values<float>(*group, numbers);
  data::Samples samples = samples_of(coder, numbers);
  if (!request.labels.empty()) {
    samples.classes = {coder.classes().begin(), coder.classes().end()};
    samples.labels = request.labels;
    samples.labels.resize(static_cast<std::size_t>(count), request.labels.back());
  }
  return samples;
}

data::Samples encode_codes(const data::Model& model, const process::Coder& coder, bool encode,
                           const Arguments& arguments, Session& session) {
  refuse_others(arguments, {"atol", "rtol"});
  const auto read = read_labelled(model, coder, arguments, session);
  if (encode) {
    return table_of_codes(
        read.samples, coder.encode(data::values_of(read.samples, coder.shape(), "the samples")));
  }
  auto made =
      samples_of(coder, coder.decode(codes_read(read.samples, std::ssize(coder.code_sizes()))));
  made.labels = read.samples.labels;
  made.classes = read.samples.classes;
  return made;
}

process::Likelihood bound_of(const data::Model& model, const process::Coder& coder,
                             const Arguments& arguments, Session& session) {
  refuse_others(arguments, {"probes", "draws", "end", "atol", "rtol"});
  const auto read = read_labelled(model, coder, arguments, session);
  return coder.log_prob(data::values_of(read.samples, coder.shape(), "the samples"),
                        codes_request(coder, read));
}

}  // namespace gradatim::cli
