"""A checkpoint of Stable Diffusion in diffusers' layout, tiny and with random weights.

python tests/checkpoints/tiny.py FOLDER [--inpainting]

It needs nothing but Python, so that tests of the command can make one.
"""

import argparse
import array
import json
import math
import random
import struct
from collections.abc import Iterator
from pathlib import Path

CHANNELS, LATENT, WIDTH, TOKENS, GROUPS = (4, 8), 4, 8, 77, 2
TIME = 4 * CHANNELS[0]
MERGES = [("c", "a"), ("ca", "t</w>"), ("d", "o"), ("do", "g</w>"), ("r", "e"), ("re", "d</w>")]

Shapes = dict[str, tuple[int, ...]]


def convolution(name: str, into: int, out: int, size: int = 3) -> Shapes:
    return {f"{name}.weight": (out, into, size, size), f"{name}.bias": (out,)}


def linear(name: str, into: int, out: int, bias: bool = True) -> Shapes:
    return {f"{name}.weight": (out, into)} | ({f"{name}.bias": (out,)} if bias else {})


def norm(name: str, width: int) -> Shapes:
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def residual(name: str, into: int, out: int, time: int = 0) -> Shapes:
    shapes = norm(f"{name}.norm1", into) | convolution(f"{name}.conv1", into, out)
    shapes |= linear(f"{name}.time_emb_proj", time, out) if time else {}
    shapes |= norm(f"{name}.norm2", out) | convolution(f"{name}.conv2", out, out)
    return shapes | (convolution(f"{name}.conv_shortcut", into, out, 1) if into != out else {})


def transformer(name: str, width: int) -> Shapes:
    shapes = norm(f"{name}.norm", width) | convolution(f"{name}.proj_in", width, width, 1)
    block = f"{name}.transformer_blocks.0"
    for k, source in ((1, width), (2, WIDTH)):
        shapes |= norm(f"{block}.norm{k}", width)
        shapes |= linear(f"{block}.attn{k}.to_q", width, width, bias=False)
        for part in ("to_k", "to_v"):
            shapes |= linear(f"{block}.attn{k}.{part}", source, width, bias=False)
        shapes |= linear(f"{block}.attn{k}.to_out.0", width, width)
    shapes |= norm(f"{block}.norm3", width) | linear(f"{block}.ff.net.0.proj", width, 8 * width)
    shapes |= linear(f"{block}.ff.net.2", 4 * width, width)
    return shapes | convolution(f"{name}.proj_out", width, width, 1)


def unet(into: int) -> Shapes:
    fine, coarse = CHANNELS
    shapes = convolution("conv_in", into, fine)
    shapes |= linear("time_embedding.linear_1", fine, TIME)
    shapes |= linear("time_embedding.linear_2", TIME, TIME)
    shapes |= residual("down_blocks.0.resnets.0", fine, fine, TIME)
    shapes |= convolution("down_blocks.0.downsamplers.0.conv", fine, fine)
    shapes |= residual("down_blocks.1.resnets.0", fine, coarse, TIME)
    shapes |= transformer("down_blocks.1.attentions.0", coarse)
    shapes |= residual("mid_block.resnets.0", coarse, coarse, TIME)
    shapes |= transformer("mid_block.attentions.0", coarse)
    shapes |= residual("mid_block.resnets.1", coarse, coarse, TIME)
    for k, skip in enumerate((coarse, fine)):
        shapes |= residual(f"up_blocks.0.resnets.{k}", coarse + skip, coarse, TIME)
        shapes |= transformer(f"up_blocks.0.attentions.{k}", coarse)
    shapes |= convolution("up_blocks.0.upsamplers.0.conv", coarse, coarse)
    for k, before in enumerate((coarse, fine)):
        shapes |= residual(f"up_blocks.1.resnets.{k}", before + fine, fine, TIME)
    return shapes | norm("conv_norm_out", fine) | convolution("conv_out", fine, LATENT)


