"""StableDiffusion: what diffusers made of a tiny checkpoint, and how it is called.

The first are in the folder GRADATIM_FIXTURES: seventeen runs with the latents behind every step.
Tolerance: 1e-4 of the largest number; both sides add up in float32, in different orders.
"""

import importlib.util
import json
import os
import struct
from pathlib import Path

import numpy as np
import pytest

import gradatim
from gradatim.neural import StableDiffusion

pytest.importorskip("torch")

FOLDER = Path(
    os.environ.get("GRADATIM_FIXTURES", Path(__file__).parents[3] / "shared" / "fixtures")
)
TINY = FOLDER / "tiny_sd"
META = json.loads((TINY / "meta.json").read_text()) if TINY.exists() else {}
RUNS = [name for name, run in META.items() if isinstance(run, dict) and "scheduler" in run]
TOLERANCE = 1e-4

at_hand = pytest.mark.skipif(
    not META, reason="tiny_sd is not at hand: name its folder in GRADATIM_FIXTURES"
)


class Arrays:
    """Those of a file of safetensors, float32 or int64."""

    def __init__(self, path: Path) -> None:
        content = path.read_bytes()
        (size,) = struct.unpack("<Q", content[:8])
        self._header = json.loads(content[8 : 8 + size])
        self._bytes = content[8 + size :]

    def __getitem__(self, name: str) -> np.ndarray:
        entry = self._header[name]
        begin, end = entry["data_offsets"]
        kind = {"F32": np.float32, "I64": np.int64}[entry["dtype"]]
        return np.frombuffer(self._bytes[begin:end], kind).reshape(entry["shape"])


def write_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    header, data = {}, b""
    for name, x in arrays.items():
        end = len(data) + x.nbytes
        header[name] = {"dtype": "F32", "shape": x.shape, "data_offsets": [len(data), end]}
        data += x.tobytes()
    head = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(head)) + head + data)


@pytest.fixture(scope="module")
def peer() -> Arrays:
    return Arrays(TINY / "ref.safetensors")


@pytest.fixture(scope="module")
def checkpoint() -> StableDiffusion:
    return StableDiffusion.from_pretrained(TINY / "model")


def apart(ours: np.ndarray, theirs: np.ndarray) -> float:
    assert ours.shape == theirs.shape
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


def told(peer: Arrays, run: dict) -> dict:
    """What each of the runs was called with."""
    return {
        "prompt_embeds": peer["text.last_hidden"],
        "negative_prompt_embeds": peer["text.neg_last_hidden"],
        "num_inference_steps": run["steps"],
        "guidance_scale": run["guidance"],
        "seed": 0,
        "noise": "torch_cpu",
        "output": "array",
    }


def images_of(x: np.ndarray) -> np.ndarray:
    return x.transpose(0, 2, 3, 1)


@at_hand
def test_all_runs_are_there():
    assert len(RUNS) == 15


@at_hand
@pytest.mark.parametrize("name", RUNS)
def test_every_step_of_every_scheduler_is_that_of_diffusers(checkpoint, peer, name):
    run = META[name]
    steps = []
    image = checkpoint(
        **told(peer, run),
        eta=run["eta"],
        guidance_rescale=run["rescale"],
        scheduler={"_class_name": run["scheduler"], **run["config"]},
        callback=lambda step, all_steps, latents: steps.append(np.array(latents)),
    )
    expected = peer[f"pipe.{name}.latents"]
    assert len(steps) == len(expected)
    assert max(apart(mine, their) for mine, their in zip(steps, expected, strict=True)) < TOLERANCE
    assert apart(image, images_of(peer[f"pipe.{name}.image"])) < TOLERANCE
    assert image.astype(np.float64).sum() == pytest.approx(run["image_sum"], rel=1e-4)


