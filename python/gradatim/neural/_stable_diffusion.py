"""StableDiffusion: images by texts, of a checkpoint."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self, get_args

import numpy as np

import gradatim._native as _native
from gradatim._component import ArrayLike, Component, plain
from gradatim._errors import DataError, UsageError
from gradatim._request import warn
from gradatim.neural._pictures import Output, mask_from, picture_from, pictures_to
from gradatim.process._fields import settings_text, whole

__all__ = ["StableDiffusion"]

Files = str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | Mapping[Any, Any] | None


class StableDiffusion:
    """A checkpoint of Stable Diffusion 1 or 2 that draws images by texts.

    `StableDiffusion.from_pretrained(path)` opens one. Each stage can be called by itself:
    `tokenize`, `encode_prompt`, `unet`, `encode`, `decode`.
    """

    def __init__(self, opened: _native.StableDiffusion, n_jobs: int | None = None) -> None:
        self._opened = opened
        self.n_jobs = n_jobs

    @classmethod
    def from_pretrained(
        cls,
        path: str | os.PathLike[str],
        *,
        tokenizer: str | os.PathLike[str] | None = None,
        scheduler: str | os.PathLike[str] | None = None,
        prediction: str | None = None,
        lora: Files = None,
        textual_inversion: Files = None,
        weights: str | None = None,
        memory: float | str | None = None,
        prepared: str | os.PathLike[str] | None = None,
        n_jobs: int | None = None,
    ) -> Self:
        """Opens a checkpoint; its weights are mapped, and read when they are needed.

        Parameters
        ----------
        path : path
            A folder of diffusers, or a single file of safetensors in the layout of the first
            release.
        tokenizer : path, optional
            A tokenizer's folder or merges instead of its own.
        scheduler : path, optional
            A `scheduler_config.json` instead of its own.
        prediction : {"epsilon", "v_prediction"}, optional
            What the U-Net of a single file was taught to say.
        lora : path, sequence of paths or mapping of paths to weights, optional
            LoRA files on top of the weights.
        textual_inversion : path, sequence of paths or mapping of paths to words, optional
            Files of words that were learned, and what prompts call them.
        weights : {"8bit"}, optional
            Holds the U-Net's weights in 8 bits, for less memory.
        memory : int or str, optional
            Bytes that may be used, or a text such as "4GB".
        prepared : path, optional
            A file of the weights as this machine multiplies them, as large as they are in float32
            and larger. The first drawing writes it; later openings map it, which makes their first
            image come sooner. Of another checkpoint or machine it is written anew.
        n_jobs : int, optional
            Threads; None is all.

        Raises
        ------
        ModelError
            A line that says what is wrong with the checkpoint.
        """
        if weights not in (None, "8bit"):
            raise UsageError(f"weights is {weights!r}; it is None or '8bit'", "GRD-1005")
        opened = _native.open_stable_diffusion(
            os.fspath(path),
            _path(tokenizer),
            _path(scheduler),
            prediction or "",
            [(file, float(weight)) for file, weight in _files(lora, 1.0)],
            [(file, str(word)) for file, word in _files(textual_inversion, "")],
            weights is not None,
            _bytes(memory),
            _path(prepared),
        )
        for note in opened.notes:
            warnings.warn(note, UserWarning, stacklevel=2)
        return cls(opened, n_jobs)

    def __call__(
        self,
        prompt: str | Sequence[str] | None = None,
        *,
        negative_prompt: str | Sequence[str] | None = None,
        height: int | None = None,
        width: int | None = None,
        num_inference_steps: int = 50,
        steps: int | None = None,
        guidance_scale: float = 7.5,
        guidance: float | None = None,
        guidance_rescale: float = 0.0,
        guidance_interval: tuple[float, float] | None = None,
        eta: float = 0.0,
        seed: int | Sequence[int] | None = None,
        count: int = 1,
        num_images_per_prompt: int | None = None,
        generator: Any = None,
        scheduler: Mapping[str, Any] | str | os.PathLike[str] | None = None,
        solver: str | Component | None = None,
        grid: str | Component | None = None,
        noise: str | Component = "philox",
        latents: ArrayLike | None = None,
        prompt_embeds: ArrayLike | None = None,
        negative_prompt_embeds: ArrayLike | None = None,
        image: Any = None,
        mask_image: Any = None,
        strength: float = 0.8,
        clip_skip: int | None = 0,
        weighted: bool = False,
        truncate: bool = False,
        output: Output = "image",
        output_type: str | None = None,
        callback: Callable[[int, int, np.ndarray], None] | None = None,
        n_jobs: int | None = None,
    ) -> Any:
        """Draws images.

        Parameters
        ----------
        prompt : str or sequence of str
            What is to be seen; of several, `count` images each. Longer than the text encoder reads
            at once, it is read in chunks.
        negative_prompt : str or sequence of str, optional
            What guidance leads away from: one for all prompts, or one each.
        height, width : int, optional
            Of the images; None takes the checkpoint's, or those of `image`.
        num_inference_steps, steps : int
            Steps from noise to an image; `steps` is the shorter name.
        guidance_scale, guidance : float
            How far the prompt is stressed; 1 is not at all, at half the cost. Less is 1 for
            `guidance_scale`, as in diffusers, and as it is for `guidance`.
        guidance_rescale : float
            How far what guidance says is scaled back to the deviation that it has without.
        guidance_interval : (float, float), optional
            Noise-to-signal ratios that are guided; elsewhere the prompt is asked for alone.
        eta : float
            Noise of schedulers such as DDIM: 0 none, 1 as much as DDPM.
        seed : int or sequence of int, optional
            Image k has the seed `seed + k`, or its own; None is 0. An image is a function of its
            own seed, whatever is drawn beside it.
        count, num_images_per_prompt : int
            Images of a prompt.
        generator : torch.Generator or sequence of them, optional
            Stands for the seed that it began with, and `noise="torch_cpu"`.
        scheduler : mapping or path, optional
            A configuration of a scheduler of diffusers instead of the checkpoint's, stepped with
            diffusers' own numbers.
        solver, grid : str or component, optional
            Of `gradatim.process`, instead of a scheduler.
        noise : str or component
            "philox", or "torch_cpu" for the numbers that diffusers draws with a generator of that
            seed.
        latents : array-like of shape (images, channels, height, width), optional
            Normal noise to start from.
        prompt_embeds, negative_prompt_embeds : array-like of shape (1, tokens, width), optional
            States of texts instead of these.
        image : path, image or array, optional
            To start from: a path, an image of PIL, or an array [height, width, 3] or
            [3, height, width] of uint8, or of numbers in [0, 1].
        mask_image : path, image or array [height, width], optional
            What is drawn anew of `image` is white, or 1.
        strength : float
            Share of the steps that are made from `image` on.
        clip_skip : int
            Layers of the text encoder that are left out at its end, for the prompt alone.
        weighted : bool
            Whether brackets are weights: (word) 1.1, [word] 1 / 1.1, (word:1.3).
        truncate : bool
            Whether a prompt is cut behind what the text encoder reads at once, as diffusers does.
        output : {"image", "array", "latent"}
            Images of PIL, or without it arrays of uint8; float32 [images, height, width, 3] in
            [0, 1]; or float32 [images, channels, height, width]. `output_type` takes the words of
            diffusers: "pil", "np", "latent".
        callback : callable, optional
            `callback(step, steps, latents)` after each step of an image; an exception stops.
        n_jobs : int, optional
            Threads; None takes those of `from_pretrained`.
        """
        if output_type is not None:
            output = _OUTPUT_TYPES.get(output_type, output_type)  # type: ignore[assignment]
        if generator is not None:
            many = generator if isinstance(generator, Sequence) else [generator]
            seeds_of = [int(each.initial_seed()) for each in many]
            seed, noise = seeds_of[0] if len(seeds_of) == 1 else seeds_of, "torch_cpu"
        count = count if num_images_per_prompt is None else num_images_per_prompt
        if output not in get_args(Output):
            raise UsageError(
                f"output is {output!r}; it is one of {', '.join(get_args(Output))}", "GRD-1005"
            )
        if prompt is None and prompt_embeds is None:
            raise UsageError("give a prompt, or prompt_embeds", "GRD-1010")
        if grid is not None and solver is None:
            raise UsageError("a grid is for a solver; name one", "GRD-1002")
        if solver is not None and scheduler is not None:
            raise UsageError("give a scheduler of diffusers, or a solver and a grid", "GRD-1002")
        low, high = guidance_interval if guidance_interval is not None else (None, None)
        settings = _settings(
            {
                "steps": num_inference_steps if steps is None else steps,
                "guidance_weight": max(guidance_scale, 1.0) if guidance is None else guidance,
                "guidance_rescale": guidance_rescale,
                "guidance_low": low,
                "guidance_high": high,
                "eta": eta,
                "strength": strength,
                "height": height,
                "width": width,
                "clip_skip": clip_skip,
                "weighted": weighted,
                "truncate": truncate,
            },
            {"solver": solver, "grid": grid, "noise": noise},
        )
        prompts = [prompt] if prompt is None or isinstance(prompt, str) else list(prompt)
        if not prompts:
            raise UsageError("give a prompt at least; the list is empty", "GRD-1010")
        negatives = _each(negative_prompt, "negative_prompt", len(prompts))
        seeds = _seeds(seed, whole("count", count, 1, 2**20), len(prompts))
        each = len(seeds) // len(prompts)
        start = _floats(latents)
        if start is not None and len(start) != len(seeds):
            raise UsageError(
                f"{len(start)} latents do not suit {len(seeds)} images; give one each", "GRD-1223"
            )
        made = []
        for k, text in enumerate(prompts):
            own = slice(k * each, (k + 1) * each)
            made.append(
                self._opened.draw(
                    settings,
                    text or "",
                    negatives[k],
                    _floats(prompt_embeds),
                    _floats(negative_prompt_embeds),
                    seeds[own],
                    _configuration(scheduler),
                    None if start is None else np.ascontiguousarray(start[own]),
                    picture_from(image),
                    mask_from(mask_image),
                    output == "latent",
                    None,
                    callback,
                    warn,
                    self._threads(n_jobs),
                )
            )
        return pictures_to(np.concatenate(made), output)

    @property
    def height(self) -> int:
        """Of images whose size is not asked for, in pixels."""
        return int(self._opened.height)

    @property
    def width(self) -> int:
        """Of images whose size is not asked for, in pixels."""
        return int(self._opened.width)

    def tokenize(self, text: str) -> np.ndarray:
        """Tokens of a text, cut or filled: int64 [1, tokens]."""
        return np.asarray(self._opened.tokenize(text))

    def encode_prompt(
        self, text: str, *, clip_skip: int = 0, weighted: bool = False, truncate: bool = False
    ) -> np.ndarray:
        """What a text is to the U-Net: float32 [1, tokens, width]."""
        settings = _settings({"clip_skip": clip_skip, "weighted": weighted, "truncate": truncate})
        return np.asarray(self._opened.encode_prompt(text, settings, self._threads(None)))

    def unet(self, latents: ArrayLike, t: float | Sequence[float], states: ArrayLike) -> np.ndarray:
        """What the U-Net says of latents [rows, channels, height, width] at timesteps.

        States [texts, tokens, width] are each those of rows / texts rows.
        """
        times = [float(each) for each in np.atleast_1d(np.asarray(t, dtype=np.float64))]
        x, told = _floats(latents), _floats(states)
        return np.asarray(self._opened.unet(x, times, told, self._threads(None)))

    def encode(self, image: Any, *, seed: int | None = None) -> np.ndarray:
        """Latents [1, channels, height, width] of an image: their mean, or drawn by the seed."""
        picture = picture_from(image)
        assert picture is not None
        return np.asarray(self._opened.encode(picture[None], seed, self._threads(None)))

    def decode(self, latents: ArrayLike) -> np.ndarray:
        """Images [images, height, width, 3] in [0, 1] of latents."""
        images = self._opened.decode(_floats(latents), self._threads(None))
        return pictures_to(np.asarray(images), "array")

    def _threads(self, n_jobs: int | None) -> int:
        jobs = self.n_jobs if n_jobs is None else n_jobs
        return 0 if jobs is None else whole("n_jobs", jobs, 1, 1024)


_OUTPUT_TYPES = {"pil": "image", "np": "array", "latent": "latent"}


def _each(texts: str | Sequence[str] | None, name: str, count: int) -> list[str]:
    if texts is None or isinstance(texts, str):
        return [texts or ""] * count
    if len(texts) != count:
        raise UsageError(f"{len(texts)} of {name} do not suit {count} prompts", "GRD-1223")
    return list(texts)


def _path(path: str | os.PathLike[str] | None) -> str:
    return "" if path is None else os.fspath(path)


def _files(given: Files, usual: Any) -> list[tuple[str, Any]]:
    """Files and what goes with each."""
    if given is None:
        return []
    if isinstance(given, (str, os.PathLike)):
        return [(os.fspath(given), usual)]
    if isinstance(given, Mapping):
        return [(os.fspath(file), own) for file, own in given.items()]
    return [(os.fspath(file), usual) for file in given]


def _bytes(memory: float | str | None) -> int:
    if memory is None:
        return 0
    text = memory if isinstance(memory, str) else str(int(memory))
    return int(_native.parse_byte_size(text))


def _floats(given: Any) -> np.ndarray | None:
    if given is None:
        return None
    if hasattr(given, "detach"):
        given = given.detach().cpu().numpy()
    return np.ascontiguousarray(given, dtype=np.float32)


def _seeds(seed: int | Sequence[int] | None, count: int, prompts: int) -> list[int]:
    if seed is None or isinstance(seed, (int, np.integer)):
        first = whole("seed", 0 if seed is None else seed, 0, 2**63)
        return [first + k for k in range(count * prompts)]
    seeds = [whole("seed", each, 0, 2**63) for each in seed]
    if not seeds or len(seeds) % prompts or (count != 1 and len(seeds) != count * prompts):
        raise UsageError(
            f"{len(seeds)} seeds do not suit {prompts} prompts of {count} images", "GRD-1223"
        )
    return seeds


def _settings(values: dict[str, Any], parts: dict[str, Any] | None = None) -> str:
    settings: dict[str, Any] = {"component": "neural.stable_diffusion"}
    settings |= {name: plain(value) for name, value in values.items() if value is not None}
    for name, part in (parts or {}).items():
        if part is not None:
            settings[name] = part.to_settings() if isinstance(part, Component) else part
    return settings_text(settings)


def _configuration(scheduler: Mapping[str, Any] | str | os.PathLike[str] | None) -> str:
    if scheduler is None:
        return ""
    if isinstance(scheduler, Mapping):
        return json.dumps(dict(scheduler))
    text = os.fspath(scheduler)
    if text.lstrip().startswith("{"):
        return text
    if os.path.isdir(text):
        text = os.path.join(text, "scheduler_config.json")
    try:
        with open(text, encoding="utf-8") as file:
            return file.read()
    except OSError as error:
        raise DataError(f"cannot read '{text}': {error.strerror}", "GRD-2001") from None