def middle(name: str, width: int) -> Shapes:
    shapes = residual(f"{name}.resnets.0", width, width) | residual(
        f"{name}.resnets.1", width, width
    )
    shapes |= norm(f"{name}.attentions.0.group_norm", width)
    for part in ("to_q", "to_k", "to_v", "to_out.0"):
        shapes |= linear(f"{name}.attentions.0.{part}", width, width)
    return shapes


def autoencoder() -> Shapes:
    fine, coarse = CHANNELS
    shapes = convolution("encoder.conv_in", 3, fine)
    shapes |= residual("encoder.down_blocks.0.resnets.0", fine, fine)
    shapes |= convolution("encoder.down_blocks.0.downsamplers.0.conv", fine, fine)
    shapes |= residual("encoder.down_blocks.1.resnets.0", fine, coarse)
    shapes |= middle("encoder.mid_block", coarse) | norm("encoder.conv_norm_out", coarse)
    shapes |= convolution("encoder.conv_out", coarse, 2 * LATENT)
    shapes |= convolution("quant_conv", 2 * LATENT, 2 * LATENT, 1)
    shapes |= convolution("post_quant_conv", LATENT, LATENT, 1)
    shapes |= convolution("decoder.conv_in", LATENT, coarse) | middle("decoder.mid_block", coarse)
    for k in range(2):
        shapes |= residual(f"decoder.up_blocks.0.resnets.{k}", coarse, coarse)
        shapes |= residual(f"decoder.up_blocks.1.resnets.{k}", fine if k else coarse, fine)
    shapes |= convolution("decoder.up_blocks.0.upsamplers.0.conv", coarse, coarse)
    return shapes | norm("decoder.conv_norm_out", fine) | convolution("decoder.conv_out", fine, 3)


def text(vocabulary: int) -> Shapes:
    shapes: Shapes = {
        "text_model.embeddings.token_embedding.weight": (vocabulary, WIDTH),
        "text_model.embeddings.position_embedding.weight": (TOKENS, WIDTH),
    }
    for k in range(2):
        layer = f"text_model.encoder.layers.{k}"
        shapes |= norm(f"{layer}.layer_norm1", WIDTH) | norm(f"{layer}.layer_norm2", WIDTH)
        for part in "kqv":
            shapes |= linear(f"{layer}.self_attn.{part}_proj", WIDTH, WIDTH)
        shapes |= linear(f"{layer}.self_attn.out_proj", WIDTH, WIDTH)
        shapes |= linear(f"{layer}.mlp.fc1", WIDTH, 2 * WIDTH)
        shapes |= linear(f"{layer}.mlp.fc2", 2 * WIDTH, WIDTH)
    return shapes | norm("text_model.final_layer_norm", WIDTH)


