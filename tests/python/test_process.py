"""What happens around a fit: fork, Ctrl-C, other threads."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
from sklearn.model_selection import cross_val_score

from gradatim.boost import NewtonBoostingRegressor

X = np.random.default_rng(0).normal(size=(20000, 10))
Y = X[:, 0] * X[:, 1]


def fitted(n_jobs):
    return NewtonBoostingRegressor(n_estimators=10, n_jobs=n_jobs).fit(X, Y)._model.bytes()


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_fits_and_predicts_after_its_parent():
    expected = fitted(2)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        for made in pool.map_async(fitted, [1, 2]).get(timeout=120):
            assert made == expected


def test_joblib_workers_fit():
    scores = cross_val_score(NewtonBoostingRegressor(n_estimators=5), X, Y, cv=2, n_jobs=2)
    assert np.isfinite(scores).all()


def test_a_misspelt_choice_of_vector_instructions_is_refused():
    done = subprocess.run(
        [sys.executable, "-c", "import gradatim"],
        env=os.environ | {"GRADATIM_SIMD": "avx"},
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "ImportError: the environment variable GRADATIM_SIMD" in done.stderr


ENDLESS = """
import sys
import numpy as np
from gradatim.boost import NewtonBoostingRegressor

X = np.random.default_rng(0).normal(size=(2000, 5))

def started(y, f, told=[]):
    if not told:
        told.append(print("started", flush=True))
    return f - y, 1.0

try:
    NewtonBoostingRegressor(n_estimators=1000000, learning_rate=1e-6, {loss}).fit(X, X[:, 0])
except KeyboardInterrupt:
    sys.exit(77)
"""


@pytest.mark.parametrize("loss", ["loss=started", "verbose=1"])
def test_ctrl_c_interrupts_a_fit(loss):
    child = subprocess.Popen(
        [sys.executable, "-c", ENDLESS.replace("{loss}", loss)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    (child.stderr if loss == "verbose=1" else child.stdout).readline()
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=60)
    assert child.returncode == 77


def test_other_threads_run_during_a_fit():
    turns = []
    done = threading.Event()

    def spin():
        while not done.is_set():
            turns.append(len(turns))
            done.wait(0.001)

    thread = threading.Thread(target=spin)
    thread.start()
    try:
        before = len(turns)
        NewtonBoostingRegressor(n_estimators=100, n_jobs=1).fit(X, Y)
        during = len(turns) - before
    finally:
        done.set()
        thread.join()
    assert during >= 5
