"""Scoring of a model in a process of its own, so that its memory is free when it ends."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tasks.training import require_torch, told_by

LOG_NAME = "bench.log"


def score_apart(
    bench: Path, model: Path, folder: Path, number: int | None, max_new_tokens: int
) -> Iterator[str]:
    """Ask a model the items of a bench as `terrascope bench` does, and yield what it says.

    Raises:
        TrainingFailed: with the last lines of what went wrong; or what is not installed.
    """
    require_torch("scoring of a model")
    folder.mkdir(parents=True, exist_ok=True)
    command = [
        *(sys.executable, "-m", "cli", "bench", str(bench)),
        *("--model", str(model), "--out", str(folder), "--max-new-tokens", str(max_new_tokens)),
        *(() if number is None else ("--number", str(number))),
    ]
    yield from told_by(command, os.environ, folder / LOG_NAME, "scoring")


def read_score(folder: Path) -> dict[str, Any]:
    """Return the figures that scoring left in its folder: `tasks.scoring.score.Score` as JSON."""
    score: dict[str, Any] = json.loads((folder / "bench.json").read_text(encoding="utf-8"))
    return score
