"""The flights in Python: train, watch, predict, evaluate, explain, save."""

import flights_data

import gradatim
from gradatim.boost import NewtonBoostingClassifier
from gradatim.boost.metric import auc, log_loss


def main() -> None:
    tables = flights_data.frames()
    X, y = {}, {}
    for name, table in tables.items():
        X[name], y[name] = table.drop(columns=flights_data.TARGET), table[flights_data.TARGET]

    model = NewtonBoostingClassifier(
        n_estimators=1000,
        learning_rate=0.05,
        subsample=0.5,
        colsample_bytree=0.5,
        early_stopping_rounds=30,
    )
    model.fit(X["train"], y["train"], eval_set=(X["valid"], y["valid"]))
    print(f"kept {model.best_iteration_} rounds")

    probability = model.predict_proba(X["test"])[:, 1]
    print(
        f"held-out days: log_loss {log_loss(y['test'], probability):.6f}, "
        f"auc {auc(y['test'], probability):.6f}"
    )
    ranked = sorted(zip(model.feature_importances_, model.feature_names_in_, strict=True))[::-1]
    print("it looks at", ", ".join(f"{name} {share:.0%}" for share, name in ranked[:5]))

    flights_data.FOLDER.mkdir(parents=True, exist_ok=True)
    path = flights_data.FOLDER / "flights_python.safetensors"
    model.save(path)
    assert (gradatim.load(path).predict_proba(X["test"])[:, 1] == probability).all()
    print("saved, loaded again, and the same predictions:", path.name)


if __name__ == "__main__":
    main()
