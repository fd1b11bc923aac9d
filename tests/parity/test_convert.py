"""Pipelines of diffusers, converted: the same samples from the same start, and the way back.

Tolerance: 1e-4 of states about 1, after ten evaluations in float32 that add up in other orders.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
diffusers = pytest.importorskip("diffusers", reason="diffusers is not installed")
gradatim = pytest.importorskip("gradatim", reason="gradatim is not installed beside diffusers")

from gradatim.process import sample  # noqa: E402
from gradatim.process.grid import Given  # noqa: E402

COMMAND = Path(__file__).parents[2] / "build/gradatim"
SMALL = {
    "sample_size": 8,
    "block_out_channels": (8, 16),
    "norm_num_groups": 4,
    "down_block_types": ("DownBlock2D", "AttnDownBlock2D"),
    "up_block_types": ("AttnUpBlock2D", "UpBlock2D"),
}
NO_CLIP = {"clip_sample": False}

pytestmark = [
    pytest.mark.skipif(not COMMAND.exists(), reason=f"{COMMAND} is not built"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


def convert(source: Path, out: Path) -> str:
    words = [COMMAND, "convert", source, "--out", out, "--log", "plain"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr


def written(folder: Path, scheduler, **unet):
    """A pipeline of random weights, saved."""
    torch.manual_seed(0)
    network = diffusers.UNet2DModel(**SMALL | unet).eval()
    pipeline = diffusers.DDPMPipeline(unet=network, scheduler=scheduler)
    pipeline.save_pretrained(folder)
    return pipeline


@pytest.mark.parametrize("says", ["epsilon", "sample", "v_prediction"])
@pytest.mark.parametrize(
    "betas",
    [
        {"beta_schedule": "linear"},
        {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012},
        {"beta_schedule": "squaredcos_cap_v2"},
        {"trained_betas": np.linspace(1e-4, 0.03, 600).tolist(), "num_train_timesteps": 600},
    ],
    ids=["linear", "scaled_linear", "cosine", "trained"],
)
def test_a_converted_pipeline_gives_its_samples(says: str, betas: dict, tmp_path: Path) -> None:
    steps = 10
    scheduler = diffusers.DDPMScheduler(prediction_type=says, **betas, **NO_CLIP)
    pipeline = written(tmp_path / "pipeline", scheduler)
    ddim = diffusers.DDIMScheduler.from_config(scheduler.config, **NO_CLIP)
    ddim.set_timesteps(steps)
    start = torch.randn(3, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    theirs = start
    with torch.no_grad():
        for t in ddim.timesteps:
            theirs = ddim.step(pipeline.unet(theirs, t).sample, t, theirs).prev_sample

    convert(tmp_path / "pipeline", tmp_path / "model.safetensors")
    model = gradatim.load(tmp_path / "model.safetensors")
    count = scheduler.config.num_train_timesteps
    times = (*((int(t) + 1) / count for t in ddim.timesteps), 0.0)
    ours = sample(
        model.predict,
        (3, 3, 8, 8),
        path=model.path,
        prediction=model.prediction,
        solver="ddim",
        grid=Given(times=times),
        start=start.numpy(),
    )
    assert np.abs(ours - theirs.numpy()).max() < 1e-4 * max(1.0, float(theirs.abs().max()))
    assert model.sample(2, steps=2).dtype == np.uint8


def test_a_flow_and_its_unet_alone_are_read(tmp_path: Path) -> None:
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler()
    pipeline = written(tmp_path / "pipeline", scheduler, in_channels=4, out_channels=4)
    model = gradatim.neural.from_diffusers(tmp_path / "pipeline" / "unet")
    assert model.path == "rectified" and model.prediction == "velocity"
    x, t = torch.randn(3, 4, 8, 8), torch.tensor([0.1, 0.5, 1.0])
    with torch.no_grad():
        theirs = pipeline.unet(x, 1000.0 * t).sample.numpy()
    assert np.abs(model.predict(x, t) - theirs).max() < 1e-4
    assert model.sample(1, steps=2).dtype == np.float32  # four channels are no images


def test_what_is_written_is_what_diffusers_loads(tmp_path: Path) -> None:
    """A network of ours, through diffusers' own save_pretrained, and back to the same samples."""
    images = np.random.default_rng(0).integers(0, 256, (64, 8, 8), dtype=np.uint8)
    unet = gradatim.neural.network.Unet(channels=(8, 16), norm_groups=4, head_width=8)
    for number, settings in enumerate(
        [
            {"path": "cosine", "prediction": "v"},
            {"path": "linear", "prediction": "noise", "learned_variance": True},
            {},
        ]
    ):
        model = gradatim.neural.DiffusionModel(network=unet, steps=3, **settings).fit(images)
        folder = tmp_path / str(number)
        model.to_diffusers(folder)
        pipeline = diffusers.DDPMPipeline.from_pretrained(folder, low_cpu_mem_usage=False)
        x = np.random.default_rng(1).standard_normal((2, 8, 8)).astype(np.float32)
        t = np.array([0.2, 0.9])
        told = torch.tensor(1000 * t - (1 if settings else 0), dtype=torch.float32)
        with torch.no_grad():
            theirs = pipeline.unet(torch.from_numpy(x[:, None]), told).sample[:, :1].numpy()
        assert np.abs(model.predict(x, t)[:, None] - theirs).max() < 1e-4
        shown = pipeline(num_inference_steps=4, output_type="np").images
        assert shown.shape == (1, 8, 8, 1) and np.isfinite(shown).all()

        pipeline.save_pretrained(folder / "again")
        again = gradatim.neural.from_diffusers(folder / "again")
        assert np.array_equal(
            again.sample(2, steps=3, seed=5)[:, 0], model.sample(2, steps=3, seed=5)
        )
