"""What is compared. A system fits a task and returns a function that predicts: probabilities of the
second class, of every class, or numbers. Settings are alike as far as a system has them."""

import numpy as np
from tasks import Task

DEPTH, LEAVES, RATE, BINS = 6, 63, 0.1, 255
GROWTHS = ("depthwise", "leafwise", "symmetric")


def _proba(model, task: Task):
    if task.kind == "numbers":
        return model.predict
    if task.kind == "classes":
        return model.predict_proba
    return lambda x: model.predict_proba(x)[:, 1]


def _growth(growth: str) -> dict:
    if growth == "leafwise":
        return {"grow_policy": "lossguide", "max_leaves": LEAVES, "max_depth": 0}
    return {"grow_policy": growth, "max_depth": DEPTH}


def gradatim(task: Task, growth: str, threads: int, **more):
    from gradatim.boost import NewtonBoostingClassifier, NewtonBoostingRegressor

    settings = _growth(growth) | more
    if task.exact:
        settings["tree_method"] = "exact"
    kind = NewtonBoostingRegressor if task.kind == "numbers" else NewtonBoostingClassifier
    model = kind(
        n_estimators=settings.pop("n_estimators", task.rounds),
        learning_rate=settings.pop("learning_rate", RATE),
        max_bin=BINS,
        n_jobs=threads,
        **settings,
    )
    return _proba(model.fit(*task.train), task)


def gradatim_vector(task: Task, growth: str, threads: int):
    """One tree a round for all classes, rounds to the loss of a tree for each."""
    return gradatim(task, growth, threads, multi_strategy="multi_output_tree")


def gradatim_vector_best(task: Task, growth: str, threads: int):
    """Vector leaves at settings of their own, not those of the others: a faster rate, fewer rounds,
    heavier leaves and, depth-wise, deeper trees. Chosen for seven_classes by the loss on a fifth of
    its training rows, held out; the test rows had no say."""
    if growth == "leafwise":
        own = {"learning_rate": 0.6, "n_estimators": 65}
    else:
        own = {"learning_rate": 0.7, "n_estimators": 45, "max_depth": 8}
    own["min_child_weight"] = 20.0
    return gradatim(task, growth, threads, multi_strategy="multi_output_tree", **own)


def gradatim_combinations(task: Task, growth: str, threads: int):
    """With target statistics of combinations of columns."""
    return gradatim(task, growth, threads, target_statistics="combinations")


def gradatim_adaboost(task: Task, growth: str, threads: int):
    from gradatim.boost import AdaBoostClassifier

    model = AdaBoostClassifier(n_estimators=task.rounds, learner="stump", n_jobs=threads)
    return _proba(model.fit(*task.train), task)


def sklearn_adaboost(task: Task, growth: str, threads: int):
    from sklearn.ensemble import AdaBoostClassifier

    return _proba(AdaBoostClassifier(n_estimators=task.rounds).fit(*task.train), task)


def xgboost(task: Task, growth: str, threads: int):
    import xgboost

    kind = xgboost.XGBRegressor if task.kind == "numbers" else xgboost.XGBClassifier
    model = kind(
        n_estimators=task.rounds,
        learning_rate=RATE,
        max_bin=BINS,
        n_jobs=threads,
        tree_method="exact" if task.exact else "hist",
        enable_categorical=bool(task.categories),
        **({} if task.exact else _growth(growth)),
        **({"max_depth": DEPTH} if task.exact else {}),
    )
    return _proba(model.fit(*task.train), task)


def lightgbm(task: Task, growth: str, threads: int, **more):
    import lightgbm

    kind = lightgbm.LGBMRegressor if task.kind == "numbers" else lightgbm.LGBMClassifier
    model = kind(
        n_estimators=task.rounds,
        max_depth=DEPTH if growth == "depthwise" else -1,
        num_leaves=2**DEPTH if growth == "depthwise" else LEAVES,
        learning_rate=RATE,
        max_bin=BINS,
        min_child_samples=1,
        min_child_weight=1.0,
        reg_lambda=1.0,
        n_jobs=threads,
        verbose=-1,
        **more,
    )
    return _proba(model.fit(*task.train), task)


def lightgbm_quantised(task: Task, growth: str, threads: int):
    return lightgbm(task, growth, threads, use_quantized_grad=True, quant_train_renew_leaf=True)


def catboost(task: Task, growth: str, threads: int):
    policy = {"depthwise": "Depthwise", "leafwise": "Lossguide", "symmetric": "SymmetricTree"}
    settings = {
        "iterations": task.rounds,
        "learning_rate": RATE,
        "border_count": 254,
        "grow_policy": policy[growth],
        "bootstrap_type": "No",
        "l2_leaf_reg": 1.0,
        "random_strength": 0.0,
        "boosting_type": "Plain",
        "score_function": "L2",
        "leaf_estimation_iterations": 1,
    }
    settings |= {"max_leaves": LEAVES, "depth": 16} if growth == "leafwise" else {"depth": DEPTH}
    return _catboost(task, threads, settings)


