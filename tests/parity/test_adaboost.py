"""AdaBoost against scikit-learn's SAMME, both with gini stumps on the same numbers.

The two cannot agree on every row: stumps that split the training rows alike may put their threshold
elsewhere between two values (scikit-learn rounds features to float32 and thresholds to float64).
"""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.ensemble import AdaBoostClassifier as PeerAdaBoost
from sklearn.model_selection import train_test_split
from tables import as_codes

from gradatim.boost import AdaBoostClassifier

ROUNDS = 50


def split(name, request, seed=0):
    if name == "adult":
        frame, y = request.getfixturevalue("adult")
        x = as_codes(frame)
    else:
        x, y = {"breast_cancer": load_breast_cancer, "digits": load_digits}[name](return_X_y=True)
    return train_test_split(np.asarray(x, dtype=np.float32), y, test_size=0.3, random_state=seed)


@pytest.mark.parametrize("name", ["breast_cancer", "digits", "adult"])
def test_reweighting_predicts_as_samme_does(name, request):
    x, x_test, y, y_test = split(name, request)
    ours = AdaBoostClassifier(n_estimators=ROUNDS, learner="stump").fit(x, y)
    peer = PeerAdaBoost(n_estimators=ROUNDS).fit(x, y)
    everything = np.concatenate([x, x_test])
    agreement = np.mean(ours.predict(everything) == peer.predict(everything))
    print(
        f"{name}: agreement {agreement:.4f}, accuracy {ours.score(x_test, y_test):.4f} "
        f"against {peer.score(x_test, y_test):.4f}"
    )
    assert agreement >= 0.99


@pytest.mark.parametrize("name", ["breast_cancer", "digits", "adult"])
def test_resampling_is_within_a_point_of_samme_on_average(name, request):
    """Twenty seeds, each of the draws and of the split: one split's luck is not an average."""
    scores = []
    for seed in range(20):
        x, x_test, y, y_test = split(name, request, seed)
        ours = AdaBoostClassifier(n_estimators=ROUNDS, mode="resample", random_state=seed)
        peer = PeerAdaBoost(n_estimators=ROUNDS)
        scores.append([model.fit(x, y).score(x_test, y_test) for model in (ours, peer)])
    a, b = np.mean(scores, axis=0)
    print(f"{name}: mean of 20 seeds {a:.4f} against {b:.4f}")
    assert abs(a - b) <= 0.01
