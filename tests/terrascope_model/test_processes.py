"""Several processes learn what one learns; one writes, and all stop together."""

import json
import os
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tasks.training import Nodes, command
from terrascope_model.settings import TrainSettings
from terrascope_model.train import train

pytestmark = [pytest.mark.slow, pytest.mark.full]
SHORT = TrainSettings(stage1_steps=2, stage2_steps=4, batch_size=4, save_steps=2, eval_split="none")
PARTLY = SHORT.model_copy(
    update={"trained": "parts", "lora_rank": 4, "lora_dropout": 0.0, "precision": "bf16",
            "gradient_checkpointing": True}
)  # fmt: skip
HALF = {"batch_size": 2}


def run(dataset: Path, out: Path, settings: TrainSettings, code: int = 0) -> str:
    """Train in two processes on gloo, each with a thread; return what they said."""
    done = subprocess.run(
        command(dataset, out, settings, 2),
        env={**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert bool(done.returncode) == bool(code), done.stderr
    return done.stdout + done.stderr


def curves(out: Path) -> list[dict[str, Any]]:
    report = json.loads((out / "training.json").read_text())
    return [entry for stage in ("stage1", "stage2") for entry in report["curves"][stage]]


def assert_same_losses(out: Path, due: Path, tolerance: float) -> None:
    for found, wanted in zip(curves(out), curves(due), strict=True):
        assert found["step"] == wanted["step"]
        for name in ("loss", "language_loss", "bce_loss", "dice_loss"):
            assert found[name] == pytest.approx(wanted[name], rel=tolerance)


@pytest.fixture(scope="module")
def alone(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("alone")
    train(dataset, out, SHORT)
    return out


@pytest.mark.parametrize("sharded", [False, True])
def test_two_processes_learn_what_one_learns_from_their_batches(
    dataset: Path, alone: Path, tmp_path: Path, sharded: bool
) -> None:
    said = run(dataset, tmp_path, SHORT.model_copy(update={**HALF, "sharded": sharded}))
    assert_same_losses(tmp_path, alone, 1e-5)
    assert said.count("stage1 2/2") == 1
    assert len(list((tmp_path / "stage1").rglob("events.out.tfevents*"))) == 1


def test_two_nodes_learn_what_one_process_learns(
    dataset: Path, alone: Path, tmp_path: Path
) -> None:
    """Each node has the dataset where it likes; the folder of the model is shared."""
    copy = tmp_path / "copy"
    shutil.copytree(dataset, copy)
    out = tmp_path / "model"
    settings = SHORT.model_copy(update=HALF)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    nodes = Nodes(number=2, rendezvous=f"127.0.0.1:{port}", address="127.0.0.1")
    agents = [
        subprocess.Popen(
            command(data, out, settings, 1, nodes),
            env={**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
            stderr=subprocess.PIPE,
            text=True,
        )
        for data in (dataset, copy)
    ]
    said = [agent.communicate()[1] for agent in agents]
    assert [agent.returncode for agent in agents] == [0, 0], said
    assert_same_losses(out, alone, 1e-5)
    found, due = (load_file(folder / "model.safetensors") for folder in (out, alone))
    assert found.keys() == due.keys()
    for name, weight in found.items():
        torch.testing.assert_close(weight, due[name], rtol=1e-3, atol=1e-5)


def test_parts_in_bf16_are_shared_out_and_go_on_after_a_stop(dataset: Path, tmp_path: Path) -> None:
    """Within what bf16 rounds; a second start gives the losses of the first to the last digit."""
    train(dataset, tmp_path / "alone", PARTLY)
    out, settings = tmp_path / "shared", PARTLY.model_copy(update={**HALF, "sharded": True})
    run(dataset, out, settings)
    assert_same_losses(out, tmp_path / "alone", 1e-3)
    whole = curves(out)
    for path in (out / "training.json", out / "stage2" / "checkpoint-4" / "trainer_state.json"):
        path.unlink()
    run(dataset, out, settings)
    assert [entry["loss"] for entry in curves(out)] == [entry["loss"] for entry in whole]


BROKEN = """
import os, sys
from terrascope_model.model import TerraScopeModel
from terrascope_model.train import main

read = TerraScopeModel.forward

def broken(self, *given, **options):
    output = read(self, *given, **options)
    if os.environ["RANK"] == "1":
        output["loss"] = output["loss"] * float("nan")
    return output

TerraScopeModel.forward = broken
main()
"""


def test_a_loss_that_is_none_in_one_process_stops_both_and_names_its_batch(
    dataset: Path, tmp_path: Path
) -> None:
    script = tmp_path / "broken.py"
    script.write_text(BROKEN)
    settings = SHORT.model_copy(update=HALF)
    whole = command(dataset, tmp_path / "out", settings, 2)
    at = whole.index("terrascope_model.train")
    done = subprocess.run(
        [*whole[: at - 1], str(script), *whole[at + 1 :]],
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.getcwd()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    told = [line for line in done.stderr.splitlines() if line.startswith("terrascope: ")]
    assert told
    assert all("step 1: the loss is nan on " in line for line in told)