@at_hand
def test_from_an_image_and_within_a_mask_it_draws_as_diffusers_does(checkpoint, peer):
    run = META["img2img"]
    picture = (peer["vae.img"][0] / 2 + 0.5).clip(0, 1)
    image = checkpoint(**told(peer, run), image=picture, strength=run["strength"])
    assert apart(image, images_of(peer["img2img.ddim.image"])) < TOLERANCE
    run = META["inpaint4"]
    mask = peer["inpaint4.mask"]
    image = checkpoint(**told(peer, run), image=picture, mask_image=mask, strength=run["strength"])
    assert apart(image, images_of(peer["inpaint4.ddim.image"])) < TOLERANCE


@at_hand
def test_each_stage_is_that_of_diffusers(checkpoint, peer):
    for t in (999, 500, 1):
        said = checkpoint.unet(peer["unet.in"], t, peer["unet.ctx"])
        assert apart(said, peer[f"unet.out.t{t}"]) < TOLERANCE
    odd = checkpoint.unet(peer["unet.in.odd"], [500, 500], peer["unet.ctx"])
    assert apart(odd, peer["unet.out.odd.t500"]) < TOLERANCE
    mean = 0.18215 * peer["vae.mean"]
    assert apart(checkpoint.encode((peer["vae.img"] / 2 + 0.5).clip(0, 1)), mean) < TOLERANCE
    decoded = (peer["vae.dec_of_mean"] / 2 + 0.5).clip(0, 1)
    assert apart(checkpoint.decode(mean), images_of(decoded)) < TOLERANCE
    # Latents that are drawn lie about their mean.
    drawn = checkpoint.encode((peer["vae.img"] / 2 + 0.5).clip(0, 1), seed=3)
    deviation = 0.18215 * np.exp(0.5 * peer["vae.logvar"])
    assert ((drawn - mean) / deviation).std() == pytest.approx(1.0, abs=0.05)


@at_hand
def test_a_checkpoint_without_a_tokenizer_says_so(checkpoint):
    with pytest.raises(gradatim.ModelError, match="tokenizer") as raised:
        checkpoint("a cat")
    assert "\n" not in str(raised.value)


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    """A checkpoint of random weights with a tokenizer."""
    source = Path(__file__).parents[1] / "checkpoints" / "tiny.py"
    spec = importlib.util.spec_from_file_location("tiny_checkpoint", source)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    folder = tmp_path_factory.mktemp("tiny")
    module.write_checkpoint(folder)
    return folder


@pytest.fixture(scope="module")
def drawer(written) -> StableDiffusion:
    return StableDiffusion.from_pretrained(written, n_jobs=1)


def drawn(drawer, prompt="a cat", **more):
    return drawer(prompt, **({"steps": 2, "output": "array"} | more))


def test_output_is_images_or_arrays_or_latents(drawer):
    array = drawn(drawer)
    assert array.shape == (1, 32, 32, 3)
    assert array.dtype == np.float32
    assert array.min() >= 0.0
    assert array.max() <= 1.0
    latents = drawn(drawer, output="latent")
    assert latents.shape == (1, 4, 16, 16)
    np.testing.assert_allclose(drawer.decode(latents), array, atol=1e-6)
    (image,) = drawn(drawer, output="image")
    np.testing.assert_array_equal(np.asarray(image), np.round(array[0] * 255))
    assert drawn(drawer, height=16, width=24).shape == (1, 16, 24, 3)


def test_an_image_is_a_function_of_its_own_seed(drawer):
    both = drawn(drawer, seed=[5, 3])
    np.testing.assert_array_equal(both[1:], drawn(drawer, seed=3))
    np.testing.assert_array_equal(drawn(drawer, seed=4, count=2)[1:], both[:1])
    assert np.abs(both[0] - both[1]).max() > 0.01
    several = drawn(drawer, ["a cat", "a dog"], seed=3)
    np.testing.assert_array_equal(several[:1], both[1:])
    np.testing.assert_array_equal(several[1:], drawn(drawer, "a dog", seed=4))


