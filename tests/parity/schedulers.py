"""The states, models and loops of the scheduler cases."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

SHAPE = (4, 3, 8, 8)


def sample() -> np.ndarray:
    """Numbers from 0 to 1, the batch varying fastest."""
    count = math.prod(SHAPE)
    return _batch_first(np.arange(count) / count)


def noise() -> np.ndarray:
    """The same, falling."""
    count = math.prod(SHAPE)
    return _batch_first(np.arange(count)[::-1] / count)


def _batch_first(values: np.ndarray) -> np.ndarray:
    batch, *rest = SHAPE
    return np.ascontiguousarray(
        values.astype(np.float32).reshape(*rest, batch).transpose(3, 0, 1, 2)
    )


def linear(x: Any, t: float) -> Any:
    return x * t / (t + 1)


def non_linear(x: Any, t: float) -> Any:
    return np.tanh(x) * np.float32(t / (t + 1)) + np.float32(0.1) * np.sin(3 * x)


def run(
    scheduler: Any, case: dict[str, Any], model: Callable[[Any, float], Any], **step: Any
) -> Any:
    """The loop of a case: `scheduler` is anything with the interface of diffusers."""
    loop = case["loop"]
    if case["steps"] is None:
        timesteps = list(range(case["config"]["num_train_timesteps"]))[::-1]
    else:
        scheduler.set_timesteps(case["steps"], **loop["set_timesteps_kwargs"])
        timesteps = list(scheduler.timesteps)
    x = sample()
    if loop["init_noise_sigma"]:
        x = x * np.float32(scheduler.init_noise_sigma)
    if loop["t_start"] is not None:
        timesteps = timesteps[loop["t_start"] * scheduler.order :]
        x = scheduler.add_noise(x, noise(), np.asarray(timesteps[:1]))
    for t in timesteps:
        scaled = scheduler.scale_model_input(x, t)
        if loop["overwrite_with_scaled_input"]:
            x = scaled
        x = scheduler.step(model(scaled, float(t)), t, x, **step, **loop["step_kwargs"]).prev_sample
    return np.asarray(x)
