"""Times stable-diffusion.cpp: bench/sd_cpp_peer.py FILE SIDE STEPS THREADS f32|f16|q8_0

FILE is a checkpoint of one file, as `gradatim convert FOLDER --out FILE` writes it. Runs where
stable-diffusion-cpp-python is installed (0.4.7, MIT; its build takes minutes and a compiler), which
is not among the project's environments. Prints what bench/sd_peer.py prints for guided steps, and
the seconds of the decoder.
"""

from __future__ import annotations

import itertools
import json
import sys
import time

from peak_memory import peak_mb
from since_start import seconds_since_start


def main() -> None:
    from stable_diffusion_cpp import StableDiffusion

    file, side, steps, threads, wtype = sys.argv[1:6]
    ends: list[float] = []
    starts: list[float] = []

    def progress(step: int, _steps: int, _seconds: float) -> None:
        if step > 0 and _steps == int(steps):
            ends.append(time.perf_counter())
            starts.append(seconds_since_start())

    drawer = StableDiffusion(
        model_path=file, n_threads=int(threads), wtype=wtype, vae_decode_only=True, verbose=False
    )
    drawer.generate_image(
        "a cat",
        negative_prompt="a dog",
        width=int(side),
        height=int(side),
        sample_steps=int(steps),
        cfg_scale=7.5,
        sample_method="euler",
        progress_callback=progress,
    )
    done = time.perf_counter()
    seconds = [b - a for a, b in itertools.pairwise(ends)]
    result = {
        "start": starts[0],
        "seconds": seconds,
        "decode": done - ends[-1],
        "peak_mb": peak_mb(),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
