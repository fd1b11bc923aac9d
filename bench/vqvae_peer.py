"""Times whole steps of a VQ-VAE: bench/vqvae_peer.py SYSTEM STEPS THREADS

SYSTEM is gradatim, or torch: the same network in PyTorch (channels-last) around
vector-quantize-pytorch's moving averages, with Adam(fused=True) and an average of the parameters.
128 grey images of 32 x 32, 128 channels, two residual blocks, 8 x 8 places, 512 codes of 64
numbers. Prints the seconds of each step, behind some that warm up, the loss at the end and, of 512
other images, the squared error in states from -1 to 1 and the perplexity of their codes.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np
from peak_memory import peak_mb

BATCH, SIDE, WIDTH, INNER, CODES, DIMS, WARM = 128, 32, 128, 32, 512, 64, 5


def images(seed: int = 0) -> np.ndarray:
    """Soft blobs: something that can be learned."""
    draws = np.random.default_rng(seed)
    at, size = draws.uniform(8, 24, (512, 2, 1, 1)), draws.uniform(2, 6, (512, 1, 1))
    y, x = np.mgrid[:SIDE, :SIDE]
    far = (y - at[:, 0]) ** 2 + (x - at[:, 1]) ** 2
    return np.round(255 * np.exp(-far / (2 * size**2))).astype(np.uint8)


def perplexity(codes: np.ndarray) -> float:
    shares = np.bincount(codes.ravel()) / codes.size
    return float(np.exp(-sum(p * np.log(p) for p in shares if p > 0)))


def gradatim(steps: int, threads: int) -> tuple[list[float], dict[str, float]]:
    from gradatim.neural import VQVAE
    from gradatim.neural.autoencoder import Conv
    from gradatim.neural.code_prior import Transformer
    from gradatim.neural.quantizer import MovingAverage
    from gradatim.neural.training import Adamw

    marks: list[float] = []

    def on_step(step: int, of: int, seconds: float, metrics: dict[str, float]) -> None:
        if of == steps + WARM:
            marks.append(time.perf_counter())

    model = VQVAE(
        autoencoder=Conv(channels=WIDTH, residual_channels=INNER, code_width=DIMS),
        quantizer=MovingAverage(codes=CODES),
        prior=Transformer(width=8, layers=1, heads=1, training=Adamw(steps=1, batch_size=1)),
        steps=steps + WARM,
        batch_size=BATCH,
        schedule="constant",
        warmup_steps=0,
        n_jobs=threads,
    )
    model.fit(images(), on_step=on_step)
    other = images(2)
    error = (model.reconstruct(other).astype(float) - other) / 127.5
    return np.diff(marks)[WARM - 1 :].tolist(), {
        "loss": float(model.history_["train.loss"][-1]),
        "held_out_error": float((error**2).mean()),
        "perplexity": perplexity(model.encode(other)),
    }


def peer(steps: int, threads: int) -> tuple[list[float], dict[str, float]]:
    import torch
    from torch import nn
    from vector_quantize_pytorch import VectorQuantize

    torch.set_num_threads(threads)
    torch.manual_seed(0)

    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Conv2d(WIDTH, INNER, 3, padding=1)
            self.second = nn.Conv2d(INNER, WIDTH, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + self.second(torch.relu(self.first(torch.relu(x))))

    encoder = nn.Sequential(
        nn.Conv2d(1, WIDTH // 2, 4, 2, 1),
        nn.ReLU(inplace=True),
        nn.Conv2d(WIDTH // 2, WIDTH, 4, 2, 1),
        nn.ReLU(inplace=True),
        nn.Conv2d(WIDTH, WIDTH, 3, padding=1),
        Residual(),
        Residual(),
        nn.ReLU(),
        nn.Conv2d(WIDTH, DIMS, 1),
    )
    decoder = nn.Sequential(
        nn.Conv2d(DIMS, WIDTH, 3, padding=1),
        Residual(),
        Residual(),
        nn.ReLU(),
        nn.ConvTranspose2d(WIDTH, WIDTH // 2, 4, 2, 1),
        nn.ReLU(inplace=True),
        nn.ConvTranspose2d(WIDTH // 2, 1, 4, 2, 1),
    )
    quantizer = VectorQuantize(
        DIMS, CODES, decay=0.99, commitment_weight=0.25, rotation_trick=False, kmeans_init=True
    )
    encoder, decoder = (part.to(memory_format=torch.channels_last) for part in (encoder, decoder))
    learned = [*encoder.parameters(), *decoder.parameters()]
    average = [p.detach().clone() for p in learned]
    optimizer = torch.optim.Adam(learned, lr=1e-3, fused=True)
    all_images = torch.from_numpy(images()).float()[:, None] / 127.5 - 1.0
    draws = np.random.default_rng(1)
    times, loss = [], 0.0
    for _ in range(WARM + steps):
        begin = time.perf_counter()
        rows = torch.from_numpy(draws.integers(0, len(all_images), BATCH))
        x = all_images[rows].contiguous(memory_format=torch.channels_last)
        z = encoder(x)
        seen, _, commitment = quantizer(z.permute(0, 2, 3, 1).reshape(1, -1, DIMS))
        back = seen.reshape(BATCH, SIDE // 4, SIDE // 4, DIMS).permute(0, 3, 1, 2)
        lost = nn.functional.mse_loss(decoder(back), x)
        optimizer.zero_grad(set_to_none=True)
        (lost + commitment.sum()).backward()
        nn.utils.clip_grad_norm_(learned, 1.0)
        optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(average, learned, 0.001)
        loss = lost.item()
        times.append(time.perf_counter() - begin)
    quantizer.eval()
    with torch.no_grad():
        x = torch.from_numpy(images(2)).float()[:, None] / 127.5 - 1.0
        z = encoder(x.contiguous(memory_format=torch.channels_last))
        seen, codes, _ = quantizer(z.permute(0, 2, 3, 1).reshape(1, -1, DIMS))
        back = seen.reshape(len(x), SIDE // 4, SIDE // 4, DIMS).permute(0, 3, 1, 2)
        error = nn.functional.mse_loss(decoder(back).clamp(-1.0, 1.0), x).item()
    return times[WARM:], {
        "loss": loss,
        "held_out_error": error,
        "perplexity": perplexity(codes.numpy()),
    }


def main() -> None:
    system, steps, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    times, learned = (gradatim if system == "gradatim" else peer)(steps, threads)
    print(json.dumps({"seconds": times, "peak_mb": peak_mb(), **learned}))


if __name__ == "__main__":
    main()