def letters() -> list[str]:
    """The letter of each byte, as byte pairs of this family have them."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return [chr(byte if byte in plain else next(others)) for byte in range(256)]


def vocabulary() -> dict[str, int]:
    single = letters()
    tokens = [*single, *(letter + "</w>" for letter in single)]
    tokens += [a + b for a, b in MERGES] + ["<|startoftext|>", "<|endoftext|>"]
    return {token: number for number, token in enumerate(tokens)}


def numbers(name: str, shape: tuple[int, ...], draws: random.Random) -> Iterator[float]:
    gain = "norm" in name and name.endswith("weight")
    deviation = 1.0 / math.sqrt(max(1, math.prod(shape[1:])))
    for _ in range(math.prod(shape)):
        yield 1.0 + 0.1 * draws.gauss(0, 1) if gain else deviation * draws.gauss(0, 1)


def write_weights(path: Path, shapes: Shapes, seed: int) -> None:
    draws, header, data = random.Random(seed), {}, b""
    for name, shape in sorted(shapes.items()):
        begin = len(data)
        data += array.array("f", numbers(name, shape, draws)).tobytes()
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [begin, len(data)]}
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    path.write_bytes(struct.pack("<Q", len(head)) + head + data)


def write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def write_checkpoint(folder: Path, inpainting: bool = False) -> None:
    into = 2 * LATENT + 1 if inpainting else LATENT
    tokens = vocabulary()
    parts = {
        "unet": ("diffusers", "UNet2DConditionModel"),
        "vae": ("diffusers", "AutoencoderKL"),
        "text_encoder": ("transformers", "CLIPTextModel"),
        "tokenizer": ("transformers", "CLIPTokenizer"),
        "scheduler": ("diffusers", "PNDMScheduler"),
    }
    for part in parts:
        (folder / part).mkdir(parents=True, exist_ok=True)
    pipeline = "StableDiffusionInpaintPipeline" if inpainting else "StableDiffusionPipeline"
    write_json(folder / "model_index.json", {"_class_name": pipeline} | parts)
    write_json(
        folder / "unet" / "config.json",
        {
            "_class_name": "UNet2DConditionModel",
            "sample_size": 16,
            "in_channels": into,
            "out_channels": LATENT,
            "block_out_channels": CHANNELS,
            "layers_per_block": 1,
            "norm_num_groups": GROUPS,
            "cross_attention_dim": WIDTH,
            "attention_head_dim": 2,
            "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D"],
            "up_block_types": ["CrossAttnUpBlock2D", "UpBlock2D"],
        },
    )
    write_json(
        folder / "vae" / "config.json",
        {
            "_class_name": "AutoencoderKL",
            "sample_size": 32,
            "latent_channels": LATENT,
            "block_out_channels": CHANNELS,
            "norm_num_groups": GROUPS,
            "down_block_types": ["DownEncoderBlock2D"] * 2,
            "up_block_types": ["UpDecoderBlock2D"] * 2,
        },
    )
    write_json(
        folder / "text_encoder" / "config.json",
        {
            "architectures": ["CLIPTextModel"],
            "vocab_size": len(tokens),
            "hidden_size": WIDTH,
            "intermediate_size": 2 * WIDTH,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "max_position_embeddings": TOKENS,
            "hidden_act": "quick_gelu",
            "bos_token_id": tokens["<|startoftext|>"],
            "eos_token_id": tokens["<|endoftext|>"],
            "pad_token_id": tokens["<|endoftext|>"],
        },
    )
    write_json(
        folder / "scheduler" / "scheduler_config.json",
        {
            "_class_name": "PNDMScheduler",
            "num_train_timesteps": 1000,
            "beta_start": 0.00085,
            "beta_end": 0.012,
            "beta_schedule": "scaled_linear",
            "skip_prk_steps": True,
            "set_alpha_to_one": False,
            "steps_offset": 1,
        },
    )
    write_json(folder / "tokenizer" / "vocab.json", tokens)
    merges = "".join(f"{a} {b}\n" for a, b in MERGES)
    (folder / "tokenizer" / "merges.txt").write_text("#version: 0.2\n" + merges, encoding="utf-8")
    special = {f"{name}_token": "<|endoftext|>" for name in ("eos", "pad", "unk")}
    write_json(
        folder / "tokenizer" / "special_tokens_map.json",
        special | {"bos_token": "<|startoftext|>"},
    )
    write_json(
        folder / "tokenizer" / "tokenizer_config.json",
        {"tokenizer_class": "CLIPTokenizer", "model_max_length": TOKENS, "do_lower_case": True},
    )
    write_weights(folder / "unet" / "diffusion_pytorch_model.safetensors", unet(into), 1)
    write_weights(folder / "vae" / "diffusion_pytorch_model.safetensors", autoencoder(), 2)
    write_weights(folder / "text_encoder" / "model.safetensors", text(len(tokens)), 3)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--inpainting", action="store_true")
    asked = parser.parse_args()
    write_checkpoint(asked.folder, asked.inpainting)
