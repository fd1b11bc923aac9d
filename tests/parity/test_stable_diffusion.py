"""Stable Diffusion against the pipelines of diffusers, on checkpoints with random weights.

Both draw noise by torch's generator on the processor. Tolerance: 1e-4 of the largest number, of
latents behind every step and of images; both sides add up in float32, in different orders.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
diffusers = pytest.importorskip("diffusers", reason="diffusers is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")
gradatim = pytest.importorskip("gradatim", reason="gradatim is not installed beside diffusers")

import stable_folders  # noqa: E402
from clip_files import clip_vocabulary  # noqa: E402
from hostile_texts import hostile_texts  # noqa: E402
from safetensors import safe_open  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

from gradatim.neural import StableDiffusion  # noqa: E402

PROMPT = "A painting of a squirrel, eating a burger (it's 7!)"
NEGATIVE = "blurry photo"
TOLERANCE = 1e-4
LONG = ", ".join(f"the {word} in oil" for word in stable_folders.WORDS * 3)

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


class Pair:
    """A checkpoint of both sides."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.folder = folder
        self.theirs = stable_folders.make(kind, folder)
        self.ours = StableDiffusion.from_pretrained(folder)

    def drawn_by_peer(
        self, pipeline: Any, seeds: list[int], **words: Any
    ) -> tuple[np.ndarray, np.ndarray]:
        """Images [n, height, width, 3] and latents [n, steps, ...]."""
        steps = []

        def keep(pipe: Any, step: int, t: Any, now: dict[str, Any]) -> dict[str, Any]:
            steps.append(now["latents"].numpy().copy())
            return now

        generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        images = pipeline(
            generator=generators if len(seeds) > 1 else generators[0],
            num_images_per_prompt=len(seeds),
            callback_on_step_end=keep,
            output_type="np",
            **words,
        ).images
        return images, np.stack(steps, axis=1)

    def drawn_by_us(self, seeds: list[int], **words: Any) -> tuple[np.ndarray, np.ndarray]:
        steps = []
        images = self.ours(
            seed=seeds,
            noise="torch_cpu",
            output="array",
            callback=lambda step, all_steps, latents: steps.append(np.array(latents)),
            **words,
        )
        states = np.stack(steps)  # image by image
        return images, states.reshape(len(seeds), -1, *states.shape[-3:])


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Pair]:
    made: dict[str, Pair] = {}

    def of(kind: str) -> Pair:
        if kind not in made:
            made[kind] = Pair(kind, tmp_path_factory.mktemp(kind))
        return made[kind]

    return of


def apart(ours: np.ndarray, theirs: np.ndarray) -> float:
    assert ours.shape == theirs.shape
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


def assert_same(ours: tuple[np.ndarray, np.ndarray], theirs: tuple[np.ndarray, np.ndarray]) -> None:
    steps = [apart(ours[1][:, k], theirs[1][:, k]) for k in range(theirs[1].shape[1])]
    assert max(steps) < TOLERANCE, steps
    assert apart(ours[0], theirs[0]) < TOLERANCE


def words_of(**more: Any) -> dict[str, Any]:
    return {
        "prompt": PROMPT,
        "negative_prompt": NEGATIVE,
        "num_inference_steps": 4,
        "guidance_scale": 6.0,
    } | more


SCHEDULERS: dict[str, tuple[str, dict[str, Any]]] = {
    "ddim": ("DDIMScheduler", {}),
    "ddpm": ("DDPMScheduler", {}),
    "pndm": ("PNDMScheduler", {}),
    "euler": ("EulerDiscreteScheduler", {}),
    "euler_karras": ("EulerDiscreteScheduler", {"use_karras_sigmas": True}),
    "euler_trailing": ("EulerDiscreteScheduler", {"timestep_spacing": "trailing"}),
    "euler_ancestral": ("EulerAncestralDiscreteScheduler", {}),
    "heun": ("HeunDiscreteScheduler", {}),
    "lms": ("LMSDiscreteScheduler", {}),
    "dpmpp_2m": ("DPMSolverMultistepScheduler", {}),
    "dpmpp_2m_karras": ("DPMSolverMultistepScheduler", {"use_karras_sigmas": True}),
    "unipc": ("UniPCMultistepScheduler", {}),
    "deis": ("DEISMultistepScheduler", {}),
}


