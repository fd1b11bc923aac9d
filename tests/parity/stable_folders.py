"""Checkpoints of Stable Diffusion with random weights, as diffusers writes them, for
test_stable_diffusion.py: version 1, version 2 and one that draws within a mask.

They are made where diffusers and transformers are. Their tokenizer has 256 bytes, 256 that end a
word, and the words below."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from clip_files import write_clip_files, write_files
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    PNDMScheduler,
    StableDiffusionInpaintPipeline,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

PROMPTS = "a painting of squirrel eating burger the photo cat blurry sunset in oil , castle"
WORDS = PROMPTS.split()
BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
SCHEDULER = BETAS | {"set_alpha_to_one": False, "steps_offset": 1}
UNET = {
    "block_out_channels": (8, 16),
    "layers_per_block": 1,
    "norm_num_groups": 4,
    "sample_size": 8,
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
    "cross_attention_dim": 12,
}
AUTOENCODER = {
    "block_out_channels": (4, 4, 8, 8),  # a latent is of 8 x 8 pixels, as usual
    "latent_channels": 4,
    "norm_num_groups": 2,
    "sample_size": 64,
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
}
TEXT = {
    "vocab_size": 640,
    "hidden_size": 12,
    "intermediate_size": 20,
    "num_attention_heads": 3,
    "num_hidden_layers": 3,
    "projection_dim": 12,
}


def merges() -> list[str]:
    """Those that join the letters of each word from its first on."""
    found: dict[str, None] = {}
    for word in WORDS:
        symbols = [*word[:-1], word[-1] + "</w>"]
        for k in range(1, len(symbols)):
            found["".join(symbols[:k]) + " " + symbols[k]] = None
    return list(found)


def tokenizer(folder: Path, pad: str, packed: Path | None) -> CLIPTokenizer:
    folder.mkdir(parents=True)
    if packed is None:
        write_files(merges(), folder)
    else:
        write_clip_files(packed, folder)
    return CLIPTokenizer.from_pretrained(folder, pad_token=pad, model_max_length=77)


KINDS: dict[str, dict[str, Any]] = {
    "sd1": {"unet": {"attention_head_dim": 2}, "act": "quick_gelu", "pad": "<|endoftext|>"},
    "sd2": {
        "unet": {"attention_head_dim": (1, 2), "use_linear_projection": True},
        "act": "gelu",
        "pad": "!",
    },
    "inpainting": {
        "unet": {"attention_head_dim": 2, "in_channels": 9},
        "act": "quick_gelu",
        "pad": "<|endoftext|>",
    },
}


def scheduler_of(kind: str) -> DDIMScheduler | PNDMScheduler:
    if kind == "sd2":
        return DDIMScheduler(**SCHEDULER, clip_sample=False, prediction_type="v_prediction")
    return PNDMScheduler(**SCHEDULER, skip_prk_steps=True)


def make(
    kind: str, folder: Path, packed: Path | None = None
) -> StableDiffusionPipeline | StableDiffusionInpaintPipeline:
    """The pipeline; it is saved in `folder`. `packed` is CLIP's own vocabulary, to take that."""
    case = KINDS[kind]
    words = TEXT if packed is None else TEXT | {"vocab_size": 49_408}
    torch.manual_seed(sum(map(ord, kind)))
    unet = UNet2DConditionModel(**UNET | case["unet"]).eval()
    autoencoder = AutoencoderKL(**AUTOENCODER).eval()
    text = CLIPTextModel(CLIPTextConfig(**words, hidden_act=case["act"])).eval()
    with torch.no_grad():  # so that a prompt matters much
        for name, value in text.named_parameters():
            if "norm" not in name:
                value.mul_(2.0)
    of = StableDiffusionInpaintPipeline if kind == "inpainting" else StableDiffusionPipeline
    pipeline = of(
        unet=unet,
        vae=autoencoder,
        text_encoder=text,
        tokenizer=tokenizer(folder / "words", case["pad"], packed),
        scheduler=scheduler_of(kind),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.set_progress_bar_config(disable=True)
    pipeline.save_pretrained(folder)
    return pipeline
