"""How far each stage of a build is, as artifacts in the Prefect UI that are updated a few times.

A stage tells of its granules by its bars, in the process that runs its task.
"""

import re
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact

from tasks.progress import Bar

LONG_S = 10.0  # a stage that ends sooner leaves no artifact
STEP_PERCENT = 10.0  # from one update to the next, so ten at most


@dataclass(slots=True)
class _Stage:
    """The bars of a stage, one a batch and more, and what is shown of them."""

    begun: float
    ended: float
    bars: dict[Bar, None] = field(default_factory=dict)  # a set in order
    artifact: UUID | None = None
    shown_percent: float = 0.0


class Stages:
    """Follows the bars of one build; to be called with each when it begins and at each step.

    Args:
        dataset: Its name, of which the artifacts' keys are made.
        granules: How many a stage goes through.
        passes: How often, of the stages that go through them more than once.
    """

    def __init__(self, dataset: str, granules: int, passes: dict[str, int]) -> None:
        self._dataset, self._granules, self._passes = dataset, granules, passes
        self._stages: dict[str, _Stage] = {}
        self._lock = Lock()  # batches of a stage run side by side

    def __call__(self, bar: Bar) -> None:
        """Note how far a bar is, and show it where its stage is a long one."""
        with self._lock:
            now = monotonic()
            stage = self._stages.setdefault(bar.stage, _Stage(begun=now, ended=now))
            stage.bars[bar] = None
            stage.ended = now
            if stage.artifact is not None or now - stage.begun >= LONG_S:
                self._show(bar.stage, stage)

    @property
    def seconds(self) -> dict[str, float]:
        """Return the seconds of each stage so far, from its first bar's begin to the last step."""
        with self._lock:
            return {name: stage.ended - stage.begun for name, stage in self._stages.items()}

    def _show(self, name: str, stage: _Stage) -> None:
        due = self._granules * self._passes.get(name, 1)
        total = max(due, sum(bar.total for bar in stage.bars))
        percent = 100 * sum(bar.done for bar in stage.bars) / max(1, total)
        if stage.artifact is None:
            found = create_progress_artifact(
                percent, key_of(f"progress-{name}", self._dataset), f"{name} of {self._dataset}"
            )
            assert isinstance(found, UUID), "a task that is not async creates at once"
            stage.artifact, stage.shown_percent = found, percent
        elif percent >= min(100.0, stage.shown_percent + STEP_PERCENT) > stage.shown_percent:
            update_progress_artifact(stage.artifact, percent)
            stage.shown_percent = percent


def key_of(what: str, dataset: str) -> str:
    """Return an artifact's key: of small letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", f"{what}-{dataset}".lower()).strip("-")
