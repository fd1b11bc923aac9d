"""What vector-quantize-pytorch makes of a small case: tests/parity/quantizers.py > numbers.

Prints gradatim/neural/quantize/peer_testing.h, with which codebook_test.cc compares. It needs
.venv-diffusers (tools/setup.sh diffusers).
"""

from __future__ import annotations

import torch
from vector_quantize_pytorch import FSQ, ResidualVQ, VectorQuantize

VECTORS, DIMS, CODES, STEPS = 12, 4, 5, 3


def wave(rows: int, columns: int, phase: float) -> torch.Tensor:
    """sin(phase + 3 i + 7 j), as the C++ test has it."""
    i, j = torch.arange(rows).double()[:, None], torch.arange(columns).double()[None]
    return torch.sin(phase + 3 * i + 7 * j).float()


def show(name: str, values: torch.Tensor, kind: str = "float") -> None:
    suffix = "F" if kind == "float" else ""
    numbers = [f"{v:.8g}" for v in values.flatten().tolist()]
    if kind == "float":
        numbers = [n if any(c in n for c in ".en") else n + ".0" for n in numbers]
    body = ", ".join(n + suffix for n in numbers)
    print(f"inline constexpr {kind} {name}[] = {{{body}}};")


def passed(
    quantizer: torch.nn.Module, z: torch.Tensor, weight: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    z = z.clone().requires_grad_()
    vectors, codes, loss = quantizer(z[None])
    ((vectors * weight).sum() + loss.sum()).backward()
    assert z.grad is not None
    return codes.flatten(), loss.detach(), z.grad


def moving_average() -> None:
    quantizer = VectorQuantize(
        DIMS,
        CODES,
        decay=0.8,
        eps=1e-2,
        commitment_weight=0.25,
        threshold_ema_dead_code=0,
        rotation_trick=False,
    )
    book = quantizer._codebook
    book.embed.copy_(wave(CODES, DIMS, 0.5)[None])
    smoothed = (book.cluster_size + 1e-2) / (CODES + CODES * 1e-2) * CODES
    book.embed_avg.copy_(book.embed * smoothed[..., None])
    for step in range(STEPS):
        z = wave(VECTORS, DIMS, 0.1 + step)
        codes, loss, gradient = passed(quantizer, z, wave(VECTORS, DIMS, 2.0))
    show("kAverageCodes", codes, "std::int64_t")
    show("kAverageLoss", loss)
    show("kAverageGradient", gradient)
    show("kAverageTable", book.embed)
    show("kAverageCount", book.cluster_size)


def learned() -> None:
    quantizer = VectorQuantize(
        DIMS,
        CODES,
        learnable_codebook=True,
        ema_update=False,
        commitment_weight=1.0,
        threshold_ema_dead_code=0,
        rotation_trick=False,
    )
    book = quantizer._codebook
    book.embed.data.copy_(wave(CODES, DIMS, 0.5)[None])
    codes, loss, gradient = passed(quantizer, wave(VECTORS, DIMS, 0.1), wave(VECTORS, DIMS, 2.0))
    show("kLearnedCodes", codes, "std::int64_t")
    show("kLearnedLoss", loss)
    show("kLearnedGradient", gradient)
    show("kLearnedTableGradient", book.embed.grad)


def residual() -> None:
    quantizer = ResidualVQ(
        dim=DIMS,
        num_quantizers=2,
        codebook_size=CODES,
        commitment_weight=0.25,
        threshold_ema_dead_code=0,
        rotation_trick=False,
        ema_update=False,
    )
    for k, layer in enumerate(quantizer.layers):
        layer._codebook.embed.copy_(wave(CODES, DIMS, 0.5 + k)[None])
    # Its gradient goes straight through once a book, so that it is twice the decoder's.
    codes, loss, _ = passed(quantizer, wave(VECTORS, DIMS, 0.1), wave(VECTORS, DIMS, 2.0))
    show("kResidualCodes", codes, "std::int64_t")
    show("kResidualLoss", loss)


def finite_scalar() -> None:
    quantizer = FSQ([8, 5, 4])
    z = (3 * wave(VECTORS, 3, 0.1)).requires_grad_()
    vectors, codes = quantizer(z[None])
    (vectors * wave(VECTORS, 3, 2.0)).sum().backward()
    show("kLevelCodes", codes, "std::int64_t")
    show("kLevelVectors", vectors.detach())
    show("kLevelGradient", z.grad)


def main() -> None:
    print("// Numbers of vector-quantize-pytorch 1.32.0: written by tests/parity/quantizers.py.")
    print("#pragma once\n\n#include <cstdint>\n\nnamespace gradatim::neural::peer {\n")
    for case in (moving_average, learned, residual, finite_scalar):
        case()
    print("\n}  // namespace gradatim::neural::peer")


if __name__ == "__main__":
    main()
