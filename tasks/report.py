"""A page to look at: samples drawn at random by seed, with masks in colour, beside the counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.annotation.shown import RefinedView
from tasks.counts_table import CountsTable
from tasks.drawn_rows import drawn_rows
from tasks.evaluated import evaluated
from tasks.inspect_dataset import Survey, gates, left_out, size_text
from tasks.manifest import REPORT_NAME, BlindGain, Manifest
from tasks.publication.shown import gate_table
from tasks.rows import Row
from tasks.sample_view import SampleView, sample_view
from tasks.shard_counts import Counts
from tasks.shown import PAGES, Picture, picture_of_row, write_page

NUM_SAMPLES = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One sample of the page, with its images, on which the masks of its steps are drawn."""

    view: SampleView
    pictures: tuple[Picture, ...]


def write_report(
    dataset: Path,
    manifest: Manifest,
    found: Survey,
    counts: Counts,
    seed: int,
    num_samples: int = NUM_SAMPLES,
    refined: Sequence[RefinedView] = (),
) -> Path:
    """Write `report/index.html`: one file that needs nothing else, neither network nor folder.

    `found` is what the dataset holds, `counts` what each shard does; `refined` are shown as
    examples of refinement.

    Raises:
        OSError: if the page cannot be written.
        RowError: if a drawn sample cannot be read.
    """
    views = [drawn(row) for row in drawn_rows(dataset, manifest.files, counts, seed, num_samples)]
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


def drawn(row: Row) -> Drawn:
    """Return what the page shows of a row; of its program's masks those that a step has too."""
    evaluation = evaluated(row)
    layer_of = []
    for mask in evaluation.masks:
        same = (
            number
            for number, own in enumerate(row.masks)
            if own.counts == mask.counts and row.image_info[own.image_index].date_index == mask.date
        )
        layer_of.append(next(same, -1))
    return Drawn(
        view=sample_view(row, evaluation, layer_of),
        pictures=tuple(picture_of_row(row, number) for number in range(len(row.images))),
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
