// What the exponential integrators share (DPM-Solver, UniPC, DEIS): points in half log-SNR lambda,
// and the weights of DPM-Solver's formulas.
#pragma once

#include <span>
#include <vector>

#include "gradatim/process/diffusers/schedule.h"

namespace gradatim::process::diffusers {

struct Point {
  double alpha = 1.0, sigma = 0.0, lambda = 0.0;
};

/// Of a noise level: variance preserving, or (flows) alpha = 1 - sigma.
Point point_of(double sigma, bool flow);
std::vector<Point> points_of(const Config& config, std::span<const double> sigmas);

/// x_t = carried x + data D0 + (half or slope) D1 + bend D2 + noise z, in which D is data or noise,
/// as the algorithm has it; Lu et al. (2022), DPM-Solver++, appendix A and B.
struct Weights {
  double carried = 1.0, value = 0.0, half = 0.0, slope = 0.0, bend = 0.0, noise = 0.0;
};
Weights weights(std::string_view algorithm, const Point& from, const Point& to);
bool stochastic(std::string_view algorithm);
/// Whether an algorithm's D is data.
bool of_data(std::string_view algorithm);

/// D1 and D2 of values at the last steps, m0 the newest.
struct Differences {
  Sum first, second;
};
Differences differences(const Point& to, std::span<const Point> at, std::span<const Sum> values);

/// The algorithm of a configuration; those of other classes mean DPM-Solver++.
std::string algorithm(const Config& config);
/// Whether second order is by the midpoint.
bool midpoint(const Config& config);

/// A call at a point of the schedule: its data, treatment and level.
Call exponential_call(const Config& config, double timestep, const Point& point);
/// Data or noise, as the algorithm keeps it.
Sum value_of(bool data, const Point& point);

/// The plan of a grid; calls in front of `begin` are empty.
Plan exponential_plan(const Config& config, const Grid& grid, std::span<const Point> points,
                      std::size_t begin, int slots);

/// The steps of DPM-Solver's multistep form, which EDM's class shares.
void lay_multistep(const Config& config, std::span<const Point> points, std::size_t begin,
                   Plan& plan, Call (*call)(const Config&, double, const Point&));

/// The solver that takes the place of DPM-Solver's orders and algorithms in correct mode.
std::string dpm_solver(const Config& config, const Request& request);
std::string dpm_solver_singlestep(const Config& config, const Request& request);

}  // namespace gradatim::process::diffusers
