// What one does with a Generator, the same from every front end: samples and densities, in the
// scale of the data.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gradatim/api/settings.h"
#include "gradatim/core/observer.h"
#include "gradatim/process/generator.h"
#include "gradatim/process/guidance.h"
#include "gradatim/process/likelihood.h"

namespace gradatim::process {

/// The sampler that was asked for, where the generator's own path and prediction stand for what is
/// not named. UsageError GRD-1168 for another prediction, which training has fixed.
api::Settings sampler_for(const Generator& generator, api::Settings asked);

/// Places of words among `classes`, which are `whose` ("model"): as labels_named.
std::vector<std::int64_t> places_named(std::span<const std::string> classes, std::string_view whose,
                                       const std::vector<std::string>& words, std::int64_t rows);
/// Places of the model's labels with these words: none, one for all rows, or one a row, where
/// fewer words than rows are taken in turn. UsageError GRD-1104 for a label that it does not know.
std::vector<std::int64_t> labels_named(const SampleSpace& model,
                                       const std::vector<std::string>& words, std::int64_t rows);

struct GenerateRequest {
  std::int64_t rows = 1;
  std::uint64_t seed = 0;
  std::vector<std::int64_t> labels, negative;  // as labels_named gives them
  // Texts that samples are asked for by, and led away from: none, one for all rows, or one a row.
  std::vector<std::string> texts = {}, negative_texts = {};
  std::vector<double> source;  // data to start from, [any rows, dims], over and over; or empty
  std::shared_ptr<const Energy> energy = nullptr;  // that guidance by a classifier climbs
  std::int64_t batch = 0;                          // rows at a time; 0: what suits their size
  std::optional<RowRange> only = {};               // of the rows, those to make; all
  Observer* observer = nullptr;
};

/// The rows that process `part` of `parts` makes by `only`: one behind the other they are those of
/// a process alone, to the bit. They are cut between batches, or anywhere where no row depends on
/// what lies beside it; noise that is drawn in one order leaves all rows to the first.
RowRange rows_of_part(const Generator& generator, const api::Settings& sampler,
                      const GenerateRequest& request, int part, int parts);

/// Samples [rows, dims], by a sampler of sampler_for. UsageError GRD-1208 where texts are given to
/// a generator that takes none, GRD-1175 where a source is given to a generator that has none, or
/// lacks.
std::vector<float> generate(const Generator& generator, const api::Settings& sampler,
                            GenerateRequest request);

/// Samples of bytes, rounded.
std::vector<std::uint8_t> to_bytes(std::span<const float> numbers);

/// ln p of data [rows, dims] under the labels, on the path of a sampler of sampler_for, or, where
/// that is its own, in the generator's plain time. The observer is told after every evaluation of
/// the field. UsageError GRD-1176 where the generator
/// starts from samples, whose density nobody knows; else as likelihood.h says.
Likelihood log_prob(const Generator& generator, const api::Settings& sampler,
                    std::vector<double> data, const std::vector<std::int64_t>& labels,
                    const LikelihoodOptions& options, Observer* observer = nullptr);

/// Where the probability flow takes data [rows, dims]: states at the noisy end of the sampler's
/// path, which are normal with its deviation there where the field has learned it, or are the
/// states of a source. Labels, observer and path as of log_prob; errors of integrate().
std::vector<double> encode(const Generator& generator, const api::Settings& sampler,
                           std::vector<double> data, const std::vector<std::int64_t>& labels,
                           const OdeOptions& options = {}, Observer* observer = nullptr);
/// And back: the data [rows, dims] of such states. NumericError GRD-4031 where they are beyond the
/// range of float32.
std::vector<float> decode(const Generator& generator, const api::Settings& sampler,
                          std::span<const double> states, const std::vector<std::int64_t>& labels,
                          const OdeOptions& options = {}, Observer* observer = nullptr);

}  // namespace gradatim::process
