"""The gates on shares: splits, what was refused, how often the commonest answer and class come."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from tasks.manifest import GateResult, StageCount
from tasks.place_split import SPLITS, SplitShares
from tasks.publication.leakage import Footprint
from tasks.publication.settings import GateSettings

DRAWN = "splits"
BUDGET = "refusals"
BALANCE = "balance"
_OF_SCENES = ("scene", "class")  # units of which no sample is refused


def split_shares(shares: SplitShares, scenes: Iterable[Footprint]) -> Iterator[GateResult]:
    """Yield of each source which share of its scenes each split came to, drawn by place."""
    by_source: dict[str, Counter[str]] = defaultdict(Counter)
    for scene in scenes:
        by_source[scene.source][scene.split] += 1
    for source, counted in sorted(by_source.items()):
        total = counted.total()
        for split in SPLITS:
            yield GateResult(
                gate=DRAWN,
                subject=f"share in {split} of the {total:,} scenes of {source}, drawn for "
                f"{getattr(shares, split):.0%} of its tiles or events",
                found=round(counted[split] / total, 4),
            )


def refused_scenes(
    limits: GateSettings, listed: Mapping[str, int], refused: Mapping[str, int]
) -> Iterator[GateResult]:
    """Yield of each source which share of the scenes that it lists was refused."""
    for source, number in sorted(listed.items()):
        subject = f"share refused of the {number:,} scenes of {source}"
        yield _share(
            BUDGET, subject, refused.get(source, 0), number, limits.scenes_refused,
            "scenes_refused", limits.least,
        )  # fmt: skip


def refused_samples(limits: GateSettings, counts: Sequence[StageCount]) -> Iterator[GateResult]:
    """Yield of each stage that refused samples which share of them it refused."""
    for count in counts:
        if count.rejected and count.unit not in _OF_SCENES:
            subject = f"share refused of the {count.taken:,} {count.unit}s of {count.stage}"
            yield _share(
                BUDGET, subject, count.rejected, count.taken, limits.samples_refused,
                "samples_refused", limits.least,
            )  # fmt: skip


def commonest_answers(
    limits: GateSettings, answers: Mapping[str, Counter[str]]
) -> Iterator[GateResult]:
    """Yield of each task with closed answers which share the commonest one has."""
    for task, counted in sorted(answers.items()):
        (answer, number), total = _commonest(counted), counted.total()
        subject = f"share of {answer!r} among the {total:,} answers of {task}"
        yield _share(
            BALANCE, subject, number, total, limits.commonest_answer, "commonest_answer",
            limits.least,
        )  # fmt: skip


def commonest_classes(
    limits: GateSettings, classes: Mapping[str, Counter[str]]
) -> Iterator[GateResult]:
    """Yield of each source which share of the classes asked about is the commonest one."""
    for source, counted in sorted(classes.items()):
        (name, number), total = _commonest(counted), counted.total()
        subject = f"share of {name!r} among the {total:,} classes asked about in {source}"
        yield _share(
            BALANCE, subject, number, total, limits.commonest_class, "commonest_class",
            limits.least,
        )  # fmt: skip


def _commonest(counted: Counter[str]) -> tuple[str, int]:
    """Return the commonest and its number, of several the first by name."""
    return min(counted.items(), key=lambda item: (-item[1], item[0]))


def _share(
    gate: str, subject: str, part: int, whole: int, limit: float | None, setting: str, least: int
) -> GateResult:
    """Return a share; of fewer than the least number it is only reported."""
    return GateResult(
        gate=gate,
        subject=subject,
        found=round(part / whole, 4) if whole else 0.0,
        limit=limit if whole >= least else None,
        setting=setting,
    )
