"""Training of a model in processes of its own, so that its memory is free when it ends."""

import hashlib
import importlib.util
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from tasks.errors import ConfigError, UserError
from tasks.serving.process import ServerProcess
from tasks.yaml_file import read_yaml
from terrascope_model.settings import FAULT, TrainSettings

LOG_NAME, REPORT_NAME = "train.log", "training.json"
NEEDED = ("accelerate", "peft", "tensorboard", "torch", "transformers")
LOOK_EVERY_S = 0.2
GRACE_S = 5.0  # to end by itself what is to be ended
_STEP = re.compile(r"^(stage\d) (\d+)/(\d+) ")


class TrainingFailed(UserError):
    """Work with a model did not come to its end; the message says why, checkpoints are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nodes:
    """Several machines that train one model; each runs the same command.

    Attributes:
        number: How many there are.
        rendezvous: HOST:PORT of one of them, where they find each other.
        address: Of this machine, as the others reach it; its host name if not given.
    """

    number: int
    rendezvous: str
    address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A model that was trained.

    Attributes:
        out: Its folder.
        losses: The last of each stage, by "stage/name".
        iou: The mean IoU of held-out named classes: of all, of names new and learnt, by pictures.
        curves: For each stage its logged losses: (step, loss).
    """

    out: Path
    losses: dict[str, float]
    iou: dict[str, float]
    curves: dict[str, list[tuple[int, float]]]


def load_settings(file: Path | None, options: dict[str, Any], more: list[str]) -> TrainSettings:
    """Read a YAML file of settings and lay the command line's over it.

    `more` are settings as NAME=VALUE, the value in YAML. ConfigError names what is wrong.
    """
    given = {name: value for name, value in options.items() if value is not None}
    for pair in more:
        name, equals, value = pair.partition("=")
        if not (name and equals):
            raise ConfigError(f"--set takes NAME=VALUE, got {pair!r}")
        try:
            given[name] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise ConfigError(f"--set {name}: {value!r} is not YAML") from error
    try:
        return TrainSettings.model_validate({**read_yaml(file), **given})
    except ValidationError as error:
        raise ConfigError(_explain(error)) from error


