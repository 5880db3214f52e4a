"""Which training a published version still lacks: decided from what is on disk and what has run."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.errors import ConfigError
from tasks.ledger import sha256_of
from tasks.manifest import MANIFEST_NAME, read_manifest
from tasks.training import REPORT_NAME

DIGEST_CHARS = 12  # of a manifest's digest, in the name of a model's folder
TRIES = 3  # of a version: training that takes its machine down is not started for ever
AT_WORK = {"SCHEDULED", "PENDING", "RUNNING", "PAUSED", "CANCELLING"}
A_PERSONS = {"FAILED", "CANCELLED"}  # the same again would fail again; what was ended was meant


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """A training run of one version of a dataset: its name, and the type of its state."""

    name: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Whether to start a training run, and why or why not."""

    start: bool
    why: str


def published_digest(dataset: Path) -> str:
    """Return the SHA-256 of a dataset's manifest; ManifestError where there is no whole one."""
    read_manifest(dataset)
    return sha256_of(dataset / MANIFEST_NAME)


def model_folder(models: Path, dataset: Path, manifest_sha256: str) -> Path:
    """Return the folder of the model that one version of a dataset gives."""
    if len(manifest_sha256) != 64 or set(manifest_sha256) - set("0123456789abcdef"):
        raise ConfigError(
            f"manifest_sha256 {manifest_sha256!r} is no SHA-256 in hex; give that of "
            f"{dataset / MANIFEST_NAME}"
        )
    return models / f"{dataset.resolve().name}-{manifest_sha256[:DIGEST_CHARS]}"


def decide(model: Path, runs: Sequence[PastRun], age_s: float, grace_s: float) -> Decision:
    """Decide on a version from its model's folder, its runs (latest first) and its age.

    A version younger than `grace_s` is left to its event. One from the future, by a clock that was
    set back, is not waited for.
    """
    if (model / REPORT_NAME).is_file():
        return Decision(start=False, why=f"trained: {model}")
    for run in runs:
        if run.state in AT_WORK:
            return Decision(start=False, why=f"run {run.name} is {run.state.lower()}")
    if runs and runs[0].state in A_PERSONS:
        return Decision(start=False, why=f"run {runs[0].name} {runs[0].state.lower()}: see there")
    if len(runs) >= TRIES:
        return Decision(start=False, why=f"given up after {len(runs)} runs: see {runs[0].name}")
    if 0 <= age_s < grace_s:
        return Decision(start=False, why=f"published {age_s:.0f} s ago: left to its event")
    ended = f" after {runs[0].name}, {runs[0].state.lower()}" if runs else " and no run"
    return Decision(start=True, why=f"no model{ended}")
