#include "gradatim/process/sampler.h"

#include <fmt/format.h>

#include <numeric>

#include "gradatim/api/export.h"
#include "gradatim/core/error.h"
#include "gradatim/process/guidance.h"
#include "gradatim/process/host_space.h"
#include "gradatim/process/oracle.h"

namespace gradatim::process {
namespace {

struct SamplerConfig {
  int steps = 20;
  int evaluations = 0;
};

class PartsSampler final : public Sampler {
 public:
  PartsSampler(const SamplerConfig& config, std::span<const api::Made> parts)
      : config_(config),
        path_(std::static_pointer_cast<const Path>(parts[0])),
        prediction_(std::static_pointer_cast<const Prediction>(parts[1])),
        grid_(std::static_pointer_cast<const Grid>(parts[2])),
        solver_(std::static_pointer_cast<const Solver>(parts[3])),
        noise_(std::static_pointer_cast<const Noise>(parts[4])),
        oracle_(std::static_pointer_cast<const OracleMaker>(parts[5])),
        guidance_(std::static_pointer_cast<const Guidance>(parts[6])) {}

  std::shared_ptr<const Path> path() const override { return path_; }
  std::shared_ptr<const Prediction> prediction() const override { return prediction_; }

  std::int64_t oracle_dims() const override { return oracle().dims(); }

  std::vector<double> times() const override {
    const int paid = config_.evaluations > 0 ? solver_->steps_for(config_.evaluations) : 0;
    return grid_->times(*path_, paid > 0 ? paid : config_.steps);
  }
  std::int64_t evaluations() const override {
    const auto program = solver_->program(*path_, times());
    return program ? program->evaluations() : 0;
  }

  std::vector<float> sample(const FieldOn& field, SampleRequest request) const override {
    if (request.times.empty()) request.times = times();
    request.solver = solver_;
    request.noise = noise_;
    const std::shared_ptr<const Field> sampled = made(field);
    sampled->check(request.condition.get());
    sampled->check(request.negative.get());
    GuidanceContext context{.negative = request.negative, .energy = request.energy};
    if (!request.energy && guidance_->needs_energy() && !field) {
      // The field is asked for anything; the oracle's own classifier leads to the label.
      if (auto labels = std::dynamic_pointer_cast<const Labels>(request.condition)) {
        context.energy = exact_classifier(oracle().mixture(), path_, std::move(labels));
      }
      request.condition = nullptr;
    }
    const auto plain = std::make_shared<FieldDenoiser>(sampled, path_, request.trained);
    return process::sample(*guidance_->around(plain, context), request);
  }

  Likelihood log_prob(const FieldOn& field, std::span<const double> x, std::int64_t dims,
                      const ConditionPtr& condition,
                      const LikelihoodOptions& options) const override {
    const std::shared_ptr<const Field> asked = made(field);
    asked->check(condition.get());
    GRADATIM_CHECK(dims >= 1, UsageError, 1105, "the data have no columns");
    const std::int64_t rows = static_cast<std::int64_t>(x.size()) / dims;
    std::vector<std::int64_t> places(static_cast<std::size_t>(rows));
    std::iota(places.begin(), places.end(), std::int64_t{0});
    HostSpace<double> space(noise_->source(options.seed));
    return process::log_prob(space, FieldDenoiser(asked, path_), condition,
                             space.from(x, rows, dims), places, options);
  }

 private:
  std::shared_ptr<const Field> made(const FieldOn& field) const {
    return field ? field(path_, prediction_) : oracle().on(path_, prediction_);
  }
  const OracleMaker& oracle() const {
    GRADATIM_CHECK(oracle_ != nullptr, UsageError, 1142,
                   "there is nothing to sample from; name an oracle or give a field");
    return *oracle_;
  }

  SamplerConfig config_;
  std::shared_ptr<const Path> path_;
  std::shared_ptr<const Prediction> prediction_;
  std::shared_ptr<const Grid> grid_;
  std::shared_ptr<const Solver> solver_;
  std::shared_ptr<const Noise> noise_;
  std::shared_ptr<const OracleMaker> oracle_;
  std::shared_ptr<const Guidance> guidance_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&SamplerConfig::steps>(
        {.doc = "Steps of the grid.", .range = api::between(1, 100000)}),
    api::setting<&SamplerConfig::evaluations>(
        {.doc = "As many steps as so many evaluations of the field pay for, instead; 0 counts "
                "steps.",
         .range = api::between(0, 1000000)}),
};

constexpr api::Part kParts[] = {
    {"path", "process.path", "process.path.rectified", "How data turn into noise."},
    {"prediction", "process.prediction", "process.prediction.velocity", "What the field puts out."},
    {"grid", "process.grid", "process.grid.trailing", "The times that sampling stops at."},
    {"solver", "process.solver", "process.solver.dpm_solver_pp_2m", "How a step is made."},
    {"noise", "process.noise", "process.noise.philox", "Where random numbers come from."},
    {"oracle", "process.oracle", "auto", "The oracle to sample, where no field is given."},
    {"guidance", "process.guidance", "process.guidance.plain",
     "How the condition is stressed; one kind may have another inside."},
};

constexpr api::Text kText = {
    .name = "process.sampler",
    .summary = "Samples from a field: a path, a grid and a solver, each chosen by name.",
    .detail =
        "The field may be a network, a boosted ensemble, an oracle or a function; solver, "
        "grid and steps are chosen when sampling. Row k is a pure function of the seed and "
        "k: it does not depend on how many rows are sampled or in which batches.",
    .source =
        "Karras et al. (2022), Elucidating the design space of diffusion-based generative "
        "models",
    .shape = "samples: [rows, dims]",
    .errors = "GRD-1101 the grid; GRD-4020 a prediction without information; GRD-4021 not finite",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_sampler) =
    gradatim::api::component<gradatim::process::PartsSampler, gradatim::process::SamplerConfig>(
        gradatim::process::kText, gradatim::process::kSettings, gradatim::process::kParts);
