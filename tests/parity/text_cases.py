"""The numbers of gradatim/neural/text/text_transformer_test.cc, by transformers' CLIPTextModel.

python tests/parity/text_cases.py
"""

from __future__ import annotations

import numpy as np
import torch
from transformers import CLIPTextConfig, CLIPTextModel


def formula(name: str, count: int) -> np.ndarray:
    waves = np.sin(0.1 * sum(name.encode()) + 0.618 * np.arange(count))
    is_gain = "norm" in name and name.endswith("weight")
    return 1.0 + 0.2 * waves if is_gain else 0.4 * waves


def model_of(activation: str) -> CLIPTextModel:
    config = CLIPTextConfig(
        vocab_size=11,
        hidden_size=6,
        intermediate_size=10,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=5,
        hidden_act=activation,
    )
    model = CLIPTextModel(config).eval()
    for name, value in model.named_parameters():
        numbers = formula(name.removeprefix("text_model."), value.numel())
        value.data.copy_(torch.tensor(numbers).view(value.shape))
    return model


def main() -> None:
    ids = torch.tensor([[9, 3, 7, 10, 10], [9, 1, 10, 0, 0]])
    for activation in ("quick_gelu", "gelu"):
        model = model_of(activation)
        with torch.no_grad():
            out = model(ids, output_hidden_states=True)
            final = getattr(model, "text_model", model).final_layer_norm
            for skip in (0, 1):
                state = out.last_hidden_state if skip == 0 else final(out.hidden_states[-2])
                numbers = ", ".join(f"{x:.8f}" for x in state[:, ::2, ::3].flatten().tolist())
                print(f"{activation} {skip}: {{{numbers}}}")


if __name__ == "__main__":
    main()
