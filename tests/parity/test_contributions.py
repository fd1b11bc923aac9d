"""Contributions against LightGBM's: our trees, written as its model file, explained by it."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest

from gradatim.boost import NewtonBoostingClassifier, NewtonBoostingRegressor

PEERS = "peers live in an environment of their own: make test-all runs this"
lightgbm = pytest.importorskip("lightgbm", reason=PEERS)

TYPES = {"I32": np.int32, "I64": np.int64, "F32": np.float32, "F64": np.float64, "U8": np.uint8}
MISSING_LEFT, NAN_IS_MISSING = 2, 8  # of LightGBM's decision_type


def arrays_of(path: Path) -> dict[str, np.ndarray]:
    """Of a safetensors file: https://huggingface.co/docs/safetensors."""
    content = path.read_bytes()
    size = struct.unpack("<Q", content[:8])[0]
    head, body = json.loads(content[8 : 8 + size]), content[8 + size :]
    return {
        name: np.frombuffer(body[slice(*part["data_offsets"])], TYPES[part["dtype"]])
        for name, part in head.items()
        if name.startswith(("tree.", "base_score")) and part["dtype"] in TYPES
    }


def as_lightgbm(arrays: dict[str, np.ndarray], features: int, outputs: int) -> str:
    """Numeric trees only."""
    names = " ".join(f"f{i}" for i in range(features))
    text = ["tree", "version=v4", f"num_class={outputs}", f"num_tree_per_iteration={outputs}"]
    text += ["label_index=0", f"max_feature_idx={features - 1}", "objective=regression"]
    text += [f"feature_names={names}", "feature_infos=" + " ".join(["[-9:9]"] * features), ""]
    first = arrays["tree.first"]
    for tree in range(len(first) - 1):
        nodes = slice(first[tree], first[tree + 1])
        part = {
            name: arrays[f"tree.{name}"][nodes]
            for name in ("feature", "left", "threshold", "value", "flags", "count")
        }
        inner = part["feature"] >= 0
        places = np.where(inner, np.cumsum(inner) - 1, -np.cumsum(~inner))  # leaf k is -(k + 1)
        # Ours is x < t, theirs x <= t.
        below = np.nextafter(part["threshold"][inner], -np.inf)
        kinds = NAN_IS_MISSING + MISSING_LEFT * (part["flags"][inner] & 1)
        left = part["left"][inner]
        lines = {
            "num_leaves": [(~inner).sum()],
            "num_cat": [0],
            "split_feature": part["feature"][inner],
            "split_gain": [0] * inner.sum(),
            "threshold": [repr(float(x)) for x in below],
            "decision_type": kinds,
            "left_child": places[left],
            "right_child": places[left + 1],
            "leaf_value": [repr(float(x)) for x in part["value"][~inner]],
            "leaf_weight": part["count"][~inner],
            "leaf_count": part["count"][~inner],
            "internal_value": [0] * inner.sum(),
            "internal_weight": part["count"][inner],
            "internal_count": part["count"][inner],
            "is_linear": [0],
            "shrinkage": [1],
        }
        text.append(f"Tree={tree}")
        text += [f"{name}={' '.join(map(str, values))}" for name, values in lines.items()]
        text.append("")
    return "\n".join([*text, "end of trees", ""])


def rows(seed: int, count: int, features: int) -> np.ndarray:
    x = np.random.default_rng(seed).normal(size=(count, features))
    x[np.random.default_rng(seed + 1).random(x.shape) < 0.1] = np.nan
    return x


# Not symmetric trees: leaves without training rows are NaN to LightGBM, which divides by them.
@pytest.mark.parametrize("growth", ["depthwise", "lossguide"])
@pytest.mark.parametrize("classes", [1, 2, 3])
def test_the_same_as_lightgbms_of_the_same_trees(tmp_path, growth, classes):
    x = rows(0, 3000, 6)
    known = np.nan_to_num(x)
    score = known[:, 0] * known[:, 1] + np.abs(known[:, 2]) - (x[:, 3] > 0)
    kind = NewtonBoostingRegressor if classes == 1 else NewtonBoostingClassifier
    y = score if classes == 1 else np.digitize(score, np.quantile(score, [0.3, 0.6])[: classes - 1])
    model = kind(n_estimators=10, max_depth=7, grow_policy=growth).fit(x, y)
    model.save(tmp_path / "model.safetensors")
    arrays = arrays_of(tmp_path / "model.safetensors")
    outputs = len(arrays["base_score"])
    peer = lightgbm.Booster(model_str=as_lightgbm(arrays, x.shape[1], outputs))
    new = rows(7, 400, 6)
    theirs = peer.predict(new, pred_contrib=True).reshape(len(new), outputs, -1)
    theirs[:, :, -1] += arrays["base_score"]
    ours = model.shap_values(new).reshape(theirs.shape)
    assert np.abs(ours[:, :, :-1]).max() > 0.1
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-10)
