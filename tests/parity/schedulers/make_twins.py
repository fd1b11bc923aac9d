"""Makes twins.json: loops of diffusers with a model that is not linear.

python make_twins.py scheduler_cases.json, with diffusers 0.42.1 and torch on the CPU. A twin has
the configuration and loop of a case that draws no noise, and the numbers of `non_linear`; some more
configurations, that no case has, stand behind them.
"""

import json
import sys
from pathlib import Path

import diffusers
import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))
import schedulers

STABLE = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
MORE = [
    (
        "DDIMScheduler",
        {
            "timestep_spacing": "trailing",
            "rescale_betas_zero_snr": True,
            "prediction_type": "v_prediction",
            "clip_sample": False,
        },
        7,
    ),
    ("DDIMScheduler", {"timestep_spacing": "linspace", "thresholding": True}, 10),
    ("DDIMInverseScheduler", {"timestep_spacing": "trailing", "clip_sample": False}, 10),
    ("PNDMScheduler", {**STABLE, "skip_prk_steps": True, "steps_offset": 1}, 10),
    ("PNDMScheduler", {**STABLE, "prediction_type": "v_prediction"}, 9),
    ("EulerDiscreteScheduler", {**STABLE, "use_beta_sigmas": True}, 10),
    (
        "EulerDiscreteScheduler",
        {**STABLE, "timestep_spacing": "trailing", "final_sigmas_type": "sigma_min"},
        9,
    ),
    ("EulerDiscreteScheduler", {**STABLE, "interpolation_type": "log_linear"}, 10),
    (
        "EulerDiscreteScheduler",
        {
            **STABLE,
            "timestep_type": "continuous",
            "sigma_max": 100.0,
            "sigma_min": 0.01,
            "use_karras_sigmas": True,
            "prediction_type": "v_prediction",
        },
        10,
    ),
    (
        "EulerDiscreteScheduler",
        {
            "beta_schedule": "squaredcos_cap_v2",
            "rescale_betas_zero_snr": True,
            "prediction_type": "v_prediction",
        },
        10,
    ),
    ("HeunDiscreteScheduler", {"use_karras_sigmas": True, "clip_sample": True}, 8),
    ("HeunDiscreteScheduler", {"beta_schedule": "exp", "prediction_type": "sample"}, 8),
    ("KDPM2DiscreteScheduler", {"use_karras_sigmas": True, "timestep_spacing": "trailing"}, 8),
    ("LMSDiscreteScheduler", {**STABLE, "use_exponential_sigmas": True}, 8),
    ("DPMSolverMultistepScheduler", {**STABLE, "solver_order": 3, "use_lu_lambdas": True}, 17),
    (
        "DPMSolverMultistepScheduler",
        {
            "beta_schedule": "squaredcos_cap_v2",
            "solver_order": 3,
            "lambda_min_clipped": -5.1,
            "thresholding": True,
        },
        12,
    ),
    (
        "DPMSolverMultistepScheduler",
        {**STABLE, "use_exponential_sigmas": True, "euler_at_final": True},
        16,
    ),
    (
        "DPMSolverMultistepScheduler",
        {"use_flow_sigmas": True, "flow_shift": 3.0, "prediction_type": "flow_prediction"},
        10,
    ),
    (
        "DPMSolverMultistepScheduler",
        {
            **STABLE,
            "algorithm_type": "dpmsolver",
            "solver_type": "heun",
            "prediction_type": "v_prediction",
            "thresholding": True,
            "final_sigmas_type": "sigma_min",
        },
        10,
    ),
    (
        "DPMSolverMultistepScheduler",
        {
            "timestep_spacing": "trailing",
            "prediction_type": "sample",
            "rescale_betas_zero_snr": True,
        },
        11,
    ),
    ("DPMSolverSinglestepScheduler", {**STABLE, "solver_order": 3}, 10),
    (
        "DPMSolverSinglestepScheduler",
        {**STABLE, "solver_order": 3, "solver_type": "heun", "lower_order_final": True},
        12,
    ),
    (
        "DPMSolverSinglestepScheduler",
        {
            **STABLE,
            "algorithm_type": "dpmsolver",
            "solver_order": 3,
            "final_sigmas_type": "sigma_min",
        },
        11,
    ),
    ("UniPCMultistepScheduler", {**STABLE, "solver_order": 3}, 10),
    (
        "UniPCMultistepScheduler",
        {
            **STABLE,
            "solver_order": 3,
            "solver_type": "bh1",
            "final_sigmas_type": "sigma_min",
            "use_karras_sigmas": True,
        },
        10,
    ),
    (
        "UniPCMultistepScheduler",
        {
            **STABLE,
            "predict_x0": False,
            "solver_order": 3,
            "final_sigmas_type": "sigma_min",
            "disable_corrector": [0, 4],
        },
        9,
    ),
    ("DEISMultistepScheduler", {**STABLE, "solver_order": 3, "use_karras_sigmas": True}, 16),
    ("DEISMultistepScheduler", {"prediction_type": "v_prediction", "thresholding": True}, 10),
    ("EDMEulerScheduler", {"sigma_schedule": "exponential", "prediction_type": "v_prediction"}, 9),
    ("EDMDPMSolverMultistepScheduler", {"solver_order": 3, "solver_type": "heun"}, 16),
    ("LCMScheduler", {"original_inference_steps": 50}, 1),
    ("TCDScheduler", {}, 1),
    ("FlowMatchEulerDiscreteScheduler", {"use_beta_sigmas": True, "shift": 3.0}, 10),
    ("FlowMatchEulerDiscreteScheduler", {"shift_terminal": 0.02, "invert_sigmas": True}, 10),
    ("FlowMatchHeunDiscreteScheduler", {"shift": 2.0}, 6),
]
NOISY = ("DDPM", "Ancestral", "sde-")


