"""Target statistics: the numbers of scikit-learn's TargetEncoder; their worth on the flights."""

import json
import struct

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss
from sklearn.preprocessing import TargetEncoder

from gradatim.boost import NewtonBoostingClassifier, NewtonBoostingRegressor


def array_of(path, name: str) -> np.ndarray:
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    begin, end = json.loads(data[8 : 8 + size])[name]["data_offsets"]
    return np.frombuffer(data[8 + size + begin : 8 + size + end])


@pytest.mark.parametrize("kind", ["two classes", "three classes", "numbers"])
def test_the_table_of_all_rows_is_that_of_target_encoder(kind, tmp_path):
    """Both shrink means of categories to that of all rows; `smooth` is the weight of the prior."""
    random = np.random.default_rng(0)
    codes = random.integers(0, 300, 9000)
    level = random.standard_normal(300)[codes] + random.standard_normal(9000)
    y = {"two classes": level > 0, "three classes": np.digitize(level, [-1, 1]), "numbers": level}[
        kind
    ]
    word = pd.Series(codes).map("c{:03}".format)
    x = pd.DataFrame({"c": pd.Categorical(word), "x": random.standard_normal(9000)})
    kinds = {"numbers": NewtonBoostingRegressor}.get(kind, NewtonBoostingClassifier)
    # Categories are in order of frequency there and of words here, so sorted means are compared.
    kinds(n_estimators=1, target_prior_weight=7.0).fit(x, y).save(tmp_path / "m")
    ours = array_of(tmp_path / "m", "statistics.tables")
    encoder = TargetEncoder(smooth=7.0).fit(x[["c"]], y)
    peer = np.array(encoder.encodings_)  # [lanes, categories]
    ours = ours.reshape(-1, len(peer))[:300]  # without missing and the mean
    np.testing.assert_allclose(np.sort(ours, axis=0), np.sort(peer.T, axis=0), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    "growth", [{"max_depth": 6}, {"grow_policy": "lossguide", "max_leaves": 63, "max_depth": 0}]
)
def test_combinations_lower_the_loss_on_the_flights_by_a_fiftieth(flights, growth):
    frame, late = flights
    held = np.random.default_rng(12345).random(len(late)) < 0.2
    for name in ("carrier", "tailnum", "origin", "dest"):
        frame = frame.assign(**{name: pd.Categorical(frame[name])})

    def loss(statistics):
        model = NewtonBoostingClassifier(
            n_estimators=100, learning_rate=0.1, target_statistics=statistics, **growth
        ).fit(frame[~held], late[~held])
        return log_loss(late[held], model.predict_proba(frame[held]))

    assert loss("combinations") < 0.98 * loss("none")
