// What the schedulers of diffusers share: the table of alpha_bar, timesteps, noise levels.
//
// As the peer has them, float32 roundings that move a level included.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "gradatim/process/diffusers/call.h"
#include "gradatim/process/diffusers/config.h"

namespace gradatim::process::diffusers {

/// The betas of a configuration, before any rescaling.
std::vector<double> betas(const Config& config);
/// alpha_bar of whole timesteps; `least` replaces a last one of 0 (sigma schedulers hold it off).
std::vector<double> alpha_bars(const Config& config, double least = 0.0);
inline constexpr double kLeastAlphaBar = 0x1p-24;

/// sqrt(alpha_bar), sqrt(1 - alpha_bar) of each timestep.
std::vector<Level> levels(std::span<const double> alpha_bars);
/// sqrt((1 - alpha_bar) / alpha_bar), rising.
std::vector<double> sigmas(std::span<const double> alpha_bars);

std::vector<double> linspace(double from, double to, int count);
/// The entry of a whole timestep; UsageError GRD-1123 where there is none.
double entry_of(std::span<const double> table, double t);
/// Linear interpolation of a table at whole or broken timesteps.
double at(std::span<const double> table, double t);
/// The timestep of a noise level, by interpolation in its logarithm.
double time_of(std::span<const double> rising_sigmas, double sigma);

/// The number of steps that set_timesteps was asked for; UsageError GRD-1123 where it is not
/// between 1 and `most`.
int steps(const Request& request, int most);
/// Falling timesteps of the discrete schedulers (DDPM, DDIM, PNDM): whole numbers.
std::vector<double> whole_timesteps(const Config& config, const Request& request);
/// Of the schedulers in sigma (Euler, Heun, LMS, KDPM2): linspace ones are broken.
std::vector<double> sigma_timesteps(const Config& config, const Request& request);
/// Of the exponential multistep schedulers (DPM-Solver, DEIS, UniPC): one of N + 1 is left out.
std::vector<double> multistep_timesteps(const Config& config, const Request& request, int last);

enum class Rule { karras, exponential, beta };
/// The rule that a configuration replaces the levels of its timesteps by; nothing for none.
std::optional<Rule> rule(const Config& config);
std::vector<double> ruled(Rule rule, double largest, double smallest, int count, double rho = 7.0);
/// The falling sigmas of the schedulers in sigma, and their timesteps; no final one.
struct Grid {
  std::vector<double> timesteps, sigmas;
};
Grid sigma_grid(const Config& config, const Request& request, std::span<const double> table);
/// The grid of the exponential multistep schedulers, no final sigma. Karras timesteps are rounded,
/// where betas are cosine's only if `rounds_cosine`; others lose their fraction.
Grid multistep_grid(const Config& config, const Request& request, std::span<const double> table,
                    bool rounds_cosine);

/// The time shift of flows: s t / (1 + (s - 1) t), or by mu.
double shifted(double t, double shift);
double shifted_by(double t, double mu, bool exponential);
/// Levels rescaled about 1 so that the last one is `terminal`, where one is asked for.
void stretch(std::vector<double>& levels, std::optional<double> terminal);

/// D of a prediction type from the sample and the output, with x = alpha data + sigma noise.
Sum data_of(const Config& config, Level level);
/// D where the sample is data + sigma noise, but the network saw it divided by sqrt(sigma^2 + 1).
Sum data_of_scaled(const Config& config, double sigma);
/// The noise from the sample and D.
Sum noise_of(Level level, int sample = kState, int data = kAnswer);
/// The clamping or thresholding that a configuration asks for.
void treat(const Config& config, Call& call);

/// GRD-1126: what diffusers itself refuses.
[[noreturn]] void refuse(const Config& config, std::string_view what);

}  // namespace gradatim::process::diffusers
