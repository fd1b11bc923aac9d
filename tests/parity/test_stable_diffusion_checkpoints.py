"""Checkpoints of Stable Diffusion between both layouts: what diffusers reads of them.

All are tiny and random, made by diffusers and transformers themselves. Arrays must be equal to the
bit, but for LoRAs, which are added up in float32 in another order: 1e-6 of the largest.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
diffusers = pytest.importorskip("diffusers", reason="diffusers is not installed")
transformers = pytest.importorskip("transformers", reason="transformers is not installed")

from clip_files import write_files  # noqa: E402
from safetensors import safe_open  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402

ROOT = Path(__file__).parents[2]
COMMAND = ROOT / "build/gradatim"
DOOR = ROOT / "build/tests/checkpoint_arrays"

pytestmark = [
    pytest.mark.skipif(not COMMAND.exists(), reason=f"{COMMAND} is not built"),
    pytest.mark.filterwarnings("ignore"),
]

WEIGHTS = (
    "unet/diffusion_pytorch_model.safetensors",
    "vae/diffusion_pytorch_model.safetensors",
    "text_encoder/model.safetensors",
)
KINDS = {
    "sd1": ({"attention_head_dim": 8}, {"hidden_act": "quick_gelu"}, {}),
    "sd2": (
        {"attention_head_dim": [2, 4], "use_linear_projection": True},
        {"hidden_act": "gelu"},
        {"prediction_type": "v_prediction"},
    ),
    "inpainting": ({"attention_head_dim": 8, "in_channels": 9}, {"hidden_act": "quick_gelu"}, {}),
}


def make_tokenizer(folder: Path) -> transformers.CLIPTokenizer:
    folder.mkdir()
    write_files([], folder)
    return transformers.CLIPTokenizer.from_pretrained(folder)


def make(kind: str, folder: Path, tokenizer: object = None):
    more_unet, more_text, more_scheduler = KINDS[kind]
    torch.manual_seed(0)
    unet = diffusers.UNet2DConditionModel(
        sample_size=16,
        block_out_channels=(8, 16),
        layers_per_block=2,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=16,
        norm_num_groups=4,
        **{"in_channels": 4, "out_channels": 4} | more_unet,
    )
    vae = diffusers.AutoencoderKL(
        block_out_channels=(8, 16),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        norm_num_groups=4,
        layers_per_block=2,
        latent_channels=4,
    )
    text = transformers.CLIPTextModel(
        transformers.CLIPTextConfig(
            hidden_size=16,
            intermediate_size=32,
            num_attention_heads=2,
            num_hidden_layers=3,
            vocab_size=600,
            bos_token_id=512,
            eos_token_id=513,
            **more_text,
        )
    )
    pipeline = diffusers.StableDiffusionPipeline(
        unet=unet,
        vae=vae,
        text_encoder=text,
        tokenizer=tokenizer,
        scheduler=diffusers.DDIMScheduler(
            clip_sample=False, set_alpha_to_one=False, steps_offset=1, **more_scheduler
        ),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(folder)
    return pipeline


def convert(source: Path, out: Path, *more: object) -> str:
    words = [COMMAND, "convert", source, "--out", out, "--log", "plain", *map(str, more)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr


def expect_same(ours: dict[str, torch.Tensor], theirs: dict[str, torch.Tensor]) -> None:
    assert set(ours) == set(theirs)
    for name, tensor in theirs.items():
        assert ours[name].dtype == tensor.dtype, name
        assert torch.equal(ours[name], tensor), name


def same(one: object, other: object) -> bool:
    """Lists of files are tuples in memory."""
    return json.dumps(one) == json.dumps(other)


def expect_same_folders(ours: Path, theirs: Path) -> None:
    for name in WEIGHTS:
        expect_same(load_file(ours / name), load_file(theirs / name))
    for name in ("unet/config.json", "vae/config.json", "text_encoder/config.json"):
        assert json.loads((ours / name).read_text()) == json.loads((theirs / name).read_text())


def expect_same_pipelines(ours, theirs) -> None:
    for part in ("unet", "vae", "text_encoder"):
        expect_same(getattr(ours, part).state_dict(), getattr(theirs, part).state_dict())


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_and_back_is_what_it_was(kind: str, tmp_path: Path) -> None:
    make(kind, tmp_path / "model")
    convert(tmp_path / "model", tmp_path / "single.safetensors")
    convert(tmp_path / "single.safetensors", tmp_path / "back")
    expect_same_folders(tmp_path / "back", tmp_path / "model")
    with safe_open(tmp_path / "single.safetensors", "pt") as file:
        names = set(file.keys())
    assert "model.diffusion_model.input_blocks.0.0.weight" in names
    assert "first_stage_model.decoder.up.1.block.2.conv1.weight" in names
    fused = "cond_stage_model.model.transformer.resblocks.2.attn.in_proj_weight" in names
    assert fused == (kind == "sd2")


@pytest.mark.parametrize("kind", KINDS)
def test_diffusers_reads_our_single_file(kind: str, tmp_path: Path) -> None:
    tokenizer = make_tokenizer(tmp_path / "tokenizer")
    pipeline = make(kind, tmp_path / "model", tokenizer)
    convert(tmp_path / "model", tmp_path / "single.safetensors")
    theirs = diffusers.StableDiffusionPipeline.from_single_file(
        tmp_path / "single.safetensors", config=str(tmp_path / "model"), local_files_only=True
    )
    expect_same_pipelines(theirs, pipeline)


def test_diffusers_reads_the_folder_of_a_foreign_file(tmp_path: Path) -> None:
    """Without our metadata: configurations come from the shapes of arrays."""
    pipeline = make("sd1", tmp_path / "model")
    convert(tmp_path / "model", tmp_path / "single.safetensors")
    arrays = load_file(tmp_path / "single.safetensors")
    save_file(arrays, tmp_path / "foreign.safetensors")
    told = convert(tmp_path / "foreign.safetensors", tmp_path / "back")
    assert "groups of norms" in told
    again = diffusers.StableDiffusionPipeline.from_pretrained(tmp_path / "back", tokenizer=None)
    expect_same_pipelines(again, pipeline)
    config = again.unet.config
    for name in ("block_out_channels", "layers_per_block", "cross_attention_dim", "in_channels"):
        assert same(getattr(config, name), getattr(pipeline.unet.config, name))
    assert again.scheduler.config.beta_schedule == "scaled_linear"
    assert again.text_encoder.config.hidden_act == "quick_gelu"


@pytest.mark.parametrize("kind", ["sd1", "sd2"])
@pytest.mark.parametrize("half", [torch.float16, torch.bfloat16], ids=["float16", "bfloat16"])
def test_halves_and_shards_keep_their_bits(kind: str, half: torch.dtype, tmp_path: Path) -> None:
    pipeline = make(kind, tmp_path / "model").to(half)
    pipeline.save_pretrained(tmp_path / "halves", max_shard_size="20KB", variant="fp16")
    assert list((tmp_path / "halves/unet").glob("*.index.*json"))
    convert(tmp_path / "halves", tmp_path / "single.safetensors")
    convert(tmp_path / "single.safetensors", tmp_path / "back")
    again = diffusers.StableDiffusionPipeline.from_pretrained(
        tmp_path / "back", torch_dtype=half, tokenizer=None
    )
    expect_same_pipelines(again, pipeline)


def lora_layers(kind: str) -> dict[str, tuple[int, int]]:
    block = "down_blocks.0.attentions.0.transformer_blocks.0"
    return {
        f"unet.{block}.attn1.to_q": (8, 8),
        f"unet.{block}.attn2.to_k": (8, 16),
        f"unet.{block}.attn2.to_out.0": (8, 8),
        f"unet.{block}.ff.net.0.proj": (64, 8),
        "text_encoder.text_model.encoder.layers.1.self_attn.q_proj": (16, 16),
        "text_encoder.text_model.encoder.layers.2.mlp.fc1": (32, 16),
    }


def kohya(layer: str) -> str:
    network, name = layer.split(".", 1)
    return ("lora_unet_" if network == "unet" else "lora_te_") + name.replace(".", "_")


@pytest.mark.skipif(not DOOR.exists(), reason=f"{DOOR} is not built")
@pytest.mark.parametrize("names", ["kohya", "peft"])
def test_loras_are_merged_as_the_formula_has_it(names: str, tmp_path: Path) -> None:
    make("sd1", tmp_path / "model")
    torch.manual_seed(1)
    rank, alpha, weight = 4, 2.0, 0.7
    arrays, expected = {}, {}
    base = {"unet": load_file(tmp_path / "model" / WEIGHTS[0])}
    base["text_encoder"] = load_file(tmp_path / "model" / WEIGHTS[2])
    for layer, (out, size) in lora_layers("sd1").items():
        up, down = torch.randn(out, rank), torch.randn(rank, size)
        if names == "kohya":
            arrays[f"{kohya(layer)}.lora_up.weight"] = up
            arrays[f"{kohya(layer)}.lora_down.weight"] = down
            arrays[f"{kohya(layer)}.alpha"] = torch.tensor(alpha)
        else:
            arrays[f"{layer}.lora_B.weight"], arrays[f"{layer}.lora_A.weight"] = up, down
        network, name = layer.split(".", 1)
        name = name.removeprefix("text_model.")
        scale = alpha / rank if names == "kohya" else 1.0
        stored = base[network]
        full = name if f"{name}.weight" in stored else f"text_model.{name}"
        change = (up.double() @ down.double()) * (weight * scale)
        expected[f"{network}.{name}.weight"] = stored[f"{full}.weight"].double() + change
    save_file(arrays, tmp_path / "lora.safetensors")
    words = [DOOR, tmp_path / "model", tmp_path / "out.safetensors", tmp_path / "lora.safetensors"]
    done = subprocess.run([*words, str(weight)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    ours = load_file(tmp_path / "out.safetensors")
    for name, tensor in expected.items():
        error = (ours[name].double() - tensor).abs().max() / tensor.abs().max()
        assert error < 1e-6, name
    for name, tensor in base["unet"].items():
        if f"unet.{name}" not in expected:
            assert torch.equal(ours[f"unet.{name}"], tensor), name