def give_scheduler(pair: Pair, name: str, pipeline: Any = None) -> dict[str, Any]:
    """Both sides the same scheduler, the way users change it; what ours is called with."""
    kind, settings = SCHEDULERS[name]
    own = json.loads((pair.folder / "scheduler" / "scheduler_config.json").read_text())
    scheduler = getattr(diffusers, kind).from_config(own, **settings)
    (pipeline or pair.theirs).scheduler = scheduler
    return {"scheduler": dict(scheduler.config)}


@pytest.mark.parametrize("kind", ["sd1", "sd2"])
@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_every_scheduler_draws_the_same(pair: Any, kind: str, scheduler: str) -> None:
    both = pair(kind)
    given = give_scheduler(both, scheduler)
    words = words_of()
    assert_same(
        both.drawn_by_us([0], **words, **given), both.drawn_by_peer(both.theirs, [0], **words)
    )


CALLS: dict[str, dict[str, Any]] = {
    "eta": {"eta": 1.0},
    "rescaled": {"guidance_rescale": 0.7},
    "not_guided": {"guidance_scale": 1.0},
    "less_than_not_guided": {"guidance_scale": 0.0},
    "no_negative_prompt": {"negative_prompt": None},
    "odd_size": {"height": 40, "width": 72},
    "one_step": {"num_inference_steps": 1},
    "empty_prompt": {"prompt": ""},
}


@pytest.mark.parametrize("kind", ["sd1", "sd2"])
@pytest.mark.parametrize("call", CALLS)
def test_every_argument_means_the_same(pair: Any, kind: str, call: str) -> None:
    both = pair(kind)
    given = give_scheduler(both, "ddim")
    words = words_of(**CALLS[call])
    assert_same(
        both.drawn_by_us([3], **words, **given), both.drawn_by_peer(both.theirs, [3], **words)
    )


# By solvers that do not amplify what is rounded: DDIM's steps on these weights double it.
@pytest.mark.parametrize("scheduler", ["dpmpp_2m", "dpmpp_2m_karras", "unipc", "deis", "lms"])
def test_many_steps_are_the_same(pair: Any, scheduler: str) -> None:
    both = pair("sd1")
    given = give_scheduler(both, scheduler)
    words = words_of(num_inference_steps=21)
    assert_same(
        both.drawn_by_us([2], **words, **given), both.drawn_by_peer(both.theirs, [2], **words)
    )


# diffusers 0.42 asks transformers 5 for a part that is gone, so its states are taken here.
@pytest.mark.parametrize("kind", ["sd1", "sd2"])
@pytest.mark.parametrize("skip", [1, 2])
def test_layers_of_the_text_encoder_are_left_out_for_the_prompt_alone(
    pair: Any, kind: str, skip: int
) -> None:
    both = pair(kind)
    given = give_scheduler(both, "euler")
    encoder = both.theirs.text_encoder
    with torch.no_grad():
        ids = torch.tensor(both.ours.tokenize(PROMPT))
        hidden = encoder(ids, output_hidden_states=True).hidden_states[-(skip + 1)]
        states = getattr(encoder, "text_model", encoder).final_layer_norm(hidden)
    words = words_of()
    expected = both.drawn_by_peer(
        both.theirs, [0], **words | {"prompt": None}, prompt_embeds=states
    )
    assert_same(both.drawn_by_us([0], **words, clip_skip=skip, **given), expected)
    ours = both.ours.encode_prompt(PROMPT, clip_skip=skip)
    assert apart(ours, states.numpy()) < TOLERANCE


@pytest.mark.parametrize("kind", ["sd1", "sd2"])
def test_the_checkpoints_own_scheduler_steps_as_their_pipelines_has_it(
    pair: Any, kind: str
) -> None:
    both = pair(kind)
    own = type(both.theirs).from_pretrained(both.folder, safety_checker=None)
    own.set_progress_bar_config(disable=True)
    words = words_of()
    assert_same(both.drawn_by_us([1], **words), both.drawn_by_peer(own, [1], **words))


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_a_scheduler_that_lies_in_the_folder_is_read(
    pair: Any, scheduler: str, tmp_path: Path
) -> None:
    both = pair("sd1")
    give_scheduler(both, scheduler)
    both.theirs.save_pretrained(tmp_path)
    own = diffusers.StableDiffusionPipeline.from_pretrained(tmp_path, safety_checker=None)
    own.set_progress_bar_config(disable=True)
    words = words_of(prompt_embeds=torch.ones(1, 77, 12), negative_prompt_embeds=None)
    words |= {"prompt": None, "guidance_scale": 1.0, "negative_prompt": None}
    expected, _ = both.drawn_by_peer(own, [0], **words)
    opened = StableDiffusion.from_pretrained(tmp_path)
    words["prompt_embeds"] = words["prompt_embeds"].numpy()
    assert apart(opened(**words, seed=0, noise="torch_cpu", output="array"), expected) < TOLERANCE


