"""from_diffusers(): what the arrays, errors and loop of a scheduler are."""

import json
import subprocess
import sys

import numpy as np
import pytest

import gradatim
from gradatim.process import from_diffusers

DDIM = {"_class_name": "DDIMScheduler", "clip_sample": False}


def states(seed=0, shape=(3, 2, 4, 4)):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def test_a_dict_a_file_and_its_folder_are_the_same_scheduler(tmp_path):
    path = tmp_path / "scheduler_config.json"
    path.write_text(json.dumps(DDIM))
    results = []
    for config in (DDIM, path, str(tmp_path)):
        scheduler = from_diffusers(config)
        results.append(scheduler.sample(lambda x, t: 0.5 * x, states(), 5))
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({}, "GRD-1120"),
        ("nowhere.json", "GRD-1120"),
        ({"_class_name": "DDIMSchedule"}, "GRD-1121"),
        ({**DDIM, "beta_end": "0.1"}, "GRD-1122"),
    ],
)
def test_what_is_no_configuration_is_refused(config, code):
    with pytest.raises(gradatim.UsageError) as raised:
        from_diffusers(config)
    assert raised.value.code == code
    assert "\n" not in str(raised.value)


def test_an_unknown_mode_is_refused():
    with pytest.raises(gradatim.UsageError, match="'correct' or 'compat'") as raised:
        from_diffusers(DDIM, mode="exact")
    assert raised.value.code == "GRD-1129"


def test_a_step_gives_the_sample_and_the_data_by_name_and_as_a_tuple():
    scheduler = from_diffusers(DDIM, mode="compat")
    scheduler.set_timesteps(4)
    x = states()
    done = scheduler.step(0.1 * x, scheduler.timesteps[0], x)
    assert done.prev_sample.shape == x.shape
    assert done[0] is done.prev_sample
    before, data = done
    assert data is done.pred_original_sample
    again = scheduler.step(0.1 * x, scheduler.timesteps[0], x, return_dict=False)
    np.testing.assert_array_equal(again[0], before)


def test_arrays_of_another_shape_are_refused():
    scheduler = from_diffusers(DDIM)
    scheduler.set_timesteps(4)
    with pytest.raises(gradatim.UsageError) as raised:
        scheduler.step(states(shape=(3, 2)), scheduler.timesteps[0], states())
    assert raised.value.code == "GRD-1127"


def test_a_sample_of_doubles_of_one_axis_comes_back_alike():
    scheduler = from_diffusers({"_class_name": "UniPCMultistepScheduler"})
    x = scheduler.sample(lambda x, t: 0.3 * x, np.linspace(-1, 1, 5), 6)
    assert x.shape == (5,)
    assert x.dtype == np.float64
    assert np.isfinite(x).all()


def test_in_correct_mode_a_row_does_not_depend_on_its_batch():
    config = {"_class_name": "EulerAncestralDiscreteScheduler"}

    def sample(x):
        return from_diffusers(config).sample(lambda x, t: np.tanh(x), x, 8, seed=3)

    x = states()
    np.testing.assert_array_equal(sample(x)[:2], sample(x[:2]))


def test_noise_that_is_given_is_used_and_eta_scales_it():
    scheduler = from_diffusers(DDIM)
    scheduler.set_timesteps(5)
    x, z = states(), states(1)
    t = scheduler.timesteps[1]
    scheduler.set_begin_index(1)
    plain = scheduler.step(0.1 * x, t, x, eta=1.0, noise=np.zeros_like(x)).prev_sample
    scheduler.set_begin_index(1)
    noised = scheduler.step(0.1 * x, t, x, eta=1.0, noise=z).prev_sample
    factor = (noised - plain) / z
    assert factor.std() < 1e-4 * factor.mean()


def test_noise_is_added_at_one_timestep_or_one_a_row():
    scheduler = from_diffusers(DDIM, mode="compat")
    x, z = states(), states(1)
    each = [scheduler.add_noise(x, z, [t]) for t in (10, 500, 900)]
    rows = scheduler.add_noise(x, z, np.array([10, 500, 900]))
    for k in range(3):
        np.testing.assert_array_equal(rows[k], each[k][k])


def test_what_is_infinite_in_diffusers_is_finite_and_said():
    config = {"_class_name": "UniPCMultistepScheduler", "solver_type": "bh1"}
    scheduler = from_diffusers(config)
    x = scheduler.sample(lambda x, t: np.tanh(x), states(), 10)
    assert np.isfinite(x).all()
    assert scheduler.differences


def test_tensors_come_back_as_tensors():
    torch = pytest.importorskip("torch")
    scheduler = from_diffusers(DDIM)
    scheduler.set_timesteps(3, device="cpu")
    x = torch.from_numpy(states())
    for t in scheduler.timesteps:
        x = scheduler.step(0.1 * x, t, x).prev_sample
    assert isinstance(x, torch.Tensor)
    half = scheduler.add_noise(x.half(), x.half(), scheduler.timesteps[:1])
    assert half.dtype == torch.float16


def test_torch_is_not_imported_for_arrays():
    code = (
        "import sys, numpy as np, gradatim\n"
        "s = gradatim.process.from_diffusers({'_class_name': 'DDPMScheduler'})\n"
        "s.sample(lambda x, t: x, np.ones((2, 3), np.float32), 3)\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_learned_range_draws_by_the_second_half_of_the_output():
    config = {
        "_class_name": "DDPMScheduler",
        "clip_sample": False,
        "variance_type": "learned_range",
    }
    scheduler = from_diffusers(config, mode="compat")
    scheduler.set_timesteps(10)
    x, noise = states(), states(1)
    output = states(2, (3, 4, 4, 4))
    t, before = int(scheduler.timesteps[3]), int(scheduler.timesteps[4])
    # The published formulas, on the table of betas.
    left = np.cumprod(1.0 - np.linspace(1e-4, 0.02, 1000))
    beta = 1.0 - left[t] / left[before]
    data = (x - np.sqrt(1.0 - left[t]) * output[:, :2]) / np.sqrt(left[t])
    mean = np.sqrt(left[before]) * beta / (1.0 - left[t]) * data
    mean = mean + np.sqrt(1.0 - beta) * (1.0 - left[before]) / (1.0 - left[t]) * x
    least = (1.0 - left[before]) / (1.0 - left[t]) * beta
    share = (output[:, 2:] + 1.0) / 2.0
    deviation = np.exp(0.5 * (share * np.log(beta) + (1.0 - share) * np.log(least)))
    got = scheduler.step(output, t, x, variance_noise=noise).prev_sample
    np.testing.assert_allclose(got, mean + deviation * noise, rtol=1e-4, atol=1e-5)


def test_learned_range_without_a_second_half_is_refused_or_the_least():
    config = {"_class_name": "DDPMScheduler", "variance_type": "learned_range"}
    compat, correct = (from_diffusers(config, mode=mode) for mode in ("compat", "correct"))
    compat.set_timesteps(10)
    with pytest.raises(gradatim.UsageError, match="variances") as raised:
        compat.step(states(), compat.timesteps[0], states())
    assert raised.value.code == "GRD-1126"
    fixed = from_diffusers({**config, "variance_type": "fixed_small"}, mode="correct")
    got = [one.sample(lambda x, t: 0.5 * x, states(), 5) for one in (correct, fixed)]
    np.testing.assert_allclose(got[0], got[1], rtol=1e-4, atol=1e-5)