def test_names_of_diffusers_and_short_ones_are_the_same(drawer):
    np.testing.assert_array_equal(
        drawn(drawer, steps=3, guidance=4.0),
        drawn(drawer, steps=None, num_inference_steps=3, guidance_scale=4.0),
    )
    # Without guidance, or with less than none, the negative prompt does not matter.
    plain = drawn(drawer, guidance_scale=1.0)
    np.testing.assert_array_equal(plain, drawn(drawer, guidance_scale=0.0, negative_prompt="dog"))
    assert np.abs(plain - drawn(drawer, guidance=0.0, negative_prompt="dog")).max() > 1e-6


def test_brackets_are_words_unless_they_are_to_weigh(drawer):
    text = "a (cat:1.4) [dog]"
    plain = drawer.encode_prompt("a cat dog", weighted=True)
    weighted = drawer.encode_prompt(text, weighted=True)
    assert weighted.shape == plain.shape == (1, 77, 8)
    ratio = np.abs(weighted).sum(-1)[0] / np.abs(plain).sum(-1)[0]
    np.testing.assert_allclose(ratio[2] / ratio[0], 1.4, rtol=1e-4)
    np.testing.assert_allclose(ratio[3] / ratio[0], 1 / 1.1, rtol=1e-4)
    np.testing.assert_allclose(weighted.mean(), plain.mean(), rtol=1e-3, atol=1e-6)
    np.testing.assert_array_equal(plain, drawer.encode_prompt("a cat dog"))
    assert np.abs(drawer.encode_prompt(text) - plain).max() > 1e-3
    with pytest.raises(gradatim.UsageError, match="has no") as raised:
        drawn(drawer, "a (cat", weighted=True)
    assert raised.value.code == "GRD-1217"


def test_long_prompts_are_read_in_chunks_or_cut_with_a_word(drawer):
    long = "cat, " * 60
    assert drawer.encode_prompt(long).shape == (1, 154, 8)
    assert drawer.encode_prompt(long, truncate=True).shape == (1, 77, 8)
    assert drawer.tokenize(long).shape == (1, 77)
    whole = drawn(drawer, long, negative_prompt="dog")
    with pytest.warns(UserWarning, match=r"lost '.*cat"):
        cut = drawn(drawer, long, negative_prompt="dog", truncate=True)
    assert np.abs(whole - cut).max() > 1e-4


def test_a_callback_sees_every_step_and_may_stop(drawer):
    seen = []
    drawn(
        drawer,
        steps=3,
        scheduler={"_class_name": "DDIMScheduler"},
        callback=lambda step, steps, latents: seen.append((step, steps, latents.shape)),
    )
    assert seen == [(k, 3, (1, 4, 16, 16)) for k in (1, 2, 3)]

    def stop(step, steps, latents):
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        drawn(drawer, callback=stop)


