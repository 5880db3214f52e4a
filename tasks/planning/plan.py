"""What a build would do, as counts and reasons, and in words."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from tasks.planning.changed import SourceChange

MOST_NAMED = 5  # scenes and files that are named; of the others the number is said


class Fate(StrEnum):
    """What becomes of a granule in a stage; the second only if an earlier stage changes it."""

    DUE = "to do"
    FOLLOWING = "to follow"
    KEPT = "kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class StagePlan:
    """What one stage would do.

    `reasons` counts granules by reason; one may have several. `calls` of a model are one a scene,
    those included whose replies are stored.
    """

    stage: str
    unit: str = "granules"
    fates: Counter[Fate] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    calls: int = 0

    @property
    def idle(self) -> bool:
        """Whether everything is kept."""
        return not self.fates[Fate.DUE] and not self.fates[Fate.FOLLOWING]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildPlan:
    """What a build would do.

    Attributes:
        sources: How each source is other than when it was read.
        stages: What becomes of the granules in each stage.
        gone: Granules that leave the dataset with all their scenes.
        as_read: Granules whose scenes are as they were when they were read.
        empty: Of which splits there is no scene, in words.
    """

    sources: tuple[SourceChange, ...]
    stages: tuple[StagePlan, ...]
    gone: tuple[str, ...]
    as_read: frozenset[str]
    empty: tuple[str, ...] = ()

    @property
    def idle(self) -> bool:
        """Whether every stage keeps everything."""
        return not self.gone and all(stage.idle for stage in self.stages)


def plan_lines(plan: BuildPlan) -> Iterator[str]:
    """Yield a plan in words."""
    for source in plan.sources:
        yield _source_line(source)
    yield from plan.empty
    for stage in plan.stages:
        yield from _stage_lines(stage)
    if plan.gone:
        yield f"leave the dataset: {_named(plan.gone)}"
    if plan.idle:
        yield "nothing to do: the dataset stays as it is"


def _stage_lines(stage: StagePlan) -> Iterator[str]:
    counts = [f"{stage.fates[fate]:,} {fate}" for fate in Fate if stage.fates[fate]]
    yield f"{stage.stage:<20}{stage.unit}: {', '.join(counts)}"
    for reason, number in stage.reasons.most_common():
        yield f"{'':<20}  {number:,} x {reason}"
    if stage.calls:
        yield (
            f"{'':<20}  {stage.calls:,} calls, one a scene; repair turns come on top, stored "
            "replies cost nothing"
        )


def _source_line(source: SourceChange) -> str:
    found = {
        "new": source.new,
        "changed": source.changed,
        "withdrawn": source.withdrawn,
        "new files": source.files_new,
        "changed files": source.files_changed,
        "removed files": source.files_removed,
    }
    told = [f"{len(names):,} {what} ({_named(names)})" for what, names in found.items() if names]
    return f"source {source.source}: {source.scenes:,} scenes; {'; '.join(told) or 'as they were'}"


def _named(names: Sequence[str]) -> str:
    shown = ", ".join(name.rsplit("/", 1)[-1] for name in names[:MOST_NAMED])
    more = len(names) - MOST_NAMED
    return f"{shown} and {more:,} more" if more > 0 else shown
