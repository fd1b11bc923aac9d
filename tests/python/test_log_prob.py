"""gradatim.process.log_prob: the density along the probability flow."""

import numpy as np
import pytest
from scipy.stats import norm

import gradatim
from gradatim.process import log_prob
from gradatim.process.oracle import Gaussian

MEAN, DEVIATION = 0.3, 0.5


class Velocity:
    """The field of normal data on the straight path, with its derivative."""

    def __call__(self, x, t):
        signal = 1 - t[:, None]
        data = MEAN + self._slope(t) * (x - signal * MEAN)
        return (x - signal * data) / t[:, None] - data

    def _slope(self, t):
        t = t[:, None]
        return (1 - t) * DEVIATION**2 / ((1 - t) ** 2 * DEVIATION**2 + t**2)

    def vjp(self, x, t, w):
        slope = self._slope(t)
        return w * ((1 - (1 - t[:, None]) * slope) / t[:, None] - slope)


X = np.random.default_rng(0).normal(MEAN, DEVIATION, (20, 3))
EXACT = norm(MEAN, DEVIATION).logpdf(X).sum(axis=1)


@pytest.mark.parametrize("path", ["rectified", "vp", "scaled_linear"])
def test_an_oracle_has_its_own_density(path):
    oracle = Gaussian(dims=3, mean=MEAN, deviation=DEVIATION)
    end = "field" if path == "scaled_linear" else "start"  # it leaves some signal
    found = log_prob(oracle, X, path=path, prediction="v", end=end)
    np.testing.assert_allclose(found.log_prob, EXACT, atol=1e-2)
    assert (found.standard_error == 0).all() and (found.evaluations > 0).all()
    np.testing.assert_allclose(found.bits_per_dim(), -found.log_prob / 3 / np.log(2))


def test_a_field_with_a_derivative_has_a_density():
    found = log_prob(Velocity(), X)
    np.testing.assert_allclose(found.log_prob, EXACT, atol=1e-2)


def test_probes_agree_within_their_standard_error():
    found = log_prob("two_moons", X[:, :2], probes=64, seed=1, prediction="v")
    exact = log_prob("two_moons", X[:, :2], prediction="v")
    assert (found.standard_error > 0).all()
    assert (np.abs(found.log_prob - exact.log_prob) < 5 * found.standard_error + 1e-3).all()


def test_what_cannot_be_is_said():
    with pytest.raises(gradatim.UsageError, match="GRD-1103"):
        log_prob(lambda x, t: x, X)
    with pytest.raises(gradatim.UsageError, match="GRD-1135"):
        log_prob(Velocity(), X, probes=1)


def test_torch_modules_are_differentiated():
    torch = pytest.importorskip("torch", reason="torch is not installed here")

    class Field(torch.nn.Module):
        def forward(self, x, t):
            t = t[:, None]
            slope = (1 - t) * DEVIATION**2 / ((1 - t) ** 2 * DEVIATION**2 + t**2)
            data = MEAN + slope * (x - (1 - t) * MEAN)
            return (x - (1 - t) * data) / t - data

    np.testing.assert_allclose(log_prob(Field(), X).log_prob, EXACT, atol=1e-2)