def learn(
    dataset: Path,
    out: Path,
    settings: TrainSettings,
    processes: int | None = None,
    threads: int | None = None,
    nodes: Nodes | None = None,
) -> Iterator[str]:
    """Train, and yield what is said meanwhile, line by line; all of it is in `train.log` as well.

    One process a GPU if their number is not given, one on a machine without; processes share the
    cores if their `threads` are not given. Of several `nodes` each has a log of its own, and the
    first says what is said.

    Raises:
        TrainingFailed: with the reason that was given, or the last lines; or what is not installed.
    """
    require_torch("training")
    number = processes or max(1, num_gpus())
    environment = dict(os.environ)
    if number > 1 or threads:
        own = threads or max(1, (os.cpu_count() or 1) // number)
        environment.setdefault("OMP_NUM_THREADS", str(own))
    out.mkdir(parents=True, exist_ok=True)
    log = out / (f"train-{socket.gethostname()}-{os.getpid()}.log" if nodes else LOG_NAME)
    started = command(dataset, out, settings, number, nodes)
    yield from told_by(started, environment, log, "training")


def require_torch(what: str) -> None:
    """Raise TrainingFailed where what a model needs is not installed."""
    if missing := [name for name in NEEDED if importlib.util.find_spec(name) is None]:
        raise TrainingFailed(
            f"{', '.join(missing)} cannot be imported; {what} needs `pip install -e '.[train]'`"
        )


def told_by(
    command: list[str], environment: Mapping[str, str], log: Path, what: str
) -> Iterator[str]:
    """Run a command that works with a model, and yield its lines; all are in its log as well.

    TrainingFailed where it does not end well, with the reason that it gave, or its last lines.
    """
    start = log.stat().st_size if log.exists() else 0
    process = ServerProcess(command, environment, log, GRACE_S)
    faults = []
    try:
        for line in _followed(process, log, start):
            if line.startswith(FAULT):
                faults.append(line.removeprefix(FAULT))
            else:
                yield line
        end = process.end
        if end != "ended with status 0":
            raise TrainingFailed(faults[0] if faults else f"{what} {end}: {process.tail()}")
    finally:
        process.stop()


def nodes_of(number: int, rendezvous: str | None, address: str | None) -> Nodes | None:
    """Return the machines that train, None for this one alone; ConfigError for half of it."""
    host, colon, port = (rendezvous or "").rpartition(":")
    if number == 1 and not (rendezvous or address):
        return None
    if number == 1 or not (host and colon and port.isdigit()):
        raise ConfigError(
            "several nodes need --nodes N and --rendezvous HOST:PORT, the same on all of them; "
            f"got --nodes {number} and --rendezvous {rendezvous}"
        )
    return Nodes(number=number, rendezvous=f"{host}:{port}", address=address or "")


def command(
    dataset: Path, out: Path, settings: TrainSettings, processes: int, nodes: Nodes | None = None
) -> list[str]:
    """Return the command that trains in so many processes, on each of several nodes if given."""
    given = settings.model_dump_json()
    where = ["--standalone"] if nodes is None else _meeting(nodes, out, given)
    launcher = ["-m", "torch.distributed.run", *where, f"--nproc-per-node={processes}"]
    return [
        sys.executable,
        *(launcher if processes > 1 or nodes else []),
        *("-m", "terrascope_model.train", "--data", str(dataset), "--out", str(out)),
        *("--settings", given),
    ]


def _meeting(nodes: Nodes, out: Path, given: str) -> list[str]:
    """Return how nodes meet: those that train the same into the same folder, and no others."""
    same = hashlib.sha256(f"{out.resolve()} {given}".encode()).hexdigest()[:16]
    local = [f"--local-addr={nodes.address}"] if nodes.address else []
    return [
        f"--nnodes={nodes.number}",
        "--rdzv-backend=c10d",
        f"--rdzv-endpoint={nodes.rendezvous}",
        f"--rdzv-id=terrascope-{same}",
        *local,
    ]


def trained(out: Path) -> Trained:
    """Return what a training that has ended noted in its folder."""
    report = json.loads((out / REPORT_NAME).read_text(encoding="utf-8"))
    return Trained(
        out=out,
        losses=report["losses"],
        iou={group["name"]: group["mean_iou"] for group in report["iou"]},
        curves={
            stage: [(entry["step"], entry["loss"]) for entry in entries]
            for stage, entries in report["curves"].items()
        },
    )


def share_done(line: str, settings: TrainSettings) -> float | None:
    """Return how much of all steps is done when a line is said; None of a line without a step."""
    found = _STEP.match(line)
    if found is None:
        return None
    before = settings.stage1_steps if found[1] == "stage2" else 0
    return (before + int(found[2])) / (settings.stage1_steps + settings.stage2_steps)


def num_gpus() -> int:
    """Return how many NVIDIA GPUs this process may use."""
    if shutil.which("nvidia-smi") is None:
        return 0
    shown = os.environ.get("CUDA_VISIBLE_DEVICES")
    if shown is not None:
        return len([device for device in shown.split(",") if device.strip()])
    listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False)
    return sum(line.startswith("GPU ") for line in listed.stdout.splitlines())


def _followed(process: ServerProcess, log: Path, start: int) -> Iterator[str]:
    """Yield the whole lines that a process adds to its log, until it has ended."""
    with log.open(encoding="utf-8", errors="replace") as file:
        file.seek(start)
        begun = ""
        ended = False
        while True:
            *whole, begun = (begun + file.read()).split("\n")
            yield from whole
            if ended:
                return
            ended = process.end is not None
            if not ended:
                time.sleep(LOOK_EVERY_S)


def _explain(error: ValidationError) -> str:
    lines = []
    for fault in error.errors():
        name = ".".join(map(str, fault["loc"]))
        if fault["type"] == "extra_forbidden":
            known = ", ".join(TrainSettings.model_fields)
            lines.append(f"unknown setting {name!r}; known are {known}")
        elif not name:
            lines.append(fault["msg"].removeprefix("Value error, "))
        else:
            lines.append(f"setting {name!r}: {fault['msg']}, got {fault['input']!r}")
    return "; ".join(lines)
