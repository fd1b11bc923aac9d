#include "gradatim/process/diffusers/schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "gradatim/core/error.h"
#include "gradatim/process/diffusers/families.h"

namespace gradatim::process::diffusers {
namespace {

double rounded(double x) { return static_cast<double>(static_cast<float>(x)); }

// Betas of 1 - f((k + 1) / T) / f(k / T), at most 0.999.
template <class F>
std::vector<double> betas_of(int count, F alpha_bar) {
  std::vector<double> values;
  for (int k = 0; k < count; ++k) {
    const double from = static_cast<double>(k) / count;
    const double to = static_cast<double>(k + 1) / count;
    values.push_back(std::min(1.0 - alpha_bar(to) / alpha_bar(from), 0.999));
  }
  return values;
}

double cosine(double t) {
  const double c = std::cos((t + 0.008) / 1.008 * std::numbers::pi / 2.0);
  return c * c;
}

double laplace(double t) {
  const double sign = t < 0.5 ? 1.0 : t > 0.5 ? -1.0 : 0.0;
  const double lambda = -0.5 * sign * std::log(1.0 - 2.0 * std::abs(0.5 - t) + 1e-6);
  const double snr = std::exp(lambda);
  return std::sqrt(snr / (1.0 + snr));
}

// The regularised incomplete beta function with both parameters p < 1 is a smooth function of
// u = x^p near 0; by symmetry only x <= 1/2 is needed. Its density there is
// (1 - u^(1/p))^(p - 1) / (p B).
double beta_part(double u, double p) {
  constexpr int kPieces = 64;  // Simpson's rule
  double sum = 0.0;
  for (int k = 0; k <= 2 * kPieces; ++k) {
    const double v = u * k / (2.0 * kPieces);
    const double weight = k == 0 || k == 2 * kPieces ? 1.0 : k % 2 == 1 ? 4.0 : 2.0;
    sum += weight * std::pow(1.0 - std::pow(v, 1.0 / p), p - 1.0);
  }
  return sum * u / (6.0 * kPieces);
}

// The quantile of Beta(p, p).
double beta_quantile(double level, double p) {
  if (level <= 0.0) return 0.0;
  if (level >= 1.0) return 1.0;
  if (level > 0.5) return 1.0 - beta_quantile(1.0 - level, p);
  const double half = std::pow(0.5, p);
  const double wanted = 2.0 * level * beta_part(half, p);
  double low = 0.0, high = half;
  for (int k = 0; k < 60; ++k) {
    const double middle = 0.5 * (low + high);
    (beta_part(middle, p) < wanted ? low : high) = middle;
  }
  return std::pow(0.5 * (low + high), 1.0 / p);
}

std::vector<double> reversed(std::vector<double> values) {
  std::ranges::reverse(values);
  return values;
}

// T, T - T/N, ... above 0, rounded, less 1.
std::vector<double> trailing(double last, double ratio) {
  std::vector<double> values;
  const auto count = static_cast<int>(std::ceil(last / ratio));
  for (int k = 0; k < count; ++k) values.push_back(std::nearbyint(last - k * ratio) - 1.0);
  return values;
}

// (count - 1) r, ..., r, 0, each plus the offset.
std::vector<double> leading(int count, int ratio, int offset) {
  std::vector<double> values;
  for (int k = count - 1; k >= 0; --k) values.push_back(static_cast<double>(k) * ratio + offset);
  return values;
}

int trained(const Config& config) { return config.integer("num_train_timesteps"); }

}  // namespace

std::vector<double> linspace(double from, double to, int count) {
  std::vector<double> values;
  for (int k = 0; k < count; ++k) {
    values.push_back(count == 1 ? from : from + (to - from) * k / (count - 1));
  }
  return values;
}

std::vector<double> betas(const Config& config) {
  if (config.has("trained_betas")) return config.numbers("trained_betas");
  const int count = trained(config);
  const double start = config.number("beta_start");
  const double end = config.number("beta_end");
  const auto schedule = config.word("beta_schedule");
  if (schedule == "squaredcos_cap_v2") return betas_of(count, cosine);
  if (schedule == "laplace") return betas_of(count, laplace);
  if (schedule == "exp") return betas_of(count, [](double t) { return std::exp(-12.0 * t); });
  if (schedule == "sigmoid") {
    auto values = linspace(-6.0, 6.0, count);
    for (double& beta : values) beta = (end - start) / (1.0 + std::exp(-beta)) + start;
    return values;
  }
  if (schedule == "linear") return linspace(start, end, count);
  auto values = linspace(std::sqrt(start), std::sqrt(end), count);
  for (double& root : values) root *= root;
  return values;
}

std::vector<double> alpha_bars(const Config& config, double least) {
  std::vector<double> table;
  double product = 1.0;
  for (const double beta : betas(config)) {
    product *= rounded(1.0 - rounded(beta));
    table.push_back(rounded(product));
  }
  if (!config.on("rescale_betas_zero_snr")) return table;
  // Lin et al. (2024), algorithm 1; back over betas, as the peer goes.
  const double first = std::sqrt(table.front());
  const double last = std::sqrt(table.back());
  double before = 1.0;
  product = 1.0;
  for (double& entry : table) {
    const double root = rounded((std::sqrt(entry) - last) * first / (first - last));
    const double squared = rounded(root * root);
    product *= rounded(1.0 - rounded(1.0 - squared / before));
    before = squared;
    entry = rounded(product);
  }
  if (least > 0.0) table.back() = least;
  return table;
}

std::vector<Level> levels(std::span<const double> alpha_bars) {
  std::vector<Level> values;
  for (const double entry : alpha_bars)
    values.push_back({std::sqrt(entry), std::sqrt(1.0 - entry)});
  return values;
}

std::vector<double> sigmas(std::span<const double> alpha_bars) {
  std::vector<double> values;
  for (const double entry : alpha_bars) values.push_back(rounded(std::sqrt((1.0 - entry) / entry)));
  return values;
}

double at(std::span<const double> table, double t) {
  const double last = static_cast<double>(table.size() - 1);
  if (!(t > 0.0)) return table.front();
  if (t >= last) return table.back();
  const auto k = static_cast<std::size_t>(t);
  return table[k] + (table[k + 1] - table[k]) * (t - static_cast<double>(k));
}

double entry_of(std::span<const double> table, double t) {
  GRADATIM_CHECK(t >= 0.0 && t < static_cast<double>(table.size()), UsageError, 1123,
                 "timestep {} is not one of the {} that the scheduler was trained with", t,
                 table.size());
  return table[static_cast<std::size_t>(t)];
}

double time_of(std::span<const double> rising, double sigma) {
  // The table's logarithms are float32, which decides whether the largest level is the last
  // timestep where fractions are lost.
  const auto log_of = [&](std::size_t k) { return rounded(std::log(rising[k])); };
  const double wanted = std::log(std::max(sigma, 1e-10));
  std::size_t low = 0;
  for (std::size_t k = 0; k < rising.size(); ++k) {
    if (log_of(k) <= wanted) low = k;
  }
  low = std::min(low, rising.size() - 2);
  const double part = (wanted - log_of(low)) / (log_of(low + 1) - log_of(low));
  return static_cast<double>(low) + std::clamp(part, 0.0, 1.0);
}

int steps(const Request& request, int most) {
  if (!request.timesteps.empty()) return static_cast<int>(request.timesteps.size());
  const int count = request.steps.value_or(0);
  GRADATIM_CHECK(count >= 1 && count <= most, UsageError, 1123,
                 "a scheduler needs at least 1 step and at most the {} it was trained with, not {}",
                 most, count);
  return count;
}

std::vector<double> whole_timesteps(const Config& config, const Request& request) {
  if (!request.timesteps.empty()) return request.timesteps;
  const int last = trained(config);
  const int count = steps(request, last);
  const auto spacing = config.word("timestep_spacing");
  if (spacing == "trailing") return trailing(last, static_cast<double>(last) / count);
  if (spacing == "leading") {
    return leading(count, last / count, config.integer("steps_offset"));
  }
  auto values = reversed(linspace(0.0, last - 1, count));
  for (double& t : values) t = std::nearbyint(t);
  return values;
}

std::vector<double> sigma_timesteps(const Config& config, const Request& request) {
  if (!request.timesteps.empty() || config.word("timestep_spacing") != "linspace") {
    return whole_timesteps(config, request);
  }
  const int last = trained(config);
  auto values = reversed(linspace(0.0, last - 1, steps(request, last)));
  for (double& t : values) t = rounded(t);
  return values;
}

std::vector<double> multistep_timesteps(const Config& config, const Request& request, int last) {
  if (!request.timesteps.empty()) return request.timesteps;
  const int count = steps(request, trained(config));
  const auto spacing =
      config.has("timestep_spacing") ? config.word("timestep_spacing") : "linspace";
  GRADATIM_CHECK(last >= 1, UsageError, 1123, "lambda_min_clipped leaves no timestep");
  if (spacing == "trailing") {
    return trailing(last, static_cast<double>(trained(config)) / count);
  }
  std::vector<double> values;
  if (spacing == "leading") {
    values = leading(count + 1, last / (count + 1), config.integer("steps_offset"));
  } else {
    values = reversed(linspace(0.0, last - 1, count + 1));
    for (double& t : values) t = std::nearbyint(t);
  }
  values.pop_back();
  return values;
}

std::optional<Rule> rule(const Config& config) {
  const bool karras = config.on("use_karras_sigmas");
  const bool exponential = config.on("use_exponential_sigmas");
  const bool beta = config.on("use_beta_sigmas");
  if (karras + exponential + beta > 1) {
    throw UsageError(1128,
                     "at most one of use_karras_sigmas, use_exponential_sigmas and "
                     "use_beta_sigmas can be true");
  }
  if (karras) return Rule::karras;
  if (exponential) return Rule::exponential;
  if (beta) return Rule::beta;
  return std::nullopt;
}

std::vector<double> ruled(Rule rule, double largest, double smallest, int count, double rho) {
  auto values = linspace(0.0, 1.0, count);
  for (double& place : values) {
    if (rule == Rule::karras) {
      const double high = std::pow(largest, 1.0 / rho);
      place = std::pow(high + place * (std::pow(smallest, 1.0 / rho) - high), rho);
    } else if (rule == Rule::exponential) {
      place = std::exp(std::log(largest) + place * (std::log(smallest) - std::log(largest)));
    } else {
      place = smallest + beta_quantile(1.0 - place, 0.6) * (largest - smallest);
    }
  }
  return values;
}

Grid sigma_grid(const Config& config, const Request& request, std::span<const double> table) {
  Grid grid;
  if (!request.sigmas.empty()) {  // the last one is the end
    grid.sigmas.assign(request.sigmas.begin(), request.sigmas.end() - 1);
    for (const double sigma : grid.sigmas) grid.timesteps.push_back(time_of(table, sigma));
    return grid;
  }
  grid.timesteps = sigma_timesteps(config, request);
  for (const double t : grid.timesteps) grid.sigmas.push_back(at(table, t));
  const auto by = rule(config);
  if (!by) return grid;
  const auto count = static_cast<int>(grid.timesteps.size());
  grid.sigmas = ruled(*by, config.maybe("sigma_max").value_or(grid.sigmas.front()),
                      config.maybe("sigma_min").value_or(grid.sigmas.back()), count);
  for (std::size_t k = 0; k < grid.sigmas.size(); ++k) {
    grid.timesteps[k] = time_of(table, grid.sigmas[k]);
  }
  return grid;
}

Grid multistep_grid(const Config& config, const Request& request, std::span<const double> table,
                    bool rounds_cosine) {
  Grid grid;
  int last = trained(config);
  if (config.has("lambda_min_clipped")) {  // lambda = -ln sigma falls with t
    const double least = config.number("lambda_min_clipped");
    last = static_cast<int>(
        std::ranges::count_if(table, [&](double sigma) { return -std::log(sigma) >= least; }));
  }
  grid.timesteps = multistep_timesteps(config, request, last);
  const auto count = static_cast<int>(grid.timesteps.size());
  const auto by = rule(config);
  const bool lu = config.on("use_lu_lambdas");
  if (by || lu) {
    const double largest = config.maybe("sigma_max").value_or(table.back());
    const double smallest = config.maybe("sigma_min").value_or(table.front());
    // Lu's lambdas are a Karras grid with rho 1 in the logarithm: even ones.
    grid.sigmas = ruled(by.value_or(Rule::exponential), largest, smallest, count);
    for (std::size_t k = 0; k < grid.sigmas.size(); ++k) {
      double t = time_of(table, grid.sigmas[k]);
      const bool rounds = rounds_cosine || !config.is("beta_schedule", "squaredcos_cap_v2");
      if ((by == Rule::karras || lu) && rounds) t = std::nearbyint(t);
      grid.timesteps[k] = std::trunc(t);
    }
  } else if (config.on("use_flow_sigmas")) {
    const double shift = request.mu ? std::exp(*request.mu) : config.number("flow_shift");
    grid.sigmas.clear();
    for (const double alpha : linspace(1.0, 1.0 / trained(config), count + 1)) {
      grid.sigmas.push_back(shifted(1.0 - alpha, shift));
    }
    grid.sigmas = reversed(std::move(grid.sigmas));
    grid.sigmas.pop_back();
    for (std::size_t k = 0; k < grid.sigmas.size(); ++k) {
      grid.timesteps[k] = std::trunc(grid.sigmas[k] * trained(config));
    }
  } else {
    for (const double t : grid.timesteps) grid.sigmas.push_back(at(table, t));
  }
  return grid;
}

double shifted(double t, double shift) { return shift * t / (1.0 + (shift - 1.0) * t); }

double shifted_by(double t, double mu, bool exponential) {
  const double factor = exponential ? std::exp(mu) : mu;
  return factor / (factor + (1.0 / t - 1.0));
}

void stretch(std::vector<double>& levels, std::optional<double> terminal) {
  if (terminal.value_or(0.0) == 0.0) return;
  const double factor = (1.0 - levels.back()) / (1.0 - *terminal);
  for (double& level : levels) level = 1.0 - (1.0 - level) / factor;
}

Sum data_of(const Config& config, Level level) {
  const auto type = config.word("prediction_type");
  if (type == "sample") return Sum().add(1.0, kOutput);
  if (type == "v_prediction") {
    return Sum().add(level.alpha, kState).add(-level.sigma, kOutput);
  }
  if (type == "epsilon") {
    // Where no signal is left the peer divides by 0 and clips the infinity: large enough for that.
    const double alpha = std::max(level.alpha, 1e-20);
    return Sum().add(1.0 / alpha, kState).add(-level.sigma / alpha, kOutput);
  }
  if (type == "flow_prediction" && config.has("use_flow_sigmas")) {
    return Sum().add(1.0, kState).add(-level.sigma, kOutput);
  }
  refuse(config, fmt::format("prediction_type '{}'", type));
}

Sum data_of_scaled(const Config& config, double sigma) {
  const auto type = config.word("prediction_type");
  if (type == "epsilon") return Sum().add(1.0, kState).add(-sigma, kOutput);
  if (type == "v_prediction") {
    const double variance = sigma * sigma + 1.0;
    return Sum().add(1.0 / variance, kState).add(-sigma / std::sqrt(variance), kOutput);
  }
  refuse(config, fmt::format("prediction_type '{}'", type));
}

Sum noise_of(Level level, int sample, int data) {
  return Sum().add(1.0 / level.sigma, sample).add(-level.alpha / level.sigma, data);
}

void treat(const Config& config, Call& call) {
  if (config.on("thresholding")) {
    call.treatment = Treatment::quantile;
    call.level_of_quantile = config.number("dynamic_thresholding_ratio");
    call.most = config.number("sample_max_value");
  } else if (config.on("clip_sample")) {
    call.treatment = Treatment::clamp;
    call.most = config.number("clip_sample_range");
  }
}

void refuse(const Config& config, std::string_view what) {
  throw UsageError(1126, fmt::format("{} of diffusers does not take {}; mode='correct' may",
                                     config.family().name, what));
}

}  // namespace gradatim::process::diffusers
