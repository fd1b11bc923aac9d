"""AdaBoost against scikit-learn's SAMME, both with gini stumps on the same numbers.

The two cannot agree on every row: stumps that split the training rows alike may put their threshold
elsewhere between two values (scikit-learn rounds features to float32 and thresholds to float64).
"""

import numpy as np
import pytest
from conftest import as_codes
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.ensemble import AdaBoostClassifier as PeerAdaBoost
from sklearn.model_selection import train_test_split

from gradatim.boost import AdaBoostClassifier

ROUNDS = 50


def split(name, request):
    if name == "adult":
        frame, y = request.getfixturevalue("adult")
        x = as_codes(frame)
    else:
        x, y = {"breast_cancer": load_breast_cancer, "digits": load_digits}[name](return_X_y=True)
    return train_test_split(np.asarray(x, dtype=np.float32), y, test_size=0.3, random_state=0)


@pytest.mark.parametrize("name", ["breast_cancer", "digits", "adult"])
def test_reweighting_predicts_as_samme_does(name, request):
    x, x_test, y, y_test = split(name, request)
    ours = AdaBoostClassifier(n_estimators=ROUNDS, learner="stump").fit(x, y)
    peer = PeerAdaBoost(n_estimators=ROUNDS).fit(x, y)
    everything = np.concatenate([x, x_test])
    agreement = np.mean(ours.predict(everything) == peer.predict(everything))
    print(f"{name}: agreement {agreement:.4f}, accuracy {ours.score(x_test, y_test):.4f} "
          f"against {peer.score(x_test, y_test):.4f}")
    assert agreement >= 0.99


@pytest.mark.parametrize("name", ["breast_cancer", "digits", "adult"])
def test_resampling_is_within_a_point_of_samme_on_average(name, request):
    x, x_test, y, y_test = split(name, request)
    peer = PeerAdaBoost(n_estimators=ROUNDS).fit(x, y).score(x_test, y_test)
    scores = [
        AdaBoostClassifier(n_estimators=ROUNDS, mode="resample", random_state=seed)
        .fit(x, y)
        .score(x_test, y_test)
        for seed in range(20)
    ]
    print(f"{name}: mean of 20 seeds {np.mean(scores):.4f} against {peer:.4f}")
    assert abs(np.mean(scores) - peer) <= 0.01
