"""gradatim.process.sample: any function as the field, over the library's own memory."""

import numpy as np
import pytest

import gradatim
from gradatim.process import sample
from gradatim.process.grid import Given, Karras
from gradatim.process.guidance import ClassifierFree
from gradatim.process.solver import Ddim

MEAN, DEVIATION = 0.3, 0.5


def velocity(x, t):
    """Of normal data on the straight path, exactly."""
    t = t.reshape(-1, *[1] * (x.ndim - 1))
    signal = 1 - t
    data = MEAN + signal * DEVIATION**2 / (signal**2 * DEVIATION**2 + t**2) * (x - signal * MEAN)
    return (x - signal * data) / t - data


def test_exact_fields_give_their_data():
    x = sample(velocity, (20000, 2), steps=20)
    assert x.shape == (20000, 2) and x.dtype == np.float32
    np.testing.assert_allclose(x.mean(axis=0), MEAN, atol=0.02)
    np.testing.assert_allclose(x.std(axis=0), DEVIATION, rtol=0.02)


def test_rows_do_not_depend_on_the_batch_or_their_number():
    whole = sample(velocity, (50, 3, 4), seed=3)
    np.testing.assert_array_equal(sample(velocity, (50, 3, 4), seed=3, batch_size=7), whole)
    np.testing.assert_array_equal(sample(velocity, (20, 3, 4), seed=3), whole[:20])
    assert (sample(velocity, (50, 3, 4), seed=4) != whole).all()


def test_the_field_sees_the_states_without_a_copy_and_in_their_shape():
    seen = []

    def field(x, t):
        seen.append((x.shape, x.dtype, t.shape, t.dtype, x.__array_interface__["data"][0]))
        return -x

    sample(field, (5, 2, 3), steps=8)
    assert len(seen) == 8
    assert {shape[:4] for shape in seen} == {((5, 2, 3), np.dtype("f4"), (5,), np.dtype("f8"))}
    assert len({pointer for *_, pointer in seen}) < 8  # memory of the pool, used again


def test_a_state_that_the_field_keeps_is_not_overwritten():
    kept = []

    def field(x, t):
        kept.append((x, x.copy()))
        return -x

    sample(field, (4, 2), steps=6)
    for view, copy in kept:
        np.testing.assert_array_equal(view, copy)


def test_components_and_names_mean_the_same():
    by_name = sample(velocity, (9, 2), solver="ddim", grid="karras", path="rectified")
    by_component = sample(velocity, (9, 2), solver=Ddim(), grid=Karras())
    np.testing.assert_array_equal(by_name, by_component)


def test_a_trajectory_begins_with_noise_and_ends_with_the_samples():
    way = sample(velocity, (40, 2), steps=5, trajectory=True, batch_size=7)
    assert way.shape == (6, 40, 2)
    np.testing.assert_array_equal(way[-1], sample(velocity, (40, 2), steps=5))
    again = sample(velocity, (40, 2), steps=5, start=way[0])
    np.testing.assert_array_equal(again, way[-1])


def test_labels_reach_the_field_row_by_row():
    labels = np.arange(10) % 2

    def field(x, t, label):
        assert label.shape == (len(x),)
        return (x - (1 - t[:, None]) * label[:, None]) / t[:, None] - label[:, None]

    x = sample(field, (10, 3), labels=labels, batch_size=3)
    np.testing.assert_allclose(x, np.repeat(labels[:, None], 3, axis=1), atol=1e-5)


@pytest.mark.parametrize("negative", [None, np.full(10, -1.0)])
def test_guidance_stresses_labels(negative):
    """Of data that are a point, the guided data are a point too: null + weight (label - null)."""
    calls = []

    def field(x, t, label):
        calls.append(len(x))
        where = np.zeros((len(x), 1)) if label is None else np.asarray(label)[:, None]
        t = t[:, None]
        return (x - (1 - t) * where) / t - where

    labels = np.full(10, 2.0)
    x = sample(field, (10, 3), labels=labels, negative=negative, guidance=1.5, steps=4)
    null = 0.0 if negative is None else -1.0
    np.testing.assert_allclose(x, null + 1.5 * (2.0 - null), atol=1e-5)
    assert calls == ([10] * 8 if negative is None else [20] * 4)
    same = sample(
        field,
        (10, 3),
        labels=labels,
        negative=negative,
        steps=4,
        guidance=ClassifierFree(weight=1.5),
    )
    np.testing.assert_array_equal(same, x)