def catboost_default(task: Task, growth: str, threads: int):
    return _catboost(task, threads, {"iterations": task.rounds, "learning_rate": RATE})


def _catboost(task: Task, threads: int, settings: dict):
    import catboost

    kind = catboost.CatBoostRegressor if task.kind == "numbers" else catboost.CatBoostClassifier
    model = kind(thread_count=threads, verbose=False, allow_writing_files=False, **settings)
    x, y = task.train
    model.fit(_words(x, task), y, cat_features=task.categories or None)
    predict = _proba(model, task)
    return lambda rows: predict(_words(rows, task))


def _words(x, task: Task):
    """CatBoost takes categories as words, and no missing ones."""
    if not task.categories:
        return x
    x = x.copy()
    for name in task.categories:
        x[name] = x[name].astype(str).fillna("")
    return x


def sklearn(task: Task, growth: str, threads: int):
    import threadpoolctl
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    kind = (
        HistGradientBoostingRegressor if task.kind == "numbers" else HistGradientBoostingClassifier
    )
    model = kind(
        max_iter=task.rounds,
        learning_rate=RATE,
        max_bins=BINS,
        max_depth=DEPTH if growth == "depthwise" else None,
        max_leaf_nodes=2**DEPTH if growth == "depthwise" else LEAVES,
        min_samples_leaf=1,
        l2_regularization=1.0,
        early_stopping=False,
    )
    with threadpoolctl.threadpool_limits(threads):
        return _proba(model.fit(*task.train), task)


def hessboost(task: Task, growth: str, threads: int):
    import hessboost

    x, y = task.train
    settings = {
        "objective": {
            "binary": "binary:logistic",
            "classes": "multi:softprob",
            "numbers": "reg:squarederror",
        }[task.kind],
        "eta": RATE,
        "max_bin": BINS,
        "nthread": threads,
        "tree_method": "exact" if task.exact else "hist",
        "max_depth": DEPTH,
    } | ({} if task.exact else _growth(growth))
    if task.kind == "classes":
        settings["num_class"] = int(y.max()) + 1
    data = hessboost.DMatrix(x, label=y)
    model = hessboost.train(settings, data, task.rounds, verbose_eval=False)
    return model.predict


def bonsai(task: Task, growth: str, threads: int):
    import bonsai

    kind = bonsai.BonsaiRegressor if task.kind == "numbers" else bonsai.BonsaiClassifier
    model = kind(
        n_iters=task.rounds,
        learning_rate=RATE,
        max_bin=BINS,
        max_depth=DEPTH if growth != "leafwise" else 64,
        max_leaves=LEAVES,
        grower={"symmetric": "levelwise"}.get(growth, growth),
        n_threads=threads,
        params={"tree.min_data_in_leaf": 1},
    )
    return _proba(model.fit(*task.train), task)


def ydf(task: Task, growth: str, threads: int):
    import ydf

    x, y = task.train
    label = "y"
    data = {f"x{c}": np.ascontiguousarray(x[:, c]) for c in range(x.shape[1])}
    settings = {
        "label": label,
        "task": ydf.Task.REGRESSION if task.kind == "numbers" else ydf.Task.CLASSIFICATION,
        "num_trees": task.rounds,
        "shrinkage": RATE,
        "max_depth": DEPTH + 1 if growth == "depthwise" else -1,
        "min_examples": 1,
        "l2_regularization": 1.0,
        "use_hessian_gain": True,
        "validation_ratio": 0.0,
        "early_stopping": "NONE",
        "num_threads": threads,
        "discretize_numerical_columns": not task.exact,
        "num_discretized_numerical_bins": BINS,
    }
    if growth == "leafwise":
        settings |= {"growing_strategy": "BEST_FIRST_GLOBAL", "max_num_nodes": LEAVES}
    ydf.verbose(0)
    model = ydf.GradientBoostedTreesLearner(**settings).train(data | {label: y})
    return lambda rows: model.predict(
        {f"x{c}": np.ascontiguousarray(rows[:, c]) for c in range(rows.shape[1])}
    )


SYSTEMS = {
    system.__name__: system
    for system in (
        gradatim,
        gradatim_vector,
        gradatim_vector_best,
        gradatim_combinations,
        gradatim_adaboost,
        xgboost,
        lightgbm,
        lightgbm_quantised,
        catboost,
        catboost_default,
        sklearn,
        sklearn_adaboost,
        hessboost,
        bonsai,
        ydf,
    )
}
