"""One boosted model by the workers of Ray Train: python examples/ray_train.py rows.parquet y

Assumes ray[train] and gradatim with its torch on every machine, and the file under the same name
on all of them; the model lies on the machine of rank 0. Ray tells each worker which rank it is, in
the variables that torchrun would set. Its own group listens at MASTER_PORT, and the ranks meet
there.
"""

import os
import sys

import pyarrow.parquet
from ray.train import FailureConfig, RunConfig, ScalingConfig
from ray.train.torch import TorchTrainer

import gradatim
from gradatim.boost import NewtonBoostingClassifier


def train(config: dict[str, str]) -> None:
    # Somebody listens at MASTER_PORT already, as behind torchrun.
    os.environ["TORCHELASTIC_USE_AGENT_STORE"] = "True"
    with gradatim.processes.join(timeout=300) as group:
        table = pyarrow.parquet.read_table(config["data"])
        first, end = (table.num_rows * r // group.size for r in (group.rank, group.rank + 1))
        rows = table.slice(first, end - first).to_pandas()
        model = NewtonBoostingClassifier(n_estimators=100)
        model.fit(rows.drop(columns=config["target"]), rows[config["target"]])
        if group.rank == 0:  # all ranks have the same model
            model.save(config["out"])


def main() -> None:
    data, target = sys.argv[1:3]
    trainer = TorchTrainer(
        train,
        train_loop_config={
            "data": os.path.abspath(data),
            "target": target,
            "out": os.path.abspath("model.safetensors"),
        },
        scaling_config=ScalingConfig(num_workers=4, resources_per_worker={"CPU": 4}),
        run_config=RunConfig(failure_config=FailureConfig(max_failures=3)),
    )
    trainer.fit()


if __name__ == "__main__":
    main()
