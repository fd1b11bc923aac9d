#include "gradatim/neural/stable/drawing.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>

#include "gradatim/core/error.h"
#include "gradatim/neural/nn/states.h"
#include "gradatim/neural/stable/images.h"
#include "gradatim/process/diffusers/run.h"
#include "gradatim/process/guidance.h"
#include "gradatim/process/sample.h"

namespace gradatim::neural {
namespace {

using process::Draw;
using process::Vec;

constexpr std::uint32_t kOfImage = 0, kOfMasked = 1;  // draws of latents

// In whole units; of an image that is not, what is nearest below.
std::int64_t side_of(int asked, std::int64_t image, std::int64_t own, std::int64_t unit,
                     const char* name) {
  GRADATIM_CHECK(asked % unit == 0, UsageError, 1223,
                 "the {} is {} pixels; the checkpoint draws multiples of {}", name, asked, unit);
  if (asked > 0) return asked;
  return image > 0 ? std::max(image / unit, std::int64_t{1}) * unit : own;
}

double highest_guided(const PipelineConfig& how) {
  return how.guidance_high > 0.0 ? how.guidance_high : std::numeric_limits<double>::infinity();
}

process::diffusers::Scheduler scheduler_of(const Canvas& canvas) {
  const std::string& own = canvas.request.scheduler;
  auto config = process::diffusers::Config::parse(own.empty() ? canvas.parts.scheduler : own);
  const PipelineConfig& how = canvas.request.how->config;
  process::diffusers::Scheduler scheduler(std::move(config), process::diffusers::Mode::compat);
  scheduler.set_keywords(how.eta, 0.0, 0.0, 1e300, 1.0);
  scheduler.set_timesteps({.steps = how.steps});
  return scheduler;
}

Tensor as_tensor(const Vec& x, const std::vector<std::int64_t>& sample) {
  std::vector<std::int64_t> sizes{1};
  sizes.insert(sizes.end(), sample.begin(), sample.end());
  return at::from_blob(const_cast<float*>(process::HostSpace<float>::data(x)), sizes, at::kFloat);
}

// The state lives as long as the tensor's numbers.
Vec as_vec(const Tensor& x) {
  const auto owner = std::make_shared<Tensor>(x.contiguous());
  return process::HostSpace<float>::borrow(owner->const_data_ptr<float>(), 1, owner->numel(),
                                           owner);
}

}  // namespace

Canvas canvas_of(const StableParts& parts, const DrawRequest& request) {
  const PipelineConfig& how = request.how->config;
  const bool image = !request.image.shape.empty(), mask = !request.mask.shape.empty();
  GRADATIM_CHECK(!mask || image, UsageError, 1224,
                 "a mask needs an image, of which it says what is drawn anew");
  GRADATIM_CHECK(mask || parts.shape.beside == 0, UsageError, 1223,
                 "the checkpoint draws within a mask alone (its U-Net takes {} channels); give an "
                 "image and a mask",
                 parts.shape.sample[0] + parts.shape.beside);
  GRADATIM_CHECK(!request.seeds.empty(), UsageError, 1223, "no image is asked for");
  const bool solver = request.how->solver != nullptr;
  GRADATIM_CHECK(!solver || request.scheduler.empty(), UsageError, 1223,
                 "give a scheduler of diffusers or a solver, not both");
  GRADATIM_CHECK(!solver || how.eta == 0.0, UsageError, 1223,
                 "eta is for schedulers; of a solver such as ddim it is its own setting");
  GRADATIM_CHECK(how.guidance_low < highest_guided(how), UsageError, 1132,
                 "guidance has an interval from {} to {}; give a low below the high",
                 how.guidance_low, how.guidance_high);
  const bool sized = image && request.image.shape.size() == 3;
  Canvas canvas{parts, request};
  canvas.height = side_of(how.height, sized ? request.image.shape[1] : 0,
                          parts.shape.sample[1] * parts.unit, parts.unit, "height");
  canvas.width = side_of(how.width, sized ? request.image.shape[2] : 0,
                         parts.shape.sample[2] * parts.unit, parts.unit, "width");
  return canvas;
}

Drawing::Drawing(const Canvas& canvas)
    : canvas_(canvas),
      sample_{canvas.parts.shape.sample[0], canvas.height / canvas.parts.unit,
              canvas.width / canvas.parts.unit} {
  const DrawRequest& request = canvas.request;
  if (request.image.shape.empty()) return;
  const Tensor pixels = pixels_of(request.image, canvas.height, canvas.width);
  image_ = encoded(canvas.parts, pixels);
  if (request.mask.shape.empty()) return;
  const Tensor mask = mask_of(request.mask, canvas.height, canvas.width);
  masked_ = encoded(canvas.parts, pixels * (1.0 - mask));
  mask_ = at::upsample_nearest2d(mask, {sample_[1], sample_[2]});
}

// Within a mask all steps begin from noise alone, without one from what the image leaves in it.
bool Drawing::begins_from(const Start& start) const {
  return start.image.defined() && (strength() < 1.0 || !masked_);
}

double Drawing::strength() const { return image_ ? canvas_.request.how->config.strength : 1.0; }

Tensor Drawing::drawn(Space& space, const Posterior& posterior, std::uint32_t which) const {
  const Vec noise = space.normal(Draw{Stream::posterior, which}, 1, posterior.mean.numel());
  return posterior.draw(as_tensor(noise, sample_)) * canvas_.parts.factor;
}

Drawing::Start Drawing::start_of(Space& space, std::size_t place) const {
  const Array& given = canvas_.request.latents;
  const bool whole = strength() == 1.0, beside = canvas_.parts.shape.beside > 0;
  Start start;
  if (image_ && !(beside && whole)) start.image = drawn(space, *image_, kOfImage);
  if (given.shape.empty()) {
    const std::int64_t dims = c10::multiply_integers(sample_);
    start.noise = as_tensor(space.normal(Draw{Stream::prior, 0}, 1, dims), sample_).clone();
  } else {
    std::vector<std::int64_t> wanted{std::ssize(canvas_.request.seeds)};
    wanted.insert(wanted.end(), sample_.begin(), sample_.end());
    GRADATIM_CHECK(given.shape == wanted, UsageError, 1223,
                   "the latents have shape [{}]; of these images they are [{}]",
                   fmt::join(given.shape, ", "), fmt::join(wanted, ", "));
    start.noise = tensor_of(given).narrow(0, static_cast<std::int64_t>(place), 1);
  }
  if (!masked_) return start;
  const Tensor masked = drawn(space, *masked_, kOfMasked);
  if (beside) start.beside = at::cat({mask_, masked}, 1);
  return start;
}

UnetField Drawing::field_of(const Start& start) const {
  const StableParts& parts = canvas_.parts;
  return UnetField({.net = parts.unet,
                    .path = parts.path,
                    .prediction = parts.prediction,
                    .sample = sample_,
                    .beside = start.beside,
                    .one_by_one = canvas_.memory.one_by_one});
}

void Drawing::restore(const Start& start, double alpha, double sigma, Vec& x) const {
  const Tensor known = start.image * alpha + start.noise * sigma;
  x = as_vec(known + mask_ * (as_tensor(x, sample_) - known));
}

void Drawing::tell(std::int64_t done, std::int64_t steps, const Vec& x) const {
  const DrawRequest& request = canvas_.request;
  if (request.on_latents) request.on_latents(done, steps, array_of(as_tensor(x, sample_)));
  if (request.observer == nullptr) return;
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begun_;
  request.observer->on_step({.step = place_ * steps + done,
                             .steps = std::ssize(request.seeds) * steps,
                             .seconds = spent.count()});
}

Tensor Drawing::by_scheduler(Space& space, const Start& start) {
  process::diffusers::Scheduler scheduler = scheduler_of(canvas_);
  const PipelineConfig& how = canvas_.request.how->config;
  const auto plan = scheduler.plan();
  const auto made = std::min(static_cast<std::int64_t>(how.steps * strength()),
                             static_cast<std::int64_t>(how.steps));
  const auto begin = std::min(to_size((how.steps - made) * plan.order), plan.calls.size());
  const auto steps = std::ssize(plan.calls) - static_cast<std::int64_t>(begin);
  Tensor x = start.noise * plan.init_noise_sigma;
  if (begins_from(start)) {
    if (steps == 0) return start.image;
    const auto level = scheduler.level(plan.calls[begin].timestep);
    x = start.image * level.alpha + start.noise * level.sigma;
  }
  const UnetField field = field_of(start);
  const process::diffusers::Loop loop{
      .space = space,
      .scheduler = scheduler,
      .output = [&](const Vec& state, double timestep, auto conditions,
                    auto out) { field.output(space, state, timestep, conditions, out); },
      .condition = canvas_.text,
      .negative = canvas_.negative,
      .guiding = {how.guidance_weight, how.guidance_rescale, how.guidance_low, highest_guided(how)},
      .begin = begin,
      .between =
          [&](std::size_t done, std::optional<double> next, Vec& state) {
            if (blends()) {
              const auto level = next ? scheduler.level(*next) : process::diffusers::Level{};
              restore(start, level.alpha, level.sigma, state);
            }
            tell(static_cast<std::int64_t>(done - begin), steps, state);
          }};
  return as_tensor(process::diffusers::run(loop, as_vec(x)), sample_).clone();
}

Tensor Drawing::by_solver(std::shared_ptr<process::NoiseSource> source, const Start& start) {
  const Pipeline& how = *canvas_.request.how;
  const process::Path& path = *canvas_.parts.path;
  const auto field = std::make_shared<UnetField>(field_of(start));
  const auto plain = std::make_shared<process::FieldDenoiser>(field, canvas_.parts.path);
  process::DenoiserPtr guided = plain;
  if (how.config.guidance_weight != 1.0) {
    guided = process::classifier_free(plain, how.config.guidance_weight, canvas_.negative);
    if (how.config.guidance_rescale > 0.0) {
      guided = process::rescaled(guided, how.config.guidance_rescale);
    }
    guided = process::limited(guided, plain,
                              {.low = how.config.guidance_low, .high = highest_guided(how.config)});
  }
  std::vector<double> times = how.grid->times(path, how.config.steps);
  const auto made = static_cast<std::int64_t>(static_cast<double>(times.size() - 1) * strength());
  if (made == 0) return start.image;
  times.erase(times.begin(), times.end() - made - 1);
  const auto first = path.at(times.front());
  Tensor x = start.noise * first.sigma;
  if (begins_from(start)) x = x + start.image * first.alpha;
  const Tensor doubles = x.to(at::kDouble).contiguous();
  process::SampleRequest request{.dims = doubles.numel(),
                                 .times = times,
                                 .solver = how.solver,
                                 .source = std::move(source),
                                 .condition = canvas_.text,
                                 .negative = canvas_.negative};
  const double* numbers = doubles.const_data_ptr<double>();
  request.start.assign(numbers, numbers + doubles.numel());
  request.between = [&](std::int64_t step, double t, Vec& state) {
    if (step == 0) return;
    const auto point = path.at(t);
    if (blends()) restore(start, point.alpha, point.sigma, state);
    tell(step, made, state);
  };
  const auto drawn = process::sample(*guided, request);
  std::vector<std::int64_t> sizes{1};
  sizes.insert(sizes.end(), sample_.begin(), sample_.end());
  return at::tensor(at::ArrayRef<float>(drawn)).view(sizes);
}

Tensor Drawing::latents(std::size_t place) {
  place_ = static_cast<std::int64_t>(place);
  // One for all draws of an image: where numbers come in order, none is drawn twice.
  const std::shared_ptr<process::NoiseSource> source =
      canvas_.request.how->noise->source(canvas_.request.seeds[place]);
  Space space(source);
  const Start start = start_of(space, place);
  Tensor made = canvas_.request.how->solver ? by_solver(source, start) : by_scheduler(space, start);
  GRADATIM_CHECK(
      at::isfinite(made).all().item<bool>(), NumericError, 4021,
      "image {} is not finite: a weight of the checkpoint or of a LoRA, or a number that "
      "was given, leads out of the range of floats",
      place);
  return made;
}

}  // namespace gradatim::neural
