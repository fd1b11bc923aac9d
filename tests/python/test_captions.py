"""Diffusions that learn captions, and are asked by texts."""

import numpy as np
import pytest

import gradatim
from gradatim.neural import DiffusionModel, NormalizingFlow
from gradatim.neural.network import Unet
from gradatim.neural.text_encoder import Transformer
from gradatim.neural.tokenizer import Bytes

torch = pytest.importorskip("torch")

SAID = {"left": ["a bright left half", "left"], "top": ["a bright top half", "top is bright"]}


def halves(rows: int) -> tuple[np.ndarray, np.ndarray]:
    x = np.zeros((rows, 8, 8), dtype=np.float32)
    x[::2, :, :4] = 1.0
    x[1::2, :4, :] = 1.0
    return x, np.where(np.arange(rows) % 2 == 0, "left", "top")


def small(**more) -> DiffusionModel:
    network = Unet(
        channels=[16], layers=1, head_width=8, norm_groups=4, attention=[0], cross_attention=[0]
    )
    more = {
        "network": network,
        "text": Transformer(width=16, layers=1, heads=2, tokens=8),
        "steps": 150,
        "batch_size": 32,
        "learning_rate": 5e-3,
        "warmup_steps": 0,
        "n_jobs": 1,
    } | more
    return DiffusionModel(**more)


@pytest.fixture(scope="module")
def model() -> DiffusionModel:
    x, y = halves(64)
    return small().fit(x, y, captions=SAID)


def lit(images: np.ndarray) -> np.ndarray:
    """Whether the left half is the bright one: by the pixels that the two differ by."""
    return images[:, 4:, :4].mean((1, 2)) > images[:, :4, 4:].mean((1, 2))


def test_samples_are_what_was_asked_for(model):
    for text, left in (("left", True), ("a bright top half", False), ("bright left", True)):
        made = model.sample(16, prompt=text, guidance=2, steps=8, seed=1)
        assert (lit(made) == left).mean() > 0.9, text
    texts = ["left", "top"] * 8
    made = model.sample(16, prompt=texts, steps=8, seed=1)
    assert (lit(made) == np.array([True, False] * 8)).mean() > 0.9
    away = model.sample(16, prompt="bright", negative_prompt="left", guidance=3, steps=8, seed=1)
    assert lit(away).mean() < 0.3


def test_a_row_does_not_depend_on_the_texts_beside_it(model):
    texts = ["left", "top", "left", "bright top"]
    together = model.sample(4, prompt=texts, steps=4, seed=2)
    one = model.sample(4, prompt="left", steps=4, seed=2)
    assert np.abs(together[[0, 2]] - one[[0, 2]]).max() < 1e-4


def test_it_is_kept_with_its_words(model, tmp_path):
    model.save(tmp_path / "halves.safetensors")
    again = gradatim.load(tmp_path / "halves.safetensors")
    here = model.sample(3, prompt="top", steps=4, seed=3)
    assert (again.sample(3, prompt="top", steps=4, seed=3) == here).all()


def test_a_caption_a_sample_and_bytes_as_tokens():
    x, y = halves(32)
    captions = [f"the {word} is lit, number {k}" for k, word in enumerate(y)]
    text = Transformer(width=16, layers=1, heads=2, tokens=24, tokenizer=Bytes(vocabulary=600))
    found = small(text=text, steps=10).fit(x, captions=captions)
    assert found.sample(2, prompt="something else: ünknown", steps=2).shape == (2, 8, 8)


def test_what_it_refuses(model):
    x, y = halves(16)
    with pytest.raises(ValueError, match=r"'lift'.*did you mean 'left'.*GRD-1177"):
        model.sample(2, prompt="lift")
    with pytest.raises(ValueError, match="GRD-1178"):
        model.sample(2, prompt="  ")
    with pytest.raises(ValueError, match="GRD-1104"):
        model.sample(2, label="left")
    with pytest.raises(ValueError, match="GRD-1208"):
        model.sample(3, prompt=["left", "top"])
    with pytest.raises(ValueError, match="GRD-1208"):
        DiffusionModel(steps=2, n_jobs=1).fit(x, y).sample(2, prompt="left")
    with pytest.raises(ValueError, match="GRD-2111"):
        small().fit(x, y, captions={"left": "left"})
    with pytest.raises(ValueError, match="GRD-2111"):
        small().fit(x, captions=["one"])
    with pytest.raises(ValueError, match="GRD-1207"):
        small().fit(x, captions=SAID)
    with pytest.raises(ValueError, match="GRD-1209"):
        small().fit(x, y)
    with pytest.raises(ValueError, match="GRD-1211"):
        NormalizingFlow(steps=2)._learn(
            x, y, valid=None, resume=None, log_dir=None, on_step=None, captions=SAID
        )
    with pytest.raises(ValueError, match="GRD-1170"):
        small(network="mlp").fit(x, y, captions=SAID)
