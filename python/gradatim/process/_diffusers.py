"""from_diffusers(): a scheduler that stands where diffusers expects one of its own."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

import gradatim._native as _native
from gradatim._errors import UsageError
from gradatim.process._fields import whole

__all__ = ["Scheduler", "SchedulerOutput", "from_diffusers"]


def from_diffusers(
    config: Mapping[str, Any] | str | Path,
    mode: Literal["correct", "compat"] = "correct",
    *,
    noise: str | None = None,
) -> Scheduler:
    """A scheduler from a diffusers configuration.

    Parameters
    ----------
    config : dict, str or path
        The fields of a `scheduler_config.json`, `_class_name` among them; or that file, or the
        folder that holds it. What is left out has the default of its class.
    mode : {"correct", "compat"}
        "compat" has the numbers of diffusers 0.42, its finite defects included. "correct" gives
        finite numbers for every configuration; `differences` says in sentences what differs.
    noise : str, optional
        Where `step` draws noise that it is not given: "torch_cpu" (the default of "compat") or
        "philox" (of "correct"), of which a row's noise does not depend on the batch.

    Returns
    -------
    Scheduler

    Raises
    ------
    UsageError
        GRD-1120 not such a configuration; GRD-1121 a class that is not known; GRD-1122 a field of
        another type or with an impossible value; GRD-1129 a mode that is not known.
    """
    if mode not in ("correct", "compat"):
        raise UsageError(f"mode must be 'correct' or 'compat', not {mode!r}", "GRD-1129")
    if isinstance(config, Mapping):
        fields, text = dict(config), _json(dict(config))
    elif not isinstance(config, (str, Path)):
        raise UsageError(
            f"a configuration is a dict or a path, not {type(config).__name__}", "GRD-1120"
        )
    else:
        path = Path(config)
        if path.is_dir():
            inside = path / "scheduler" / "scheduler_config.json"
            path = inside if inside.is_file() else path / "scheduler_config.json"
        try:
            text = path.read_text(encoding="utf-8")
            fields = json.loads(text)
        except (OSError, ValueError) as error:
            raise UsageError(f"cannot read {path}: {error}", "GRD-1120") from None
    if noise not in (None, "philox", "torch_cpu"):
        raise UsageError(f"noise must be 'philox' or 'torch_cpu', not {noise!r}", "GRD-1129")
    source = noise or ("torch_cpu" if mode == "compat" else "philox")
    return Scheduler(_native.Scheduler(text, mode == "compat", source), fields)


def _json(fields: dict[str, Any]) -> str:
    def plain(value: Any) -> Any:
        if isinstance(value, (np.ndarray, np.generic)):
            return value.tolist()
        raise UsageError(f"a field holds a {type(value).__name__}, which JSON cannot", "GRD-1122")

    text = json.dumps(fields, default=plain)
    if any(isinstance(value, float) and math.isnan(value) for value in fields.values()):
        raise UsageError("a field of the configuration is NaN", "GRD-1122")
    return text


class SchedulerOutput:
    """What a step returns; also a tuple of the two."""

    def __init__(self, prev_sample: Any, pred_original_sample: Any) -> None:
        self.prev_sample = prev_sample
        self.pred_original_sample = pred_original_sample

    def __iter__(self) -> Iterator[Any]:
        return iter((self.prev_sample, self.pred_original_sample))

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, str):
            return getattr(self, index)
        return (self.prev_sample, self.pred_original_sample)[index]

    def __len__(self) -> int:
        return 2


class Scheduler:
    """Made by `from_diffusers`. Arrays are NumPy's or torch's and come back alike."""

    def __init__(self, native: Any, config: dict[str, Any]) -> None:
        self._native = native
        self._device: Any = None
        self._seed: Any = None
        self.config = config

    def set_timesteps(
        self,
        num_inference_steps: int | None = None,
        device: Any = None,
        timesteps: Sequence[float] | None = None,
        sigmas: Sequence[float] | None = None,
        mu: float | None = None,
    ) -> None:
        """Chooses the timesteps: so many, or those given, or those of the noise levels given."""
        self._device = device
        self._seed = None  # an int of `step` seeds anew
        self._native.set_timesteps(
            None if num_inference_steps is None else int(num_inference_steps),
            _floats(timesteps),
            _floats(sigmas),
            None if mu is None else float(mu),
        )

    @property
    def timesteps(self) -> Any:
        """What the network is told, a call each: int64 where all are whole, else float32."""
        times = np.array(self._native.timesteps())
        whole = bool(np.all(times == np.round(times)))
        return self._like(times.astype(np.int64 if whole else np.float32))

    @property
    def sigmas(self) -> Any:
        """The noise levels of the schedule, where its class has them."""
        return self._like(np.array(self._native.sigmas(), dtype=np.float32))

    @property
    def init_noise_sigma(self) -> float:
        """What starting noise is multiplied with."""
        return float(self._native.init_noise_sigma())

    @property
    def order(self) -> int:
        """Timesteps of one step of the solver."""
        return int(self._native.order())

    @property
    def differences(self) -> list[str]:
        """What the correct mode does otherwise than diffusers."""
        return list(self._native.differences())

    def __len__(self) -> int:
        return int(self.config.get("num_train_timesteps") or 1000)

    def set_begin_index(self, begin_index: int = 0) -> None:
        """Where to begin in the schedule, for starting from a noised image."""
        self._native.set_begin_index(int(begin_index))

    def scale_model_input(self, sample: Any, timestep: Any = None) -> Any:
        """The sample as the network wants it."""
        scale = self._native.input_scale(float(timestep))
        return sample if scale == 1.0 else sample * scale

    def step(
        self,
        model_output: Any,
        timestep: Any,
        sample: Any,
        eta: float | None = None,
        noise: Any = None,
        generator: Any = None,
        return_dict: bool = True,
        *,
        variance_noise: Any = None,
        s_churn: float = 0.0,
        s_tmin: float = 0.0,
        s_tmax: float = math.inf,
        s_noise: float = 1.0,
    ) -> Any:
        """One step from `sample`, given what the network put out for it.

        With `variance_type` "learned" or "learned_range" an output of twice the sample's channels
        is prediction and variance; DDPM draws by the latter, other classes leave it.

        `noise` is used where the step draws some; else `generator` (a torch.Generator, or an int
        that seeds this scheduler's own source) gives it.

        Raises
        ------
        UsageError
            GRD-1124 a timestep that is not in the schedule; GRD-1125 a step too many; GRD-1127
            arrays that do not fit together.
        """
        self._native.set_keywords(
            None if eta is None else float(eta),
            float(s_churn),
            float(s_tmin),
            min(float(s_tmax), 1e300),
            float(s_noise),
        )
        given = variance_noise if noise is None else noise
        if given is None and generator is not None:
            given = self._drawn(generator, sample, float(timestep))
        model_output, variance = self._halves(model_output, sample)
        before, data = self._native.step(
            _flat(model_output, sample),
            float(timestep),
            _flat(sample, sample),
            None if given is None else _flat(given, sample),
            return_dict,
            None if variance is None else _flat(variance, sample),
        )
        if not return_dict:
            return (_shaped(before, sample),)
        return SchedulerOutput(_shaped(before, sample), _shaped(data, sample))

    def add_noise(self, original_samples: Any, noise: Any, timesteps: Any) -> Any:
        """Noised samples at timesteps, one for all rows or one a row."""
        noised = self._native.add_noise(
            _flat(original_samples, original_samples),
            _flat(noise, original_samples),
            _floats(timesteps),
        )
        return _shaped(noised, original_samples)

    def scale_noise(self, sample: Any, timestep: Any, noise: Any) -> Any:
        """`add_noise` by the name that flows give it."""
        return self.add_noise(sample, noise, timestep)

    def sample(
        self,
        model: Callable[[Any, Any], Any],
        x: Any,
        steps: int,
        *,
        seed: int = 0,
        eta: float | None = None,
        mu: float | None = None,
    ) -> Any:
        """The whole loop from noise of unit variance: `model(x, t)` is called once a timestep."""
        self.set_timesteps(steps, mu=mu)
        self._native.seed(whole("seed", seed, 0, 2**64 - 1))
        x = x * self.init_noise_sigma
        for t in self.timesteps:
            output = model(self.scale_model_input(x, t), t)
            x = self.step(output, t, x, eta=eta, return_dict=False)[0]
        return x

    def _halves(self, output: Any, sample: Any) -> tuple[Any, Any]:
        """The prediction, and the variance behind it where there is one."""
        learned = self.config.get("variance_type") in ("learned", "learned_range")
        if not learned or len(sample.shape) < 2 or output.shape[1] != 2 * sample.shape[1]:
            return output, None
        channels = sample.shape[1]
        return output[:, :channels], output[:, channels:]

    def _like(self, values: np.ndarray) -> Any:
        if self._device is None:
            return values
        import torch

        return torch.from_numpy(values).to(self._device)

    def _drawn(self, generator: Any, sample: Any, timestep: float) -> Any:
        if isinstance(generator, (int, np.integer)):
            if generator != self._seed:
                self._native.seed(int(generator))
                self._seed = generator
            return None
        if not self._native.draws(timestep):
            return None
        import torch

        generators = generator if isinstance(generator, list) else [generator]
        shape = tuple(sample.shape)
        if len(generators) == 1:
            return torch.randn(shape, generator=generators[0])
        rows = [torch.randn((1, *shape[1:]), generator=each) for each in generators]
        return torch.cat(rows)


def _is_tensor(x: Any) -> bool:
    return type(x).__module__.partition(".")[0] == "torch"


def _floats(values: Any) -> list[float]:
    if values is None:
        return []
    if _is_tensor(values):
        values = values.detach().cpu().numpy()
    return [float(value) for value in np.atleast_1d(np.asarray(values)).ravel()]


def _flat(x: Any, sample: Any) -> Any:
    """[rows, dims] over the same memory, where it is float32 and in one piece."""
    shape = tuple(sample.shape)
    if tuple(x.shape) != shape:
        raise UsageError(
            f"an array of shape {tuple(x.shape)} beside a sample of {shape}", "GRD-1127"
        )
    if 0 in shape:
        raise UsageError(f"a sample of shape {shape} is empty", "GRD-1127")
    rows = shape[0] if len(shape) > 1 else 1
    if _is_tensor(x):
        import torch

        return x.detach().to("cpu", torch.float32).reshape(rows, -1).contiguous()
    return np.ascontiguousarray(x, dtype=np.float32).reshape(rows, -1)


def _shaped(x: Any, sample: Any) -> Any:
    if x is None:
        return None
    if _is_tensor(sample):
        import torch

        return torch.from_dlpack(x).reshape(sample.shape).to(sample.device, sample.dtype)
    return x.reshape(sample.shape).astype(sample.dtype, copy=False)
