"""A model is trained by the real command: told why not in one line, killed, and started again."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from safetensors.numpy import load_file

from tests.end_to_end.test_prefect import ROOT, environment, found, server

SHORT = ("--stage1-steps", 6, "--stage2-steps", 4, "--batch-size", 4, "--set", "save_steps=2")
LOCAL = ("--engine", "local", "--set", "eval_split=none")
KILLED_WITHIN_S = 180


def test_what_cannot_be_trained_is_one_line_and_status_2(terrascope, tmp_path) -> None:
    done = terrascope("train", "--data", tmp_path, "--out", tmp_path / "out", *SHORT, *LOCAL)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"terrascope: {tmp_path} holds no manifest.json")


@pytest.mark.full
@pytest.mark.slow
def test_training_that_is_killed_goes_on_to_the_same_end(terrascope, dataset, tmp_path) -> None:
    arguments = ("train", "--data", dataset, *SHORT, *LOCAL)
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert terrascope(*arguments, "--out", whole, env=env).returncode == 0
    command = [sys.executable, "-m", "cli", *map(str, arguments), "--out", str(killed)]
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL) as process:
        begun = time.monotonic()
        while not (killed / "stage1" / "checkpoint-4" / "trainer_state.json").exists():
            assert time.monotonic() - begun < KILLED_WITHIN_S
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    assert not (killed / "training.json").exists()
    again = terrascope(*arguments, "--out", killed, env=env)
    assert again.returncode == 0, again.stderr
    reports = [json.loads((out / "training.json").read_text()) for out in (killed, whole)]
    assert reports[0]["losses"] == reports[1]["losses"]
    mine, its = (load_file(out / "model.safetensors") for out in (killed, whole))
    assert all((mine[name] == its[name]).all() for name in its)


@pytest.mark.full
@pytest.mark.slow
@pytest.mark.prefect
def test_a_run_leaves_curves_and_figures_in_the_ui(terrascope, dataset, tmp_path) -> None:
    home = tmp_path / "prefect"
    home.mkdir()
    out = tmp_path / "small model"
    arguments = ("--data", dataset, "--out", out, *SHORT, "--set", "eval_pictures=2")
    env = environment(home, OMP_NUM_THREADS=1)
    done = terrascope("train", *arguments, env=env)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"model    {out}"
    with server(home) as (client, _):
        runs = {run["name"]: run["state_type"] for run in found(client, "flow_runs")}
        assert runs == {str(out): "COMPLETED"}
        artifacts = {artifact["key"]: artifact for artifact in found(client, "artifacts")}
    assert set(artifacts) == {f"{what}-small-model" for what in ("steps", "losses", "iou")}
    assert float(artifacts["steps-small-model"]["data"]) == 100
    assert artifacts["losses-small-model"]["data"].startswith("![losses](data:image/png;base64,")
    rows = json.loads(artifacts["iou-small-model"]["data"])
    assert rows[0].keys() == {"pictures", "mean IoU"}


def test_neither_torch_nor_kernels_are_loaded_to_start_training(tmp_path: Path) -> None:
    """A wrong setting is told in a moment, and a run begins seconds after its event."""
    modules = "tasks.training, flows.train_published, flows.reconcile"
    script = f"import sys, {modules}; assert not {{'torch', 'numba'}} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True)
