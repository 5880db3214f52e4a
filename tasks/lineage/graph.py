"""The way from sources to a dataset as a graph of a few nodes, made from a manifest alone."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from tasks.digest import digest_of
from tasks.inspect_dataset import size_text
from tasks.lineage.differences import SHOWN_CHARS, Difference, differences
from tasks.manifest import DataFile, Manifest
from tasks.stage_names import (
    ANNOTATE,
    ANNOTATOR,
    BENCH,
    BENCH_ASK,
    BENCH_WORDS,
    CAP_COT,
    INGEST,
    L2,
    MADE_BY,
    MARK,
    SELECT,
    SHARDS,
    refined_stage,
)

NodeKind = Literal["source", "stage", "checkpoint", "shards", "dataset"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One source, stage, set of shards or of checkpoints, or the dataset itself.

    `changed` says whether it is other than in the version before.
    """

    key: str
    kind: NodeKind
    title: str
    lines: tuple[str, ...]
    changed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """Nodes in the order of the work, and which leads to which, by key."""

    nodes: tuple[Node, ...]
    edges: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shards:
    """The shards of one tier against those of the version before."""

    tier: str
    shards: int
    samples: int
    added: int
    removed: int
    replaced: int

    @property
    def changed(self) -> bool:
        """Whether any of them is other than before."""
        return bool(self.added or self.removed or self.replaced)


def lineage_of(manifest: Manifest, before: Manifest | None) -> Lineage:
    """Return the graph of a version; what changed is told against the version before it."""
    changed = changes(manifest, before)
    touched = {one.tier for one in shards_of(manifest, before) if one.changed}
    tiers = list(dict.fromkeys(file.tier for file in manifest.files))
    nodes = [
        *_sources(manifest, before),
        *(_stage(manifest, stage, bool(changed.get(stage))) for stage in manifest.decided_by),
        *(_shards(manifest, tier, tier in touched) for tier in tiers),
        _dataset(manifest, before is not None),
    ]
    keys = {node.key for node in nodes}
    edges = dict.fromkeys(e for e in _edges(manifest, tiers) if keys.issuperset(e))
    return Lineage(nodes=tuple(nodes), edges=tuple(edges))


def changes(manifest: Manifest, before: Manifest | None) -> dict[str, list[Difference]]:
    """Return what decides each stage otherwise than in the version before, stages without it too.

    Without a version before, or of one that does not say, nothing has changed.
    """
    if before is None or not before.decided_by:
        return {}
    stages = dict.fromkeys((*manifest.decided_by, *before.decided_by))
    return {
        stage: differences(before.decided_by.get(stage, {}), manifest.decided_by.get(stage, {}))
        for stage in stages
    }


def shards_of(manifest: Manifest, before: Manifest | None) -> list[Shards]:
    """Return the shards of each tier, and how many are others than in the version before."""
    old = {} if before is None else {file.path: file for file in before.files}
    found = []
    for tier in dict.fromkeys(file.tier for file in (*manifest.files, *old.values())):
        now = {file.path: file for file in manifest.files if file.tier == tier}
        then = {path: file for path, file in old.items() if file.tier == tier}
        found.append(
            Shards(
                tier=tier,
                shards=len(now),
                samples=sum(file.rows for file in now.values()),
                added=len(now.keys() - then.keys()) if before else 0,
                removed=len(then.keys() - now.keys()),
                replaced=sum(now[p].sha256 != then[p].sha256 for p in now.keys() & then.keys()),
            )
        )
    return found


def short(digest: str) -> str:
    """Return as much of a digest as a person tells apart."""
    return digest[:SHOWN_CHARS]


def digest_of_files(files: Iterable[DataFile]) -> str:
    """Return a SHA-256 over the digests of shards."""
    lines = "".join(f"{file.sha256} {file.path}\n" for file in files)
    return hashlib.sha256(lines.encode()).hexdigest()


def _sources(manifest: Manifest, before: Manifest | None) -> Iterator[Node]:
    for name in _source_names(manifest):
        samples = sum(file.rows for file in manifest.files if file.source == name)
        new = before is not None and name not in _source_names(before)
        yield Node(
            key=f"source {name}",
            kind="source",
            title=name,
            lines=(f"{samples:,} samples", *(["procedural"] * (name in manifest.synthetic))),
            changed=new,
        )


def _stage(manifest: Manifest, stage: str, changed: bool) -> Node:
    decided = manifest.decided_by[stage]
    counted = {SELECT: SHARDS, SHARDS: ""}.get(stage, stage)  # shards are what selection kept
    lines = [
        f"{count.taken:,} → {count.out:,} {_plural(count.unit)}"
        for count in manifest.counts
        if count.stage == counted and (count.unit != "scene" or stage == INGEST)
    ]
    if stage == ANNOTATOR:
        lines = [f"weights {short(digest)}" for digest in manifest.annotators]
    return Node(
        key=stage,
        kind="checkpoint" if stage == ANNOTATOR else "stage",
        title=stage,
        lines=(f"version {decided.get('stage')} · {short(digest_of(decided))}", *lines),
        changed=changed,
    )


def _shards(manifest: Manifest, tier: str, changed: bool) -> Node:
    files = [file for file in manifest.files if file.tier == tier]
    return Node(
        key=f"shards {tier}",
        kind="shards",
        title=f"{tier} shards",
        lines=(
            f"{sum(file.rows for file in files):,} samples",
            f"{len(files):,} shards, {size_text(sum(file.bytes for file in files))}",
            short(digest_of_files(files)),
        ),
        changed=changed,
    )


def _dataset(manifest: Manifest, changed: bool) -> Node:
    return Node(
        key="dataset",
        kind="dataset",
        title=f"{manifest.dataset}, version {manifest.version}",
        lines=(
            f"{sum(file.rows for file in manifest.files):,} samples",
            short(manifest.digest),
        ),
        changed=changed,
    )


def _edges(manifest: Manifest, tiers: Iterable[str]) -> Iterator[tuple[str, str]]:
    decided = manifest.decided_by
    for name in _source_names(manifest):
        yield f"source {name}", INGEST
    for stage in dict.fromkeys(MADE_BY.values()):
        yield BENCH_ASK if stage == BENCH else INGEST, stage
        yield MARK, stage
        refined = refined_stage(stage)
        yield stage, refined
        yield ANNOTATE, refined
        yield (refined if refined in decided else stage), SELECT
    yield INGEST, BENCH_ASK
    composer = decided.get(L2, {}).get("composer")
    if isinstance(composer, dict) and composer.get("kind") != "rules":
        yield CAP_COT, L2  # a model is given the captions
    annotator = decided.get(ANNOTATOR, {}).get("annotator")
    if isinstance(annotator, dict) and annotator.get("kind") == "train":
        yield CAP_COT, ANNOTATOR
    yield INGEST, ANNOTATE
    yield ANNOTATOR, ANNOTATE
    yield INGEST, MARK
    yield ANNOTATOR, MARK
    yield SELECT, SHARDS
    yield SELECT, BENCH_WORDS
    yield BENCH_WORDS, SHARDS
    for tier in tiers:
        yield SHARDS, f"shards {tier}"
        yield f"shards {tier}", "dataset"


def _source_names(manifest: Manifest) -> list[str]:
    readers = manifest.decided_by.get(INGEST, {}).get("readers", {})
    read = readers if isinstance(readers, dict) else {}
    return sorted({*read, *(file.source for file in manifest.files)})


def _plural(unit: str) -> str:
    return f"{unit}es" if unit.endswith("s") else f"{unit}s"
