"""A page to look at: samples drawn at random by seed, with masks in colour, beside the counts."""

import random
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import ascii_uppercase

from tasks.annotation.shown import RefinedView
from tasks.counts_table import CountsTable
from tasks.drawing import colour_of, hex_of
from tasks.granule_table import table_rows
from tasks.inspect_dataset import Survey, gates, left_out, size_text
from tasks.manifest import BlindGain, Manifest
from tasks.publication.shown import gate_table
from tasks.readable import (
    Piece,
    claim_lines,
    interval_text,
    program_json,
    program_text,
    step_pieces,
)
from tasks.rows import Row, read_rows
from tasks.shown import PAGES, Picture, picture_of_row, write_page

REPORT_NAME = "report/index.html"
NUM_SAMPLES = 24

Place = tuple[str, str]  # file, sample id


@dataclass(frozen=True, slots=True, kw_only=True)
class StepView:
    """One step; `mask` is -1 and `colour` "" where it marks nothing."""

    pieces: tuple[Piece, ...]
    verdict: str
    mask: int
    colour: str
    image: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionView:
    """One option; `true` marks the answer."""

    letter: str
    text: str
    true: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleView:
    """All that the page shows of one sample."""

    row: Row
    pictures: tuple[Picture, ...]
    steps: tuple[StepView, ...]
    options: tuple[OptionView, ...]
    interval: str
    program: str
    program_json: str
    claims: tuple[str, ...]
    writer: str


def write_report(
    dataset: Path,
    manifest: Manifest,
    found: Survey,
    seed: int,
    num_samples: int = NUM_SAMPLES,
    refined: Sequence[RefinedView] = (),
) -> Path:
    """Write `report/index.html`: one file that needs nothing else, neither network nor folder.

    `found` is what the dataset holds, counted; `refined` are shown as examples of refinement.

    Raises:
        OSError: if the page cannot be written.
        RowError: if a drawn sample cannot be read.
    """
    views = [sample_view(row) for row in drawn_rows(dataset, manifest, seed, num_samples)]
    path = dataset / REPORT_NAME
    write_page(
        path,
        PAGES / "report.html",
        found=found,
        size=size_text(found.num_bytes),
        num_scenes=found.num_scenes,
        seed=seed,
        config_digest=manifest.config_digest,
        commit=manifest.commit,
        tables=[*_tables(found, manifest.blind, manifest.unmet), *_refined_tables(manifest)],
        samples=views,
        refined=refined,
    )
    return path


def drawn_rows(
    dataset: Path, manifest: Manifest, seed: int, number: int, tasks: Collection[str] = ()
) -> list[Row]:
    """Return samples drawn by seed, taking turns between sources and between their tasks.

    Of all tasks, unless some are named.
    """
    places = draw(_strata(dataset, manifest, tasks), seed, number)
    rows: dict[Place, Row] = {}
    for file in sorted({file for file, _ in places}):
        wanted = {sample_id for f, sample_id in places if f == file}
        found = read_rows(dataset / file, wanted)
        rows |= {(file, sample_id): row for sample_id, row in found.items()}
    return [rows[place] for place in places]


def draw(strata: dict[str, dict[str, list[Place]]], seed: int, number: int) -> list[Place]:
    """Draw places by seed: sources take turns, and within a source its tasks do."""
    rng = random.Random(f"report:{seed}")
    queues = {}
    for source in sorted(strata):
        tasks = [sorted(strata[source][task]) for task in sorted(strata[source])]
        for places in tasks:
            rng.shuffle(places)
        rng.shuffle(tasks)
        queues[source] = _in_turn(tasks)
    return [place for _, place in zip(range(number), _in_turn(list(queues.values())), strict=False)]


def _in_turn(queues: Sequence[Sequence[Place] | Iterator[Place]]) -> Iterator[Place]:
    """Yield the first of each queue, then the second of each, and so on until all are empty."""
    waiting = [iter(queue) for queue in queues]
    while waiting:
        going_on = []
        for queue in waiting:
            for place in queue:
                yield place
                going_on.append(queue)
                break
        waiting = going_on


def _strata(
    dataset: Path, manifest: Manifest, tasks: Collection[str]
) -> dict[str, dict[str, list[Place]]]:
    strata: dict[str, dict[str, list[Place]]] = {}
    for file in manifest.files:
        for row in table_rows(dataset / file.path, ["sample_id", "source", "task"]):
            if not tasks or row["task"] in tasks:
                of_source = strata.setdefault(row["source"], {})
                of_source.setdefault(row["task"], []).append((file.path, row["sample_id"]))
    return strata


