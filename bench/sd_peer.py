"""Times diffusers' networks: bench/sd_peer.py unet|decode|text FOLDER SIDE REPEATS THREADS WAY

WAY is eager, channels_last or compile. Prints what build/bench/sd_time prints, for the same weights
and the same work: unet is a guided step of two rows, decode one image, text two prompts.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from peak_memory import peak_mb
from since_start import seconds_since_start


def unet(folder: str, side: int, way: str) -> Callable[[], Any]:
    from diffusers import UNet2DConditionModel

    model = UNet2DConditionModel.from_pretrained(folder, torch_dtype=torch.float32).eval()
    x, context = torch.randn(2, 4, side // 8, side // 8), torch.randn(2, 77, 768)
    t = torch.tensor(500)
    network = prepared(model, way)
    if way != "eager":
        x = x.to(memory_format=torch.channels_last)
    return lambda: network(x, t, encoder_hidden_states=context).sample


def decode(folder: str, side: int, way: str) -> Callable[[], Any]:
    from diffusers import AutoencoderKL

    model = AutoencoderKL.from_pretrained(folder, torch_dtype=torch.float32).eval()
    z = torch.randn(1, 4, side // 8, side // 8)
    if way != "eager":
        model = model.to(memory_format=torch.channels_last)
        z = z.to(memory_format=torch.channels_last)
    if way == "compile":
        model.decode = torch.compile(model.decode)
    return lambda: model.decode(z).sample


def text(folder: str, side: int, way: str) -> Callable[[], Any]:
    from transformers import CLIPTextModel

    model = CLIPTextModel.from_pretrained(folder, dtype=torch.float32).eval()
    ids = torch.randint(49408, (2, 77))
    network = torch.compile(model) if way == "compile" else model
    return lambda: network(ids).last_hidden_state


def prepared(model: torch.nn.Module, way: str) -> torch.nn.Module:
    if way == "eager":
        return model
    model = model.to(memory_format=torch.channels_last)
    return torch.compile(model) if way == "compile" else model


def main() -> None:
    work, folder, side, repeats, threads, way = sys.argv[1:7]
    torch.set_num_threads(int(threads))
    torch.manual_seed(1)
    if way == "compile":
        from torch._inductor import config

        config.freezing = True
    times, start = [], 0.0
    with torch.no_grad():
        step = {"unet": unet, "decode": decode, "text": text}[work](folder, int(side), way)
        for _ in range(1 + int(repeats)):
            begin = time.perf_counter()
            step()
            times.append(time.perf_counter() - begin)
            start = start or seconds_since_start()
    result = {"first": times[0], "start": start, "seconds": times[1:], "peak_mb": peak_mb()}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
