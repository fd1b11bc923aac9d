"""diffusers draws from a latent diffusion that was trained here what gradatim draws from it."""

import sys
from pathlib import Path

import numpy as np
import pytest

diffusers = pytest.importorskip("diffusers")
torch = pytest.importorskip("torch")


def test_diffusers_draws_the_same(tmp_path):
    sys.path.append(str(Path(__file__).parents[1] / "python"))
    from test_trained_checkpoint import fitted

    from gradatim.neural import StableDiffusion

    fitted().to_diffusers(tmp_path / "sd")
    peer = diffusers.StableDiffusionPipeline.from_pretrained(tmp_path / "sd")
    peer.set_progress_bar_config(disable=True)
    sd = StableDiffusion.from_pretrained(tmp_path / "sd")
    for prompt in ("a red one", "blue"):
        generator = torch.Generator().manual_seed(4)
        how = {"num_inference_steps": 5, "guidance_scale": 4.0}
        expected = peer(prompt, generator=generator, output_type="np", **how).images
        ours = sd(prompt, seed=4, noise="torch_cpu", output="array", **how)
        assert np.abs(ours - expected).max() < 1e-4
