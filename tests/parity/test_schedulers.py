"""Schedulers in compat mode against the numbers of diffusers.

The cases of the folder GRADATIM_FIXTURES have sums of absolute values and a few entries; the twins
beside this file have a model that is not linear (make_twins.py made them). 1e-4 relative is
allowed: the peer computes its coefficients in float32, and some of these loops amplify what it
rounds.
"""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import schedulers

from gradatim.process import from_diffusers

FOLDER = Path(
    os.environ.get("GRADATIM_FIXTURES", Path(__file__).parents[3] / "shared" / "fixtures")
)
CASES = FOLDER / "scheduler_cases.json"
TWINS = Path(__file__).parent / "schedulers" / "twins.json"


def cases(path):
    if not path.exists():
        return []
    read = json.loads(path.read_text())
    return [pytest.param(case, id=case["name"]) for case in read]


def scheduler_of(case):
    config = {"_class_name": case["scheduler"], **case["config"]}
    return from_diffusers(config, mode="compat")


@pytest.mark.skipif(
    not CASES.exists(),
    reason="scheduler_cases.json is not at hand: name its folder in GRADATIM_FIXTURES",
)
@pytest.mark.parametrize("case", cases(CASES))
def test_every_case_has_the_numbers_of_the_peer(case):
    scheduler = scheduler_of(case)
    x = schedulers.run(scheduler, case, schedulers.linear)
    flat = x.ravel()
    largest = np.abs(flat).max() + 1e-12
    if case["timesteps"]:
        np.testing.assert_allclose(scheduler.timesteps, case["timesteps"], rtol=1e-4, atol=1e-3)
    if case["init_noise_sigma"] is not None:
        assert scheduler.init_noise_sigma == pytest.approx(case["init_noise_sigma"], rel=1e-5)
    assert np.abs(flat.astype(np.float64)).sum() == pytest.approx(case["sum_f32"], rel=1e-4)
    assert np.abs(flat).mean() == pytest.approx(case["mean_f32"], rel=1e-4)
    np.testing.assert_allclose(flat[:3], case["first3_f32"], rtol=1e-4, atol=1e-4 * largest)
    np.testing.assert_allclose(flat[-1], case["last_f32"], rtol=1e-4, atol=1e-4 * largest)


@pytest.mark.parametrize("twin", cases(TWINS))
def test_every_twin_with_a_model_that_is_not_linear_has_the_numbers_of_the_peer(twin):
    scheduler = scheduler_of(twin)
    x = schedulers.run(scheduler, twin, schedulers.non_linear).ravel()[::37]
    np.testing.assert_allclose(scheduler.timesteps, twin["timesteps"], rtol=1e-5, atol=2e-3)
    largest = np.abs(twin["every_37th"]).max()
    np.testing.assert_allclose(x, twin["every_37th"], rtol=1e-4, atol=1e-4 * largest)
