"""Random-weight folders of UNet2DModel and UNet2DConditionModel for test_unet.py, with inputs.

They are made where diffusers is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers import UNet2DConditionModel, UNet2DModel
from safetensors.torch import save_file

SMALL = {"block_out_channels": (8, 16), "norm_num_groups": 4, "sample_size": 8}
PLAIN = {"down_block_types": ("DownBlock2D",) * 2, "up_block_types": ("UpBlock2D",) * 2}
ATTENTION = {
    "down_block_types": ("DownBlock2D", "AttnDownBlock2D"),
    "up_block_types": ("AttnUpBlock2D", "UpBlock2D"),
}
TOLD = {
    "block_out_channels": (8, 16),
    "norm_num_groups": 4,
    "sample_size": 8,
    "layers_per_block": 1,
    "attention_head_dim": 2,
    "cross_attention_dim": 12,
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
}
THREE = {
    "block_out_channels": (8, 16, 24),
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
}
# Those with cross_attention_dim are UNet2DConditionModel.
CASES: dict[str, dict[str, Any]] = {
    "plain": SMALL | PLAIN,
    "attention": SMALL | ATTENTION | {"attention_head_dim": 4},
    "adm": SMALL
    | ATTENTION
    | {
        "resnet_time_scale_shift": "scale_shift",
        "attention_head_dim": 8,
        "num_class_embeds": 5,
        "downsample_type": "resnet",
        "upsample_type": "resnet",
    },
    "resnet_sampling": SMALL
    | {
        "down_block_types": ("ResnetDownsampleBlock2D", "AttnDownBlock2D"),
        "up_block_types": ("AttnUpBlock2D", "UpBlock2D"),
        "resnet_time_scale_shift": "scale_shift",
        "attn_norm_num_groups": 2,
        "mid_block_scale_factor": 1.4142,
    },
    "ddpm": SMALL
    | ATTENTION
    | {
        "attention_head_dim": None,
        "flip_sin_to_cos": False,
        "freq_shift": 1,
        "downsample_padding": 0,
        "norm_eps": 1e-6,
        "layers_per_block": 1,
    },
    "fourier": SMALL
    | PLAIN
    | {"time_embedding_type": "fourier", "time_embedding_dim": 24, "center_input_sample": True},
    "no_middle": SMALL | PLAIN | {"mid_block_type": None, "act_fn": "gelu", "out_channels": 6},
    "no_middle_attention": SMALL | PLAIN | {"add_attention": False, "act_fn": "mish"},
    "wide_heads": SMALL
    | ATTENTION
    | {"block_out_channels": (40, 72), "attention_head_dim": 36, "sample_size": (12, 20)},
    "widest_head": SMALL
    | ATTENTION
    | {
        "block_out_channels": (16, 128),
        "attention_head_dim": None,
        "in_channels": 1,
        "out_channels": 2,
    },
    "usual": {
        "sample_size": 32,
        "in_channels": 1,
        "out_channels": 1,
        "block_out_channels": (32, 64, 128),
        "down_block_types": ("DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D"),
        "up_block_types": ("AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D"),
    },
    "sd1": TOLD | {"layers_per_block": 2, "num_class_embeds": 4},
    "sd2": TOLD | THREE | {"attention_head_dim": (1, 2, 3), "use_linear_projection": True},
    "sdxl": TOLD
    | THREE
    | {"transformer_layers_per_block": (1, 2, 3), "resnet_time_scale_shift": "scale_shift"},
    "inpainting": TOLD | THREE | {"in_channels": 9, "sample_size": (11, 6)},
    "told_mish": TOLD | {"act_fn": "mish", "mid_block_scale_factor": 1.5, "flip_sin_to_cos": False},
    "told_wide": TOLD | {"block_out_channels": (24, 144), "sample_size": (36, 40)},
    "told_mixed": TOLD
    | THREE
    | {
        "attention_head_dim": (4, 2, 4),
        "down_block_types": ("AttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D", "AttnUpBlock2D"),
    },
    "told_no_middle": TOLD | {"mid_block_type": None, "out_channels": 8},
}


def told(batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """What the model is called with besides x and t."""
    words = {"labels": "class_labels", "context": "encoder_hidden_states"}
    return {words[name]: value for name, value in batch.items() if name in words}


def make(name: str, folder: Path, rows: int = 3) -> tuple[torch.nn.Module, dict[str, torch.Tensor]]:
    """The model, saved in `folder`, and a batch, saved beside it as batch.safetensors."""
    torch.manual_seed(sum(map(ord, name)))
    case = CASES[name]
    width = case.get("cross_attention_dim")
    model = (UNet2DModel if width is None else UNet2DConditionModel)(**case).eval()
    model.save_pretrained(folder)
    size = model.config.sample_size
    sides = (size, size) if isinstance(size, int) else tuple(size)
    batch = {
        "x": torch.randn(rows, model.config.in_channels, *sides),
        "t": torch.randint(1, 1000, (rows,)).float(),
        "target": torch.randn(rows, model.config.out_channels, *sides),
    }
    if width is not None:
        batch["context"] = torch.randn(rows, 5, width)
    if model.config.num_class_embeds is not None:
        batch["labels"] = torch.randint(model.config.num_class_embeds, (rows,))
    save_file(batch, folder / "batch.safetensors")
    return model, batch