def sample_view(row: Row) -> SampleView:
    """Return what the page shows of a row."""
    north_up = row.grid.north_up
    return SampleView(
        row=row,
        pictures=tuple(picture_of_row(row, number) for number in range(len(row.images))),
        steps=tuple(
            StepView(
                pieces=tuple(pieces),
                verdict=step.verdict.value,
                mask=step.mask_index,
                colour=hex_of(colour_of(step.mask_index)) if step.mask_index >= 0 else "",
                image=step.image_index,
            )
            for step, pieces in zip(row.steps, step_pieces(row), strict=True)
        ),
        options=option_views(row),
        interval=interval_text(row),
        program=program_text(row.program, north_up),
        program_json=program_json(row.program),
        claims=tuple(claim_lines(row)),
        writer=row.provenance.writer,
    )


def option_views(row: Row) -> tuple[OptionView, ...]:
    """Return the options of a row, none of an open question."""
    return tuple(
        OptionView(letter=letter, text=text, true=letter == row.answer.letter)
        for letter, text in zip(ascii_uppercase, row.options, strict=False)
    )


def _tables(found: Survey, blind: Sequence[BlindGain], unmet: Sequence[str]) -> list[CountsTable]:
    sources = tuple(sorted(found.by["source"]))
    tasks: tuple[tuple[str | int, ...], ...] = tuple(
        (task, *(found.crossed[source, task] for source in sources), number)
        for task, number in sorted(found.by["task"].items())
    )
    totals: tuple[str | int, ...] = (
        "all",
        *(found.by["source"][s] for s in sources),
        found.num_samples,
    )
    return [
        CountsTable(
            title="Samples by task and source",
            columns=("task", *sources, "all"),
            rows=(*tasks, totals),
        ),
        CountsTable(
            title="Samples by split",
            columns=("tier", "source", "split", "samples"),
            rows=tuple((*key, number) for key, number in sorted(found.places.items())),
        ),
        CountsTable(
            title="Every stage adds up",
            columns=("stage", "unit", "in", "out", "rejected", "left out"),
            rows=tuple(
                (c.stage, c.unit, c.taken, c.out, c.rejected, c.left_out) for c in found.stages
            ),
        ),
        CountsTable(
            title="Left out: tried and not asked, or thinned to even out the answers",
            columns=("stage", "rule", "task", "number"),
            rows=tuple(left_out(found.stages)),
        ),
        CountsTable(
            title="Gates: what each dropped, of what came to it",
            columns=("stage", "gate", "dropped", "of", "share"),
            rows=tuple(
                (*gate[:4], f"{gate[4]:.1%}") for gate in gates(found.stages, found.rejects)
            ),
        ),
        gate_table(found.publication),
        CountsTable(
            title="Guessed without images: the best text-only rule, points over chance",
            columns=("task", "rule", "items", "chance", "before", "after"),
            rows=tuple((g.task, g.rule, g.items, g.chance, g.before, g.after) for g in blind),
        ),
        CountsTable(
            title="Wishes of the mixture that were not met",
            columns=("what",),
            rows=tuple((text,) for text in unmet),
        ),
        CountsTable(
            title="What was written and how it was judged",
            columns=("stage", "what", "number"),
            rows=tuple(
                (count.stage, what, number)
                for count in found.stages
                for what, number in count.tallies.items()
            ),
        ),
        CountsTable(
            title="Refused, by reason",
            columns=("source", "stage", "reason", "number"),
            rows=tuple((*key, number) for key, number in sorted(found.rejects.items())),
        ),
    ]


def _refined_tables(manifest: Manifest) -> list[CountsTable]:
    """Return how an annotator's masks lie to the annotated ones, class by class."""
    return [
        CountsTable(
            title="Predicted masks against annotated ones, in training scenes",
            columns=("source", "class", "masks", "marked", "IoU", "intersected", "area kept"),
            rows=tuple(
                (
                    one.source,
                    one.label,
                    one.masks,
                    one.marked,
                    f"{one.mean_iou:.2f}",
                    one.intersected,
                    f"{one.kept_share:.0%}" if one.intersected else "",
                )
                for one in manifest.refined
            ),
        )
    ]