def test_solvers_of_gradatim_draw_too(drawer):
    images = [drawn(drawer, solver=solver, steps=20) for solver in ("heun", "dpm_solver_pp_2m")]
    assert apart(*images) < 0.2
    with pytest.raises(gradatim.UsageError):
        drawn(drawer, solver="heun", scheduler={"_class_name": "DDIMScheduler"})


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"output": "pt"}, "GRD-1005"),
        ({"height": 15}, "GRD-1223"),
        ({"seed": [1, 2], "count": 3}, "GRD-1223"),
        ({"mask_image": np.ones((32, 32))}, "GRD-1224"),
        ({"image": np.full((32, 32, 3), 2.0)}, "GRD-1224"),
        ({"latents": np.zeros((1, 4, 3, 3))}, "GRD-1223"),
        ({"scheduler": {"_class_name": "NoScheduler"}}, "GRD-1121"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_a_line(drawer, more, code):
    with pytest.raises(gradatim.UsageError) as raised:
        drawn(drawer, **more)
    assert raised.value.code == code
    assert "\n" not in str(raised.value)


def test_an_image_of_pil_of_bytes_and_of_numbers_are_the_same(drawer):
    pil = pytest.importorskip("PIL.Image")
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    expected = drawn(drawer, image=pixels, strength=0.5)
    for image in (pil.fromarray(pixels), pixels / 255.0, pixels.transpose(2, 0, 1)):
        np.testing.assert_allclose(drawn(drawer, image=image, strength=0.5), expected, atol=1e-6)
    # Of which a mask that is black everywhere leaves all, as no strength does.
    ddim = {"scheduler": {"_class_name": "DDIMScheduler"}, "output": "latent", "image": pixels}
    mask = np.zeros((32, 32), np.uint8)
    kept = drawn(drawer, **ddim, mask_image=mask, strength=1.0)
    np.testing.assert_allclose(kept, drawn(drawer, **ddim, strength=0.0), atol=1e-6)


def test_it_opens_in_little_memory_with_changes_on_top(written, tmp_path):
    width = 8
    word = tmp_path / "star.safetensors"
    write_arrays(word, {"<star>": np.full((2, width), 0.3, np.float32)})
    down = np.full((2, width), 0.2, np.float32)
    layer = "unet.mid_block.attentions.0.transformer_blocks.0.attn2.to_q"
    lora = tmp_path / "lora.safetensors"
    write_arrays(lora, {f"{layer}.lora_A.weight": down, f"{layer}.lora_B.weight": down.T.copy()})

    plain = StableDiffusion.from_pretrained(written)
    image = drawn(plain, "a star cat")
    for memory in (2e9, 2_000_000_000, "2GB"):
        assert np.array_equal(
            drawn(StableDiffusion.from_pretrained(written, memory=memory), "a star cat"), image
        )
    ready = tmp_path / "ready"
    for _ in range(2):  # written, then mapped
        prepared = StableDiffusion.from_pretrained(written, prepared=ready)
        assert np.array_equal(drawn(prepared, "a star cat"), image)
        written_once = ready.stat().st_ino
        drawn(prepared, "a dog")
        assert ready.stat().st_ino == written_once
    small = drawn(StableDiffusion.from_pretrained(written, weights="8bit"), "a star cat")
    assert 0.0 < np.abs(small - image).max() < 0.2
    strong = StableDiffusion.from_pretrained(written, lora={lora: 3.0})
    assert not np.array_equal(drawn(strong, "a star cat"), image)
    none = StableDiffusion.from_pretrained(written, lora={lora: 0.0})
    assert np.allclose(drawn(none, "a star cat"), image, atol=1e-5)
    told = StableDiffusion.from_pretrained(written, textual_inversion={word: "zz"})
    assert not np.array_equal(drawn(told, "a zz cat"), drawn(plain, "a zz cat"))
    with pytest.raises(gradatim.UsageError) as caught:
        StableDiffusion.from_pretrained(written, memory="1MB")("a cat")
    assert caught.value.code == "GRD-1225"


def test_a_generator_of_torch_stands_for_its_seed(drawer):
    torch = pytest.importorskip("torch")
    made = drawer(
        ["a cat", "a dog"],
        negative_prompt=["dog", "cat"],
        generator=[torch.Generator().manual_seed(k) for k in (3, 4)],
        output_type="np",
        num_inference_steps=3,
    )
    how = {"steps": 3, "noise": "torch_cpu", "output": "array"}
    one = drawer("a cat", negative_prompt="dog", seed=3, **how)
    other = drawer("a dog", negative_prompt="cat", seed=4, **how)
    assert np.allclose(made, np.concatenate([one, other]), atol=1e-5)


def test_images_may_be_paths(drawer, tmp_path):
    image = drawer("a cat", steps=2)[0]
    image.save(tmp_path / "cat.png")
    again = {"steps": 2, "strength": 0.5, "output": "array"}
    by_path = drawer("a dog", image=tmp_path / "cat.png", **again)
    np.testing.assert_array_equal(by_path, drawer("a dog", image=image, **again))
    with pytest.raises(gradatim.DataError, match="GRD-2001"):
        drawer("a dog", image=tmp_path / "none.png", **again)
