"""Networks of diffusers, read from their folders: equal outputs, losses and gradients.

Tolerances: outputs 1e-5 of the largest, gradients 1e-4 of each parameter's largest; both sides add
up in float32, in different orders.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("diffusers", reason="diffusers is not installed")

import unet_folders  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402

DOOR = Path(__file__).parents[2] / "build/tests/unet_forward"

pytestmark = pytest.mark.skipif(not DOOR.exists(), reason=f"{DOOR} is not built")


def through_the_door(folder: Path, *more: Path) -> dict[str, torch.Tensor]:
    words = [DOOR, folder, folder / "batch.safetensors", folder / "out.safetensors", *more]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return load_file(folder / "out.safetensors")


def apart(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    return float((ours - theirs).abs().max() / theirs.abs().max().clamp(min=1e-6))


@pytest.mark.parametrize("name", unet_folders.CASES)
def test_outputs_and_gradients_are_those_of_diffusers(name: str, tmp_path: Path) -> None:
    model, batch = unet_folders.make(name, tmp_path)
    out = model(batch["x"], batch["t"], **unet_folders.told(batch)).sample
    loss = torch.nn.functional.mse_loss(out, batch["target"])
    loss.backward()
    ours = through_the_door(tmp_path)
    assert apart(ours["out"], out.detach()) < 1e-5
    assert apart(ours["loss"], loss.detach().view(1)) < 1e-5
    # Biases in front of a norm of single channels have no gradient but rounding.
    largest = max(float(p.grad.abs().max()) for p in model.parameters() if p.grad is not None)
    for key, parameter in model.named_parameters():
        if parameter.grad is None:
            continue
        error = float((ours[f"gradient.{key}"] - parameter.grad).abs().max())
        assert error < max(1e-4 * float(parameter.grad.abs().max()), 1e-6 * largest), key


WRITTEN = ["adm", "resnet_sampling", "fourier", "no_middle", "ddpm"]
WRITTEN_TOLD = ["sd1", "sd2", "sdxl", "inpainting", "told_mixed", "told_no_middle"]


@pytest.mark.parametrize("name", WRITTEN + WRITTEN_TOLD)
def test_what_is_written_is_what_diffusers_loads(name: str, tmp_path: Path) -> None:
    model, batch = unet_folders.make(name, tmp_path / "unet")
    through_the_door(tmp_path / "unet", tmp_path / "copy")
    again = type(model).from_pretrained(tmp_path / "copy", low_cpu_mem_usage=False).eval()
    with torch.no_grad():
        expected = model(batch["x"], batch["t"], **unet_folders.told(batch)).sample
        got = again(batch["x"], batch["t"], **unet_folders.told(batch)).sample
    assert torch.equal(expected, got)


def test_weights_in_several_files_and_former_names_are_read(tmp_path: Path) -> None:
    model, batch = unet_folders.make("attention", tmp_path)
    model.save_pretrained(tmp_path, max_shard_size="10KB")
    (tmp_path / "diffusion_pytorch_model.safetensors").unlink(missing_ok=True)
    assert len(list(tmp_path.glob("*-of-*.safetensors"))) > 1
    with torch.no_grad():
        expected = model(batch["x"], batch["t"]).sample
    assert apart(through_the_door(tmp_path)["out"], expected) < 1e-5

    former = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    weights = model.state_dict()
    for now, before in former.items():
        weights = {k.replace(f".{now}.", f".{before}."): v for k, v in weights.items()}
    save_file(weights, tmp_path / "diffusion_pytorch_model.safetensors")
    assert apart(through_the_door(tmp_path)["out"], expected) < 1e-5