class Peer:
    """The peer's scheduler for arrays."""

    def __init__(self, name, config):
        self.peer = getattr(diffusers, name)(**config)
        self.order = self.peer.order

    def set_timesteps(self, steps, **kwargs):
        self.peer.set_timesteps(steps, **kwargs)

    @property
    def timesteps(self):
        return list(self.peer.timesteps)

    @property
    def init_noise_sigma(self):
        return float(getattr(self.peer, "init_noise_sigma", 1.0))

    def add_noise(self, x, noise, timesteps):
        t = torch.as_tensor(np.asarray(timesteps))
        return self.peer.add_noise(torch.from_numpy(x), torch.from_numpy(noise), t).numpy()

    def scale_model_input(self, x, t):
        if not hasattr(self.peer, "scale_model_input"):
            return x
        return self.peer.scale_model_input(torch.from_numpy(x), t).numpy()

    def step(self, output, t, x, **kwargs):
        class Result:
            prev_sample = None

        output = torch.from_numpy(np.asarray(output, dtype=np.float32))
        done = self.peer.step(output, t, torch.from_numpy(np.asarray(x)), **kwargs)
        Result.prev_sample = done.prev_sample.numpy().astype(np.float32)
        return Result


def main():
    twins = []
    loop = {
        "overwrite_with_scaled_input": False,
        "t_start": None,
        "step_kwargs": {},
        "set_timesteps_kwargs": {},
    }
    more = [
        {
            "name": f"more_{i}_{name.removesuffix('Scheduler')}",
            "scheduler": name,
            "config": config,
            "steps": steps,
            "loop": {"init_noise_sigma": True, **loop},
        }
        for i, (name, config, steps) in enumerate(MORE)
    ]
    for case in json.loads(Path(sys.argv[1]).read_text()) + more:
        text = case["scheduler"] + json.dumps(case["config"])
        if any(word in text for word in NOISY):
            continue
        scheduler = Peer(case["scheduler"], case["config"])
        x = schedulers.run(scheduler, case, schedulers.non_linear)
        assert np.isfinite(x).all(), case["name"]
        twins.append(
            {
                **{key: case[key] for key in ("name", "scheduler", "config", "steps", "loop")},
                "timesteps": [round(float(t), 4) for t in scheduler.timesteps],
                "every_37th": [float(f"{value:.7g}") for value in x.ravel()[::37]],
            }
        )
    lines = ",\n".join(json.dumps(twin) for twin in twins)
    (Path(__file__).parent / "twins.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
