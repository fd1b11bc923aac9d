"""A latent diffusion that was trained here, as a checkpoint of Stable Diffusion."""

import numpy as np
import pytest

from gradatim.neural import KLAutoencoder, LatentDiffusion, StableDiffusion
from gradatim.neural.network import Unet
from gradatim.neural.text_encoder import Transformer
from gradatim.neural.tokenizer import Bytes, Words
from gradatim.process.path import ScaledLinear
from gradatim.process.prediction import Noise

pytest.importorskip("torch")


def fitted(tokenizer: Bytes | Words | None = None, channels: int = 3) -> LatentDiffusion:
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (32, channels, 16, 16), dtype=np.uint8)
    autoencoder = KLAutoencoder(
        channels=[8, 8], norm_groups=4, latent_channels=4, steps=3, batch_size=8, n_jobs=1
    ).fit(images)
    model = LatentDiffusion(
        network=Unet(
            channels=[8, 16],
            layers=1,
            norm_groups=4,
            head_width=8,
            attention=[1],
            cross_attention=[1],
            zero_init=False,
        ),
        text=Transformer(tokens=12, width=16, layers=2, heads=2, tokenizer=tokenizer or Bytes()),
        path=ScaledLinear(),
        prediction=Noise(),
        steps=20,
        batch_size=8,
        learning_rate=1e-2,
        ema_decay=0.5,
        random_state=0,
        n_jobs=1,
    )
    captions = [["a red one", "red"] if k % 2 else ["a blue one", "blue"] for k in range(32)]
    return model.fit(images, captions=captions, autoencoder=autoencoder)


@pytest.fixture(scope="module")
def model() -> LatentDiffusion:
    return fitted()


def test_it_draws_what_the_model_samples(model, tmp_path):
    model.to_diffusers(tmp_path / "sd")
    sd = StableDiffusion.from_pretrained(tmp_path / "sd", n_jobs=1)
    how = {"solver": "ddim", "steps": 8, "grid": "trailing"}
    sampled = model.sample(1, prompt="a red one", guidance=3.0, seed=5, **how)[0]
    drawn = sd("a red one", guidance=3.0, seed=5, output="array", **how)[0]
    # What the model gives is rounded to bytes.
    gap = np.abs(sampled.transpose(1, 2, 0) - 255.0 * drawn.astype(float))
    assert gap.max() <= 0.51
    other = sd("a blue one", guidance=3.0, seed=5, output="array", **how)[0]
    assert np.abs(other - drawn).max() > 1e-3
    assert sd("red", steps=3, output="array").shape == (1, 16, 16, 3)  # its own scheduler


def test_what_has_no_place_there_is_refused(tmp_path):
    for odd, words in ((fitted(Words()), "bytes"), (fitted(channels=1), "three channels")):
        with pytest.raises(Exception, match=words) as caught:
            odd.to_diffusers(tmp_path / "odd")
        assert caught.value.code == "GRD-3063"
        assert not (tmp_path / "odd").exists()
