"""convert(): layouts of Stable Diffusion, and pickled weights, which are read here alone."""

import json
import os
import pickle
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import gradatim

torch = pytest.importorskip("torch", reason="torch is not installed")

MAKER = Path(__file__).parents[1] / "checkpoints/tiny.py"
UNET = "unet/diffusion_pytorch_model"
TEXT = "text_encoder/model"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoint") / "tiny"
    subprocess.run([sys.executable, MAKER, folder], check=True)
    return folder


def arrays(path):
    """Bytes, type and shape by name."""
    data = Path(path).read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    header.pop("__metadata__", None)
    found = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        found[name] = (
            entry["dtype"],
            tuple(entry["shape"]),
            data[8 + size + begin : 8 + size + end],
        )
    return found


def tensors(path):
    return {
        name: torch.from_numpy(np.frombuffer(data, np.float32).reshape(shape).copy())
        for name, (_, shape, data) in arrays(path).items()
    }


def code_of(act):
    with pytest.raises(gradatim.GradatimError) as raised:
        act()
    assert "\n" not in str(raised.value)
    return raised.value.code


def test_a_folder_a_file_and_a_folder_again(tiny, tmp_path):
    gradatim.convert(tiny, tmp_path / "single.safetensors")
    gradatim.convert(tmp_path / "single.safetensors", tmp_path / "back")
    for name in (UNET, "vae/diffusion_pytorch_model", TEXT):
        file = f"{name}.safetensors"
        assert arrays(tmp_path / "back" / file) == arrays(tiny / file)


def test_pickled_weights_become_safetensors_with_the_same_bytes(tiny, tmp_path):
    gradatim.convert(tiny, tmp_path / "single.safetensors")
    expected = arrays(tmp_path / "single.safetensors")
    torch.save(
        {"state_dict": tensors(tmp_path / "single.safetensors"), "global_step": 7},
        tmp_path / "single.ckpt",
    )
    gradatim.convert(tmp_path / "single.ckpt", tmp_path / "plain.safetensors")
    assert arrays(tmp_path / "plain.safetensors") == expected
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        gradatim.convert(tmp_path / "single.ckpt", tmp_path / "folder")
    assert any("norms" in str(each.message) for each in told)
    assert arrays(tmp_path / f"folder/{UNET}.safetensors") == arrays(tiny / f"{UNET}.safetensors")
    assert not list(tmp_path.glob(".convert*"))


def test_a_folder_of_pickled_weights_is_read(tiny, tmp_path):
    model = tmp_path / "model"
    for path in tiny.rglob("*"):
        if path.is_file() and path.suffix != ".safetensors":
            (model / path.relative_to(tiny)).parent.mkdir(parents=True, exist_ok=True)
            (model / path.relative_to(tiny)).write_bytes(path.read_bytes())
    for name, pickled in ((UNET, f"{UNET}.bin"), (TEXT, "text_encoder/pytorch_model.bin")):
        torch.save(tensors(tiny / f"{name}.safetensors"), model / pickled)
    vae = "vae/diffusion_pytorch_model.safetensors"
    (model / vae).write_bytes((tiny / vae).read_bytes())
    gradatim.convert(model, tmp_path / "single.safetensors")
    gradatim.convert(tiny, tmp_path / "expected.safetensors")
    assert arrays(tmp_path / "single.safetensors") == arrays(tmp_path / "expected.safetensors")
    gradatim.convert(model, tmp_path / "plain")
    assert arrays(tmp_path / f"plain/{UNET}.safetensors") == arrays(tiny / f"{UNET}.safetensors")


class Evil:
    def __reduce__(self):
        return (os.system, ("touch evil",))


def test_what_cannot_be_is_one_line_with_a_code(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "out.safetensors"
    assert code_of(lambda: gradatim.convert("nowhere", out)) == "GRD-2001"
    Path("evil.ckpt").write_bytes(pickle.dumps({"state_dict": Evil()}))
    assert code_of(lambda: gradatim.convert("evil.ckpt", out)) == "GRD-3065"
    assert not Path("evil").exists()
    torch.save({"epoch": 3}, "empty.ckpt")
    assert code_of(lambda: gradatim.convert("empty.ckpt", out)) == "GRD-3065"
    Path("folder").mkdir()
    assert code_of(lambda: gradatim.convert("folder", out)) == "GRD-3073"
    assert code_of(lambda: gradatim.convert("folder", "another")) == "GRD-1002"
    assert code_of(lambda: gradatim.convert("folder", "nowhere/out.safetensors")) == "GRD-2002"
    assert not out.exists()


def test_other_pickled_files_keep_every_type(tmp_path):
    saved = {
        "half": torch.arange(3, dtype=torch.float16),
        "brain": torch.arange(3, dtype=torch.bfloat16),
        "whole": torch.arange(4).reshape(2, 2).T,
        "none": torch.zeros(0, 2),
    }
    torch.save(saved, tmp_path / "lora.pt")
    gradatim.convert(tmp_path / "lora.pt", tmp_path / "lora.safetensors")
    found = arrays(tmp_path / "lora.safetensors")
    assert {name: kind for name, (kind, _, _) in found.items()} == {
        "half": "F16",
        "brain": "BF16",
        "whole": "I64",
        "none": "F32",
    }
    assert np.frombuffer(found["whole"][2], np.int64).tolist() == [0, 2, 1, 3]
