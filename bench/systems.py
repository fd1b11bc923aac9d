"""What is compared: each system fits on (x, y) and returns probabilities of x, settings alike."""

ROUNDS, DEPTH, RATE, BINS = 200, 6, 0.1, 255


def gradatim(x, y, threads):
    from gradatim.boost import NewtonBoostingClassifier

    model = NewtonBoostingClassifier(
        n_estimators=ROUNDS, max_depth=DEPTH, learning_rate=RATE, max_bin=BINS, n_jobs=threads
    ).fit(x, y)
    return lambda: model.predict_proba(x)[:, 1]


def xgboost(x, y, threads):
    import xgboost

    model = xgboost.XGBClassifier(
        n_estimators=ROUNDS, max_depth=DEPTH, learning_rate=RATE, max_bin=BINS, n_jobs=threads
    ).fit(x, y)
    return lambda: model.predict_proba(x)[:, 1]


def lightgbm(x, y, threads):
    import lightgbm

    model = lightgbm.LGBMClassifier(
        n_estimators=ROUNDS,
        max_depth=DEPTH,
        num_leaves=2**DEPTH,
        learning_rate=RATE,
        max_bin=BINS,
        min_child_samples=1,
        min_child_weight=1.0,
        reg_lambda=1.0,
        n_jobs=threads,
        verbose=-1,
    ).fit(x, y)
    return lambda: model.predict_proba(x)[:, 1]


SYSTEMS = {"gradatim": gradatim, "xgboost": xgboost, "lightgbm": lightgbm}
