"""Times vector-quantize-pytorch: bench/quantizer_peer.py NAME CODES DIMS VECTORS REPEATS THREADS

NAME is moving_average, nearest (codes that learn by gradient) or finite_scalar. A step is forward
and backward, and moving averages with it; there is no rotation trick, which would cost more. Prints
the seconds of each of REPEATS steps, behind some that warm up.
"""

from __future__ import annotations

import json
import sys
import time

import torch
from peak_memory import peak_mb


def made(name: str, codes: int, dims: int) -> torch.nn.Module:
    from vector_quantize_pytorch import FSQ, VectorQuantize

    if name == "finite_scalar":
        return FSQ([8, 5, 5, 5], dim=dims)
    how = {"learnable_codebook": True, "ema_update": False} if name == "nearest" else {}
    return VectorQuantize(
        dims, codes, decay=0.99, commitment_weight=0.25, rotation_trick=False, **how
    )


def main() -> None:
    name, codes, dims, vectors, repeats, threads = sys.argv[1:7]
    torch.set_num_threads(int(threads))
    torch.manual_seed(1)
    quantizer = made(name, int(codes), int(dims))
    z = torch.randn(1, int(vectors), int(dims), requires_grad=True)
    by = torch.randn_like(z)
    times = []
    for _ in range(5 + int(repeats)):
        begin = time.perf_counter()
        z.grad = None
        quantizer.zero_grad()
        seen, _, *loss = quantizer(z)
        outputs = [seen, *(each.sum() for each in loss)]
        torch.autograd.backward(outputs, [by, *(torch.ones(()) for _ in loss)])
        times.append(time.perf_counter() - begin)
    print(json.dumps({"seconds": times[5:], "peak_mb": peak_mb()}))


if __name__ == "__main__":
    main()
