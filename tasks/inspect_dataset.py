"""Count what a dataset holds: by source, tier, task, split, form and answer; refusals by reason."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet as pq
from rich.console import Group
from rich.markup import escape
from rich.table import Table

from schemas.tier import Tier
from tasks.manifest import DataFile, GateResult, Manifest, StageCount
from tasks.publication.shown import COLUMNS, TITLE, gate_row
from tasks.shard_counts import Counts, ShardCounts, count_shards
from tasks.small_table import table_columns

COUNTED = ("source", "tier", "task", "split", "form")
MOST_ANSWERS = 8  # shown for each task; the rest is summed up


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """Counts of a dataset; `by` holds one counter for each of source, tier, task, split, form.

    `crossed` counts (source, task), `places` counts (tier, source, split), `rejects` counts
    (source, stage, reason).
    """

    dataset: str
    num_samples: int
    num_bytes: int
    scene_ids: dict[str, set[str]] = field(default_factory=dict)  # of each source, with a sample
    by: dict[str, Counter[str]]
    crossed: Counter[tuple[str, str]] = field(default_factory=Counter)
    places: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    licences: dict[str, set[str]] = field(default_factory=dict)  # source -> licences of its scenes
    rejects: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    stages: tuple[StageCount, ...]
    publication: tuple[GateResult, ...] = ()
    unmet: tuple[str, ...] = ()  # what was wished for and could not be met, in words

    @property
    def num_scenes(self) -> int:
        """Number of scenes of which there is a sample, whatever its tier."""
        return sum(map(len, self.scene_ids.values()))


def survey(dataset: Path, manifest: Manifest, counts: Counts | None = None) -> Survey:
    """Count the samples and refusals of a dataset; what its shards hold is counted unless given.

    Raises:
        OSError: if a file of the manifest is missing.
        pyarrow.ArrowException: if one is not a shard; `verify` says more.
    """
    counts = count_shards(dataset, manifest.files) if counts is None else counts
    found = Survey(
        dataset=manifest.dataset,
        num_samples=sum(file.rows for file in manifest.files),
        num_bytes=sum(file.bytes for file in manifest.files),
        by={name: Counter() for name in COUNTED},
        rejects=count_rejects(dataset, manifest),
        stages=manifest.counts,
        publication=manifest.publication,
        unmet=manifest.unmet,
    )
    for file in manifest.files:
        _add(found, file, counts[file.path])
    return found


def _add(found: Survey, file: DataFile, counted: ShardCounts) -> None:
    samples = counted.forms.total()
    for name in ("source", "tier", "split"):
        found.by[name][getattr(file, name)] += samples
    found.places[file.tier, file.source, file.split] += samples
    for (task, form), number in counted.forms.items():
        found.by["task"][task] += number
        found.by["form"][form] += number
        found.crossed[file.source, task] += number
    found.scene_ids.setdefault(file.source, set()).update(counted.scenes)
    found.licences.setdefault(file.source, set()).update(counted.licences)


def answers_of(dataset: Path, manifest: Manifest) -> Counter[tuple[str, str]]:
    """Return how often each answer text of each task comes; no two captions are alike."""
    found: Counter[tuple[str, str]] = Counter()
    for file in manifest.files:
        if file.tier != Tier.CAP:
            columns = table_columns(dataset / file.path, ["task", "answer.text"])
            found.update(zip(*columns, strict=True))
    return found


def size_text(num_bytes: int) -> str:
    """Return bytes in the unit that fits: "512 B", "3.4 MB"."""
    size = float(num_bytes)
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def rendered(found: Survey, answers: Counter[tuple[str, str]]) -> Group:
    """Return a survey as tables for a terminal, with answers by (task, text)."""
    parts: list[str | Table] = [
        f"[bold]{escape(found.dataset)}[/]: {found.num_samples:,} samples on "
        f"{found.num_scenes:,} scenes, {size_text(found.num_bytes)}",
        _crossed(found),
        *(_counted(name, found.by[name].most_common()) for name in ("tier", "split", "form")),
        _answers(found, answers),
        counts_table(found.stages),
        _table(
            "Left out: tried and not asked, or thinned to even out the answers",
            ("stage", "rule", "number"),
            [(*key, number) for key, number in _by_rule(found.stages).items()],
        ),
        *([_table("Not met", ("what",), [(line,) for line in found.unmet])] if found.unmet else []),
        _table(TITLE, COLUMNS, map(gate_row, found.publication)),
        _table(
            "What was written and how it was judged",
            ("stage", "what", "number"),
            [(c.stage, what, n) for c in found.stages for what, n in c.tallies.items()],
        ),
        _table(
            "Refused, by reason",
            ("source", "stage", "reason", "number"),
            [(*key, number) for key, number in sorted(found.rejects.items())],
        ),
    ]
    return Group(*parts)


def counts_table(counts: Iterable[StageCount]) -> Table:
    """Return what became of every stage's input, as a table for a terminal."""
    return _table(
        "What became of each stage's input",
        ("stage", "unit", "in", "out", "rejected", "left out"),
        [(c.stage, c.unit, c.taken, c.out, c.rejected, c.left_out) for c in counts],
    )


