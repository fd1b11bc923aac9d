"""Times Stable Diffusion's networks at SD 1.5's size, with random weights, against diffusers:
bench/sd_bench.py [--rounds 3] [--only unet-256] [--models FOLDER]

Every run is a fresh process, by turns; a row is the median over rounds of the median step. *Ratio*
is the peer's time over ours, round by round; *start* is from a process's start to the end of its
first step. The share of the peak is arithmetic (products and convolutions as they are written, so
few multiplications may take it beyond 100 %) over what the machine multiplies matrices with. The
weights, 6 GB, are written by diffusers to FOLDER, once, and 8 GB of prepared ones beside them;
without it to a temporary one. bench/sd_cpp_peer.py times stable-diffusion.cpp by itself.
GRADATIM_SIMD=avx2 with DNNL_MAX_CPU_ISA=AVX2, ATEN_CPU_CAPABILITY=avx2 and
MKL_ENABLE_INSTRUCTIONS=AVX2 holds all to AVX2.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
from neural import multiply_peak, timed

ROOT = Path(__file__).parents[1]
# A network's folder, an image's side, repeats, and arithmetic in GFLOP (as
# torch.utils.flop_counter counts it).
TASKS: dict[str, tuple[str, str, int, int, float]] = {
    "unet-256": ("unet", "unet", 256, 5, 360.0),
    "unet-512": ("unet", "unet", 512, 3, 1607.0),
    "decode-256": ("decode", "vae", 256, 3, 622.0),
    "decode-512": ("decode", "vae", 512, 2, 2515.0),
    "text": ("text", "text_encoder", 0, 9, 26.6),
}
WAYS = ("eager", "channels_last", "compile")


def write_models(folder: Path) -> None:
    """Networks of SD 1.5's size, in float32 and, the U-Net, in float16."""
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    torch.manual_seed(0)
    if not (folder / "unet16").exists():
        unet = UNet2DConditionModel(
            sample_size=64,
            block_out_channels=(320, 640, 1280, 1280),
            cross_attention_dim=768,
            attention_head_dim=8,
        )
        unet.save_pretrained(folder / "unet")
        unet.half().save_pretrained(folder / "unet16")
    if not (folder / "vae").exists():
        AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            block_out_channels=(128, 256, 512, 512),
            layers_per_block=2,
            sample_size=512,
        ).save_pretrained(folder / "vae")
    if not (folder / "text_encoder").exists():
        config = CLIPTextConfig(
            vocab_size=49408,
            hidden_size=768,
            intermediate_size=3072,
            num_hidden_layers=12,
            num_attention_heads=12,
            hidden_act="quick_gelu",
            bos_token_id=49406,
            eos_token_id=49407,
        )
        CLIPTextModel(config).save_pretrained(folder / "text_encoder")


def commands(task: str, models: Path, threads: int, ways: list[str]) -> dict[str, list[Any]]:
    work, network, side, repeats, _ = TASKS[task]
    words = [side, repeats, threads]
    ours = [ROOT / "build/bench/sd_time", work]
    made = {"gradatim": [*ours, models / network, *words]}
    if work == "unet":
        made["gradatim, float16 file"] = [*ours, models / "unet16", *words]
        made["gradatim, prepared"] = [*made["gradatim"], f"prepared:{models / 'prepared'}-{side}"]
        made["gradatim, 8 bits"] = [*ours, models / network, *words, "eight_bit"]
    for way in ways:
        peer = [sys.executable, ROOT / "bench/sd_peer.py", work, models / network, *words, way]
        made[f"diffusers {way}"] = peer
    return made


def run(words: list[Any]) -> dict[str, Any] | None:
    """None where it does not work, as a compiler that is missing."""
    try:
        return timed(words)
    except (subprocess.CalledProcessError, IndexError, ValueError):
        return None


def report(task: str, runs: list[dict[str, dict[str, Any] | None]], peak: float) -> None:
    gflop = TASKS[task][4]
    for system in runs[0]:
        both = [(r["gradatim"], r[system]) for r in runs if r[system] and r["gradatim"]]
        if not both:
            print(f"| {task} | {system} | did not run | | | | |", flush=True)
            continue
        steps = [statistics.median(b["seconds"]) for _, b in both]
        ratio = statistics.median(
            statistics.median(b["seconds"]) / statistics.median(a["seconds"]) for a, b in both
        )
        start = statistics.median(b["start"] for _, b in both)
        sooner = statistics.median(b["start"] / a["start"] for a, b in both)
        memory = statistics.median(b["peak_mb"] for _, b in both)
        step = statistics.median(steps)
        print(
            f"| {task} | {system} | {step:.3f} | {ratio:.2f} | {gflop / step / peak:.0%} | "
            f"{start:.1f} ({sooner:.1f}) | {memory:.0f} |",
            flush=True,
        )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--only", choices=TASKS, action="append")
    options.add_argument("--ways", choices=WAYS, action="append", help="of diffusers (all)")
    options.add_argument("--models", type=Path, help="a folder to write the networks to, and keep")
    chosen = options.parse_args()
    peak = multiply_peak(chosen.threads)
    print(f"torch {torch.__version__}, {chosen.threads} threads, products at {peak:.0f} GFLOP/s")
    print(f"GRADATIM_SIMD={os.environ.get('GRADATIM_SIMD', '')}\n")
    print("| task | system | step, s | ratio | share of peak | start, s (ratio) | memory, MB |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as temporary:
        models = chosen.models or Path(temporary)
        write_models(models)
        for task in chosen.only or TASKS:
            systems = commands(task, models, chosen.threads, chosen.ways or list(WAYS))
            if "gradatim, prepared" in systems:
                run(systems["gradatim, prepared"])  # packs, and writes the file
            runs = [{k: run(v) for k, v in systems.items()} for _ in range(chosen.rounds)]
            report(task, runs, peak)


if __name__ == "__main__":
    main()