@pytest.mark.parametrize("scheduler", ["ddim", "euler_ancestral", "ddpm"])
def test_each_image_has_its_own_seed(pair: Any, scheduler: str) -> None:
    both = pair("sd1")
    given = give_scheduler(both, scheduler)
    words = words_of(eta=1.0) if scheduler == "ddim" else words_of()
    assert_same(
        both.drawn_by_us([5, 2], **words, **given),
        both.drawn_by_peer(both.theirs, [5, 2], **words),
    )


def test_each_prompt_of_several_has_its_own_seed(pair: Any) -> None:
    both = pair("sd2")
    given = give_scheduler(both, "euler_ancestral")
    words = words_of(prompt=[PROMPT, "the castle, in a sunset"])
    peer = words | {"negative_prompt": [NEGATIVE] * 2}
    images = both.theirs(
        **peer,
        generator=[torch.Generator().manual_seed(seed) for seed in (8, 1)],
        output_type="np",
    ).images
    assert apart(both.drawn_by_us([8, 1], **words, **given)[0], images) < TOLERANCE


def test_latents_and_states_of_texts_may_be_given(pair: Any) -> None:
    both = pair("sd2")
    given = give_scheduler(both, "euler")
    draw = torch.Generator().manual_seed(9)
    latents = torch.randn(1, 4, 8, 8, generator=draw)
    states = torch.randn(2, 1, 77, 12, generator=draw)
    words = words_of(prompt=None, negative_prompt=None)
    told = {"latents": latents, "prompt_embeds": states[0], "negative_prompt_embeds": states[1]}
    expected = both.drawn_by_peer(both.theirs, [0], **words, **told)
    ours = {name: value.numpy() for name, value in told.items()}
    assert_same(both.drawn_by_us([0], **words, **ours, **given), expected)


def picture(height: int = 64, width: int = 64) -> np.ndarray:
    y, x = np.mgrid[:height, :width] / 16.0
    return (0.5 + 0.5 * np.sin(np.stack([x + y, x * y, x - 2 * y], axis=-1))).astype(np.float32)


def mask(height: int = 64, width: int = 64) -> np.ndarray:
    """Soft at its edge; diffusers cuts it at a half."""
    y, x = np.mgrid[:height, :width] / height
    return np.clip(1.5 - 3.0 * np.hypot(x - 0.4, y - 0.6), 0.0, 1.0).astype(np.float32)


@pytest.mark.parametrize("kind", ["sd1", "sd2"])
@pytest.mark.parametrize(
    "scheduler", ["ddim", "pndm", "euler", "euler_ancestral", "heun", "dpmpp_2m", "unipc", "ddpm"]
)
def test_an_image_to_start_from(pair: Any, kind: str, scheduler: str) -> None:
    both = pair(kind)
    pipeline = diffusers.StableDiffusionImg2ImgPipeline(
        **both.theirs.components, requires_safety_checker=False
    )
    pipeline.set_progress_bar_config(disable=True)
    given = give_scheduler(both, scheduler, pipeline)
    words = words_of(num_inference_steps=5, strength=0.6, image=picture())
    assert_same(both.drawn_by_us([0], **words, **given), both.drawn_by_peer(pipeline, [0], **words))


@pytest.mark.parametrize("strength", [0.2, 1.0])
def test_images_of_several_seeds_and_of_any_size_to_start_from(pair: Any, strength: float) -> None:
    both = pair("sd1")
    pipeline = diffusers.StableDiffusionImg2ImgPipeline(
        **both.theirs.components, requires_safety_checker=False
    )
    pipeline.set_progress_bar_config(disable=True)
    given = give_scheduler(both, "ddim", pipeline)
    words = words_of(num_inference_steps=5, strength=strength, image=picture(40, 72))
    assert_same(
        both.drawn_by_us([4, 7], **words, **given), both.drawn_by_peer(pipeline, [4, 7], **words)
    )


