"""Work that does harm to the worker that it runs on; imported by workers of clusters."""

import os
import signal
from pathlib import Path

from tasks.config import BuildConfig
from tasks.granules import GranuleId
from tasks.ledger import Record

HARM = "deaths"  # a file beside the dataset, of a byte a try


def record(config: BuildConfig, granule: GranuleId) -> Record:
    """Note where the dataset is said to be."""
    parts = {"out": str(config.out)}
    return Record(stage="s", granule=granule.name, key="k", parts=parts, outputs=(), taken=1, out=1)


def dies(config: BuildConfig, granule: GranuleId, most: int) -> Record:
    """Kill the worker that this runs on, `most` times in all, at the granule 001."""
    if granule.bucket == "001" and tries(config) < most:
        _note(config)
        os.kill(os.getpid(), signal.SIGKILL)
    return record(config, granule)


def fails(config: BuildConfig, granule: GranuleId) -> Record:
    """Raise what a full disk raises, at the granule 001."""
    if granule.bucket == "001":
        _note(config)
        raise OSError(28, "No space left on device")
    return record(config, granule)


def tries(config: BuildConfig) -> int:
    """Return how often it has come to harm."""
    path = Path(config.out).with_name(HARM)
    return len(path.read_bytes()) if path.exists() else 0


def _note(config: BuildConfig) -> None:
    with Path(config.out).with_name(HARM).open("ab") as file:
        file.write(b".")