def test_an_oracle_is_named():
    x = sample("two_moons", (500, 2), labels=np.zeros(500), steps=50)
    assert x[:, 1].max() < 1.5 and x[:, 1].min() > -0.5  # the upper moon alone
    with pytest.raises(gradatim.UsageError, match="GRD-1105"):
        sample("two_moons", (5, 3))


def test_a_field_of_ones_own_may_have_a_public_name():
    gradatim.export("my.field.normal", kind="process.field")(velocity)
    np.testing.assert_array_equal(sample("my.field.normal", (4, 2)), sample(velocity, (4, 2)))


def test_a_regressor_of_several_targets_is_a_field():
    draws = np.random.default_rng(0)
    data = draws.normal(1.0, 0.2, (4000, 2))
    noise = draws.standard_normal(data.shape)
    t = draws.uniform(0.001, 1.0, (4000, 1))
    model = gradatim.boost.NewtonBoostingRegressor(multi_strategy="multi_output_tree")
    model.fit(np.hstack([(1 - t) * data + t * noise, t]), noise - data)
    x = sample(model, (1000, 2), solver="heun")
    np.testing.assert_allclose(x.mean(axis=0), 1.0, atol=0.1)


def test_own_errors_pass_through_and_ours_have_codes():
    with pytest.raises(ZeroDivisionError):
        sample(lambda x, t: 1 / 0, (2, 2))
    with pytest.raises(gradatim.NumericError, match=r"after step 1.*t = 1 \(GRD-4021\)"):
        sample(lambda x, t: x * np.nan, (2, 2))
    with pytest.raises(gradatim.UsageError, match="GRD-1140"):
        sample(lambda x, t: x[:1], (2, 2))
    with pytest.raises(gradatim.NumericError, match="GRD-4020"):
        sample(lambda x, t: x, (2, 2), prediction="noise")  # alpha is 0 where it begins
    for bad in ({"shape": (0, 2)}, {"labels": [1]}, {"start": np.zeros((3, 2))}):
        with pytest.raises(gradatim.UsageError, match="GRD-1141"):
            sample(lambda x, t: x, **{"shape": (2, 2), **bad})
    with pytest.raises(gradatim.UsageError, match="did you mean 'heun'"):
        sample(lambda x, t: x, (2, 2), solver="huen")


def test_torch_modules_see_tensors():
    torch = pytest.importorskip("torch", reason="torch is not installed here")

    class Field(torch.nn.Module):
        def forward(self, x, t):
            assert x.dtype == t.dtype == torch.float32 and not torch.is_grad_enabled()
            return torch.from_numpy(velocity(x.numpy(), t.numpy()))

    np.testing.assert_allclose(
        sample(Field(), (30, 2)), sample(velocity, (30, 2)), rtol=1e-4, atol=1e-5
    )


def test_what_the_arguments_cannot_be_is_said_in_one_line():
    for code, bad in (
        ("GRD-1141", {"batch_size": -1}),
        ("GRD-1141", {"seed": -1}),
        ("GRD-1141", {"labels": [0.7, 1.9], "field": "ring"}),
        ("GRD-1141", {"labels": [[0], [1]], "field": "ring"}),
        ("GRD-1143", {"shape": (1, 2**32, 2**32)}),
        ("GRD-1140", {"field": lambda x, t: x + 1j}),
        ("GRD-1140", {"field": lambda x, t: x.T.copy(), "shape": (2, 3)}),
        ("GRD-1003", {"guidance": float("nan"), "labels": [0, 1]}),
        ("GRD-1144", {"solver": "ddim_inverse", "grid": Given(times=[0, 0.5, 1])}),
    ):
        arguments = {"field": velocity, "shape": (2, 2), **bad}
        with pytest.raises(gradatim.UsageError, match=code) as caught:
            sample(**arguments)
        assert "\n" not in str(caught.value)


def test_a_field_may_use_the_memory_of_its_result_again():
    buffer = np.empty((4, 2), dtype=np.float32)

    def field(x, t, label):
        where = 0.0 if label is None else 2.0
        buffer[:] = (x - (1 - t[:, None]) * where) / t[:, None] - where
        return buffer

    x = sample(field, (4, 2), labels=np.ones(4), guidance=3.0, steps=4)
    np.testing.assert_allclose(x, 6.0, atol=1e-5)


def test_guidance_without_labels_is_refused():
    with pytest.raises(gradatim.UsageError, match="GRD-1141"):
        sample("two_moons", (5, 2), guidance=3.0)