@pytest.mark.parametrize("strength", [0.6, 1.0])
@pytest.mark.parametrize("kind", ["sd1", "inpainting"])
@pytest.mark.parametrize("scheduler", ["ddim", "pndm", "euler", "euler_ancestral", "dpmpp_2m"])
def test_within_a_mask(pair: Any, kind: str, scheduler: str, strength: float) -> None:
    both = pair(kind)
    pipeline = diffusers.StableDiffusionInpaintPipeline(
        **both.theirs.components, requires_safety_checker=False
    )
    pipeline.set_progress_bar_config(disable=True)
    given = give_scheduler(both, scheduler, pipeline)
    words = words_of(
        num_inference_steps=5, strength=strength, image=picture(40, 72), mask_image=mask(40, 72)
    )
    words |= {"height": 40, "width": 72}
    assert_same(both.drawn_by_us([6], **words, **given), both.drawn_by_peer(pipeline, [6], **words))


@pytest.mark.parametrize("kind", ["sd1", "sd2"])
def test_stages_are_the_same_each_by_itself(pair: Any, kind: str) -> None:
    both = pair(kind)
    theirs = both.theirs
    for text in (PROMPT, NEGATIVE, "", LONG, "!! wow !", "<|endoftext|> a <|startoftext|>"):
        ids = theirs.tokenizer(
            text, padding="max_length", max_length=77, truncation=True, return_tensors="np"
        ).input_ids
        np.testing.assert_array_equal(both.ours.tokenize(text), ids)
        with torch.no_grad():
            states = theirs.text_encoder(torch.tensor(ids))[0].numpy()
        assert apart(both.ours.encode_prompt(text, truncate=True), states) < TOLERANCE
    draw = torch.Generator().manual_seed(1)
    x = torch.randn(2, 4, 5, 9, generator=draw)
    told = torch.randn(2, 77, 12, generator=draw)
    pixels = torch.tensor(picture(40, 72)).permute(2, 0, 1)[None]
    with torch.no_grad():
        for t in (999, 500, 1):
            expected = theirs.unet(x, t, encoder_hidden_states=told).sample.numpy()
            assert apart(both.ours.unet(x.numpy(), t, told.numpy()), expected) < TOLERANCE
        mean = theirs.vae.encode(2 * pixels - 1).latent_dist.mean * theirs.vae.config.scaling_factor
        assert apart(both.ours.encode(picture(40, 72)), mean.numpy()) < TOLERANCE
        decoded = theirs.vae.decode(mean / theirs.vae.config.scaling_factor).sample
        images = (decoded / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1).numpy()
        assert apart(both.ours.decode(mean.numpy()), images) < TOLERANCE


def test_a_prompt_that_is_too_long_is_cut_as_theirs_where_that_is_asked_for(pair: Any) -> None:
    both = pair("sd1")
    given = give_scheduler(both, "ddim")
    words = words_of(prompt=LONG)
    expected = both.drawn_by_peer(both.theirs, [0], **words)
    with pytest.warns(UserWarning, match="cut behind 77 tokens"):
        ours = both.drawn_by_us([0], **words, truncate=True, **given)
    assert_same(ours, expected)
    # In chunks it is another image.
    images, _ = both.drawn_by_us([0], **words, **given)
    assert apart(images, expected[0]) > 10 * TOLERANCE


@pytest.mark.parametrize("kind", ["sd1", "sd2"])
def test_a_single_file_without_a_tokenizer_takes_clips(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = clip_vocabulary()
    if packed is None:
        pytest.skip("CLIP's vocabulary is not at hand: name it in GRADATIM_CLIP_VOCABULARY")
    pipeline = stable_folders.make(kind, tmp_path / "folder", packed)
    file = tmp_path / "model.safetensors"
    gradatim.convert(tmp_path / "folder", file)
    with safe_open(file, "pt") as stored:
        arrays = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
        kept = {k: v for k, v in stored.metadata().items() if "tokenizer/" not in k}
    save_file(arrays, file, metadata=kept)
    texts = hostile_texts(200, seed=4)
    ids = pipeline.tokenizer(
        texts, padding="max_length", max_length=77, truncation=True, return_tensors="np"
    ).input_ids
    monkeypatch.setenv("GRADATIM_CLIP_VOCABULARY", str(packed))
    with pytest.warns(UserWarning, match="has no tokenizer"):
        found = StableDiffusion.from_pretrained(file)
    given = StableDiffusion.from_pretrained(file, tokenizer=packed)
    whole = StableDiffusion.from_pretrained(tmp_path / "folder")
    for opened in (found, given, whole):
        for text, expected in zip(texts, ids, strict=True):
            assert opened.tokenize(text)[0].tolist() == expected.tolist(), ascii(text)
    words = words_of(output="latent")
    np.testing.assert_allclose(found(**words), whole(**words), atol=1e-5)
