"""AutoencoderKL of diffusers, read from its folder: equal latents, images and gradients.

Tolerances: outputs 1e-5 of the largest, gradients 1e-4 of each parameter's largest; both sides add
up in float32, in different orders.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
diffusers = pytest.importorskip("diffusers", reason="diffusers is not installed")

from safetensors.torch import load_file, save_file  # noqa: E402

DOOR = Path(__file__).parents[2] / "build/tests/kl_forward"
COMMAND = Path(__file__).parents[2] / "build/gradatim"

pytestmark = pytest.mark.skipif(not DOOR.exists(), reason=f"{DOOR} is not built")


def blocks(levels: int) -> dict[str, Any]:
    return {
        "down_block_types": ("DownEncoderBlock2D",) * levels,
        "up_block_types": ("UpDecoderBlock2D",) * levels,
    }


CASES: dict[str, dict[str, Any]] = {
    "two": blocks(2) | {"block_out_channels": (8, 16), "norm_num_groups": 4, "sample_size": 16},
    "deep": blocks(3)
    | {
        "block_out_channels": (8, 8, 12),
        "norm_num_groups": 2,
        "layers_per_block": 2,
        "latent_channels": 3,
        "in_channels": 1,
        "out_channels": 1,
        "sample_size": 20,
    },
    "no_attention": blocks(2)
    | {
        "block_out_channels": (8, 8),
        "norm_num_groups": 8,
        "mid_block_add_attention": False,
        "sample_size": 12,
    },
    "one_level": blocks(1)
    | {"block_out_channels": (72,), "norm_num_groups": 8, "sample_size": 8},  # a wide head
}


def make(name: str, folder: Path) -> tuple[Any, dict[str, torch.Tensor]]:
    torch.manual_seed(0)
    model = diffusers.AutoencoderKL(**CASES[name]).eval()
    model.save_pretrained(folder)
    config = model.config
    side = config.sample_size
    x = torch.randn(2, config.in_channels, side, side)
    small = side // 2 ** (len(config.block_out_channels) - 1)
    noise = torch.randn(2, config.latent_channels, small, small)
    save_file({"x": x, "noise": noise}, folder / "batch.safetensors")
    return model, {"x": x, "noise": noise}


def apart(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    return float((ours - theirs).abs().max() / theirs.abs().max().clamp(min=1e-6))


def through_the_door(folder: Path) -> dict[str, torch.Tensor]:
    words = [DOOR, folder, folder / "batch.safetensors", folder / "out.safetensors"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return load_file(folder / "out.safetensors")


@pytest.mark.parametrize("name", CASES)
def test_latents_images_and_gradients_are_those_of_diffusers(name: str, tmp_path: Path) -> None:
    model, batch = make(name, tmp_path)
    posterior = model.encode(batch["x"]).latent_dist
    z = posterior.mean + posterior.std * batch["noise"]
    out = model.decode(z).sample
    loss = (out - batch["x"]).square().mean() + 0.01 * posterior.kl().mean()
    loss.backward()
    ours = through_the_door(tmp_path)
    assert apart(ours["mean"], posterior.mean.detach()) < 1e-5
    assert apart(ours["logvar"], posterior.logvar.detach()) < 1e-5
    assert apart(ours["out"], out.detach()) < 1e-5
    assert apart(ours["tiled"], out.detach()) < 1e-4
    largest = max(float(p.grad.abs().max()) for p in model.parameters())
    for key, parameter in model.named_parameters():
        error = float((ours[f"gradient.{key}"] - parameter.grad).abs().max())
        assert error < max(1e-4 * float(parameter.grad.abs().max()), 1e-6 * largest), key


@pytest.mark.skipif(not COMMAND.exists(), reason=f"{COMMAND} is not built")
def test_what_is_written_is_what_diffusers_loads(tmp_path: Path) -> None:
    model, batch = make("deep", tmp_path / "vae")
    for source, out in (("vae", "model.safetensors"), ("model.safetensors", "copy")):
        words = [COMMAND, "convert", tmp_path / source, "--out", tmp_path / out, "--log", "quiet"]
        subprocess.run(words, check=True)
    again = diffusers.AutoencoderKL.from_pretrained(tmp_path / "copy").eval()
    with torch.no_grad():
        expected, got = (m(batch["x"]).sample for m in (model, again))
    assert torch.equal(expected, got)
    assert again.config.scaling_factor == model.config.scaling_factor