def count_rejects(dataset: Path, manifest: Manifest) -> Counter[tuple[str, str, str]]:
    """Return how many scenes and samples were refused, by (source, stage, reason)."""
    rejects: Counter[tuple[str, str, str]] = Counter()
    for refused in manifest.quarantine:
        table = pq.read_table(dataset / refused.path, columns=["source", "stage", "reason"])
        columns = (table.column(name).to_pylist() for name in table.column_names)
        rejects.update(zip(*columns, strict=True))
    return rejects


def gates(
    counts: Sequence[StageCount], rejects: Mapping[tuple[str, str, str], int]
) -> list[tuple[str, str, int, int, float]]:
    """Return (stage, gate, dropped, taken, share) of every gate that dropped something."""
    dropped: Counter[tuple[str, str]] = Counter()
    for (_, stage, reason), number in rejects.items():
        dropped[stage, reason] += number
    taken = {count.stage: count.taken for count in reversed(counts) if count.rejected}
    return [
        (stage, reason, number, taken[stage], number / taken[stage])
        for (stage, reason), number in sorted(dropped.items())
        if taken.get(stage)
    ]


def left_out(counts: Iterable[StageCount]) -> list[tuple[str, str, str, int]]:
    """Return (stage, rule, task, number) of what every stage left out, in order."""
    rows = []
    for count in counts:
        for key, number in count.reasons.items():
            task, _, rule = key.partition(": ")
            rows.append((count.stage, rule, task, number))
    return sorted(rows)


def _by_rule(counts: Iterable[StageCount]) -> Counter[tuple[str, str]]:
    by_rule: Counter[tuple[str, str]] = Counter()
    for stage, rule, _, number in left_out(counts):
        by_rule[stage, rule] += number
    return by_rule


def _crossed(found: Survey) -> Table:
    sources = sorted(found.by["source"])
    rows: list[tuple[str | int, ...]] = [
        (task, *(found.crossed[source, task] for source in sources), number)
        for task, number in sorted(found.by["task"].items())
    ]
    rows.append(("all", *(found.by["source"][s] for s in sources), found.num_samples))
    return _table("Samples by task and source", ("task", *sources, "all"), rows)


def _counted(name: str, counts: Iterable[tuple[str, int]]) -> Table:
    return _table(f"Samples by {name}", (name, "samples"), [*counts])


def _answers(found: Survey, counted: Counter[tuple[str, str]]) -> Table:
    rows: list[tuple[str | int, ...]] = []
    for task in sorted(found.by["task"]):
        answers = Counter({a: n for (t, a), n in counted.items() if t == task})
        shown = answers.most_common(MOST_ANSWERS)
        text = ", ".join(f"{answer} ({number:,})" for answer, number in shown)
        if len(answers) > len(shown):
            rest = answers.total() - sum(number for _, number in shown)
            text += f", {len(answers) - len(shown):,} more ({rest:,})"
        rows.append((task, len(answers), text))
    return _table("Answers, the most frequent first", ("task", "different", "answers"), rows)


def _table(title: str, columns: tuple[str, ...], rows: Iterable[tuple[str | int, ...]]) -> Table:
    table = Table(title=title, title_justify="left", header_style="bold")
    rows = list(rows)
    for place, name in enumerate(columns):
        numeric = bool(rows) and all(isinstance(row[place], int) for row in rows)
        table.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(f"{x:,}" if isinstance(x, int) else escape(x) for x in row))
    return table
