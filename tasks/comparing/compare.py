"""Compare two datasets: samples added, removed and changed, and the cause of each."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import pyarrow.parquet as pq

from tasks.comparing.causes import Cause, Side, cause_of
from tasks.comparing.samples import Sample, other_shards, samples_of
from tasks.lineage.graph import short
from tasks.manifest import Manifest, read_manifest
from tasks.scene_list import read_scene_list
from tasks.stage_names import INGEST

MOST_NAMED = 20  # withdrawn scenes that are named; of the others the number is said
BY = ("source", "tier", "task")


class Fate(StrEnum):
    """What became of a sample from the first dataset to the second."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One sample that differs; `before` is its shard in the first dataset, "" if it is added."""

    fate: Fate
    sample: Sample
    cause: Cause
    before: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All that two datasets differ in. `renamed` samples say the same, of another provenance."""

    then: Manifest
    now: Manifest
    changes: tuple[Change, ...]
    renamed: int
    withdrawn: tuple[str, ...]
    new: tuple[str, ...]

    @property
    def same(self) -> int:
        """Samples that both have and that say the same."""
        gone = sum(change.fate is not Fate.ADDED for change in self.changes)
        return sum(file.rows for file in self.then.files) - gone

    def counts(self) -> Counter[tuple[Fate, Cause]]:
        """Return how many samples each cause added, removed and changed."""
        return Counter((change.fate, change.cause) for change in self.changes)

    def counts_by(self, name: str) -> Counter[tuple[str, Fate]]:
        """Return how many samples of each source, tier or task were added, removed, changed."""
        return Counter((getattr(change.sample, name), change.fate) for change in self.changes)


def compare(then: Path, now: Path) -> Comparison:
    """Compare two datasets; only shards that are not the same in both are read.

    Raises:
        ManifestError: one of them is no finished dataset.
        UserError: one of them has no list of its scenes.
    """
    sides = _side(then), _side(now)
    manifests = sides[0].manifest, sides[1].manifest
    reads = [manifest.decided_by.get(INGEST) for manifest in manifests]
    with_pictures = reads[0] != reads[1]
    old, new = (
        {
            one.sample_id: one
            for one in samples_of(folder, other_shards(*pair), with_pictures=with_pictures)
        }
        for folder, pair in ((then, manifests), (now, manifests[::-1]))
    )
    changes = [
        *(_change(Fate.REMOVED, old[i], sides) for i in old if i not in new),
        *(_change(Fate.ADDED, new[i], sides) for i in new if i not in old),
        *(
            _change(Fate.CHANGED, new[i], sides, old[i].shard)
            for i in new
            if i in old and (old[i].said, old[i].files) != (new[i].said, new[i].files)
        ),
    ]
    changed = sum(change.fate is Fate.CHANGED for change in changes)
    return Comparison(
        then=manifests[0],
        now=manifests[1],
        changes=tuple(changes),
        renamed=len(old.keys() & new.keys()) - changed,
        withdrawn=_missing(sides[0], sides[1]),
        new=_missing(sides[1], sides[0]),
    )


def comparison_lines(found: Comparison) -> Iterator[str]:
    """Yield a comparison in words."""
    for name, manifest in (("from", found.then), ("to", found.now)):
        samples = sum(file.rows for file in manifest.files)
        yield (
            f"{name:<5}{manifest.dataset} version {manifest.version} {short(manifest.digest)}  "
            f"{samples:,} samples"
        )
    fates = Counter(change.fate for change in found.changes)
    yield ", ".join(f"{fates[fate]:,} {fate}" for fate in Fate) + f", {found.same:,} the same"
    if found.renamed:
        yield f"{found.renamed:,} of these in other shards, with another provenance"
    for (fate, cause), number in found.counts().most_common():
        yield f"  {number:>7,} {fate:<8} {cause.kind}: {cause.words}"
    for name in BY:
        yield f"by {name}"
        counts = found.counts_by(name)
        for value in sorted({value for value, _ in counts}):
            numbers = "".join(f"{counts[value, fate]:>8,} {fate}" for fate in Fate)
            yield f"  {value:<24}{numbers}"
    for what, ids in (("withdrawn", found.withdrawn), ("new", found.new)):
        if ids:
            yield f"{what} scenes: {len(ids):,} ({_named(ids)})"


def _named(ids: Sequence[str]) -> str:
    more = len(ids) - MOST_NAMED
    return ", ".join(ids[:MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _change(fate: Fate, sample: Sample, sides: tuple[Side, Side], before: str = "") -> Change:
    cause = cause_of(sample, *sides, in_both=fate is Fate.CHANGED)
    if fate is Fate.REMOVED:
        before = sample.shard
    return Change(fate=fate, sample=sample, cause=cause, before=before)


def _side(dataset: Path) -> Side:
    manifest = read_manifest(dataset)
    refused: dict[tuple[str, str], str] = {}
    for file in manifest.quarantine:
        table = pq.read_table(dataset / file.path, columns=["source", "sample_id", "reason"])
        refused |= {(r["source"], r["sample_id"]): r["reason"] for r in table.to_pylist()}
    return Side(manifest=manifest, scenes=read_scene_list(dataset), refused=refused)


def _missing(one: Side, other: Side) -> tuple[str, ...]:
    """Return the scenes that one side read and the other did not."""
    return tuple(sorted(scene for _, scene in one.scenes.keys() - other.scenes.keys()))
