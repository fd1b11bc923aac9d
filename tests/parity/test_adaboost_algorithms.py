"""AdaBoost's algorithms against the formulas of the papers in NumPy, on scikit-learn's trees.

SAMME.R left scikit-learn with 1.6 and the others were never in it, so the loops are written here
from the papers: Zhu and others (2009), algorithm 4; Friedman and others (2000), algorithms 2 to 6.
The trees are not ours: thresholds may differ between two values of the training rows, and of two
equally good splits either may be taken, so the comparison is on the training rows, and of shares.
"""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, make_classification
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from gradatim.boost import AdaBoostClassifier, learner
from gradatim.boost import algorithm as parts

EPS = np.finfo(float).eps
MIN_SHARE = 1e-4
ROUNDS = 15


def shares(x, y, weight, depth):
    tree = DecisionTreeClassifier(max_depth=depth, random_state=0).fit(x, y, weight)
    return np.maximum(tree.predict_proba(x), MIN_SHARE)


def numbers(x, target, weight, depth):
    tree = DecisionTreeRegressor(max_depth=depth, random_state=0)
    return tree.fit(x, target, weight).predict(x)


def samme_r(x, y, depth, rate):
    k = y.max() + 1
    weight = np.full(len(y), 1 / len(y))
    score = np.zeros((len(y), k))
    code = np.where(np.arange(k) == y[:, None], 1.0, -1 / (k - 1))
    for _ in range(ROUNDS):
        log_p = np.log(shares(x, y, weight, depth))
        score += rate * (k - 1) * (log_p - log_p.mean(axis=1, keepdims=True))
        weight *= np.exp(-rate * (k - 1) / k * (code * log_p).sum(axis=1))
        weight /= weight.sum()
    return score[:, 1] if k == 2 else score


def one_against_the_rest(step):
    def fit(x, y, depth, rate):
        k = y.max() + 1
        targets = [1] if k == 2 else range(k)
        score = np.zeros((len(y), len(targets)))
        for j, target in enumerate(targets):
            sign = np.where(y == target, 1.0, -1.0)
            weight = np.full(len(y), 1 / len(y))
            for _ in range(ROUNDS):
                f = rate * step(x, sign, weight, depth)
                score[:, j] += f
                weight *= np.exp(-sign * f)
                weight /= weight.sum()
        return score[:, 0] if k == 2 else score

    return fit


@one_against_the_rest
def real(x, sign, weight, depth):
    p = shares(x, sign, weight, depth)
    return 0.5 * (np.log(p[:, 1]) - np.log(p[:, 0]))


@one_against_the_rest
def gentle(x, sign, weight, depth):
    return numbers(x, sign, weight, depth)


def logitboost(x, y, depth, rate):
    k = y.max() + 1
    score = np.zeros((len(y), k))
    for _ in range(ROUNDS):
        p = np.exp(score - score.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        f = np.zeros_like(score)
        for j in range(k):
            z = np.where(y == j, 1 / np.maximum(p[:, j], EPS), -1 / np.maximum(1 - p[:, j], EPS))
            weight = np.maximum(p[:, j] * (1 - p[:, j]), 2 * EPS)
            f[:, j] = numbers(x, np.clip(z, -4, 4), weight, depth)
        score += rate * (k - 1) / k * (f - f.mean(axis=1, keepdims=True))
    return score[:, 1] if k == 2 else score


def three_classes(return_X_y):
    return make_classification(2000, 12, n_informative=6, n_classes=3, random_state=0)


DATA = {
    "breast_cancer": load_breast_cancer,
    "iris": load_iris,
    "digits": load_digits,
    "three_classes": three_classes,
}
# Deep trees split small pure nodes, for which many splits are equally good: not iris and digits.
CASES = [(name, 1) for name in DATA] + [("breast_cancer", 3), ("three_classes", 3)]
PAPER = {"samme_r": samme_r, "real": real, "gentle": gentle, "logitboost": logitboost}

OURS = {
    "samme_r": parts.SammeR(min_share=MIN_SHARE),
    "real": parts.Real(min_share=MIN_SHARE),
    "gentle": "gentle",
    "logitboost": "logitboost",
}


@pytest.mark.parametrize("algorithm", PAPER)
@pytest.mark.parametrize("name, depth", CASES)
def test_scores_are_those_of_the_paper(algorithm, name, depth):
    x, y = DATA[name](return_X_y=True)
    # Ties between splits are broken otherwise: noise leaves few of them, and with some labels drawn
    # anew nothing is learned by heart, where all weights vanish.
    random = np.random.default_rng(1)
    x = (x + random.normal(size=x.shape) * 0.05 * x.std(axis=0)).astype(np.float32)
    y = np.where(random.random(len(y)) < 0.2, random.permutation(y), y)
    rate = 0.5
    ours = AdaBoostClassifier(
        n_estimators=ROUNDS,
        algorithm=OURS[algorithm],
        learning_rate=rate,
        learner=learner.Cart(max_depth=depth, min_child_weight=0.0, tree_method="exact"),
    ).fit(x, y)
    mine, theirs = ours.decision_function(x), PAPER[algorithm](x, y, depth, rate)
    assert mine.shape == theirs.shape
    near = np.isclose(mine, theirs, rtol=1e-3, atol=1e-3).mean()
    choice = (lambda s: s > 0) if mine.ndim == 1 else (lambda s: s.argmax(axis=1))
    agreement = np.mean(choice(mine) == choice(theirs))
    print(f"{algorithm} {name} depth {depth}: {near:.4f} of the scores, agreement {agreement:.4f}")
    assert near >= 0.95
    assert agreement >= 0.99
