"""Times diffusers' network: bench/neural_peer.py train|sample FOLDER ROWS REPEATS THREADS WAY

WAY is eager, channels_last, compile or compile_channels_last. Prints what build/bench/unet_time
prints, for the same weights and the same work.
"""

from __future__ import annotations

import json
import sys
import time

import torch
from diffusers import UNet2DModel
from peak_memory import peak_mb


def main() -> None:
    mode, folder, rows, repeats, threads, way = sys.argv[1:7]
    torch.set_num_threads(int(threads))
    torch.manual_seed(1)
    model = UNet2DModel.from_pretrained(folder, low_cpu_mem_usage=False)
    model.train(mode == "train")
    size = model.config.sample_size
    layout = torch.channels_last if "channels_last" in way else torch.contiguous_format
    model = model.to(memory_format=layout)
    x = torch.randn(int(rows), model.config.in_channels, size, size)
    t, target = torch.randint(1000, (int(rows),)), torch.randn_like(x)
    x = x.to(memory_format=layout)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
    network = torch.compile(model) if "compile" in way else model
    times, loss = [], 0.0
    for _ in range(2 + int(repeats)):
        begin = time.perf_counter()
        if mode == "train":
            optimizer.zero_grad()
            error = torch.nn.functional.mse_loss(network(x, t).sample, target)
            error.backward()
            optimizer.step()
            loss = float(error)
        else:
            with torch.inference_mode():
                noise = network(x, t).sample
                x = (x - 0.6 * noise) * (0.81 / 0.8) + 0.58 * noise
        times.append(time.perf_counter() - begin)
    print(json.dumps({"seconds": times[2:], "loss": loss, "peak_mb": peak_mb()}))


if __name__ == "__main__":
    main()
