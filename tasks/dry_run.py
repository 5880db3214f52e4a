"""What a build would do, before it does it: counted from the indices, measured on a few scenes."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from schemas.rejection import Refusal
from schemas.scene import SceneRef
from tasks.ask import ask_scenes
from tasks.bench_making.ask import ask_bench_scenes
from tasks.bench_making.estimate import estimate_wordings
from tasks.captions.estimate import WrittenEstimate, estimate_captions
from tasks.composition.estimate import estimate_questions
from tasks.config import BuildConfig
from tasks.granules import read_catalogue
from tasks.ingest import read_scene
from tasks.place_split import SPLITS
from tasks.scene_table import asked_scenes, scenes_to_table
from tasks.stage_names import MADE_BY

SCENES_TRIED = 6  # of each source, spread over its index


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What one source would come to; questions and bytes are measured on a few of its scenes."""

    source: str
    scenes: int
    splits: Mapping[str, int]  # scenes of each
    granules: int
    refused_by_index: int
    files: int
    read_bytes: int
    scenes_tried: int
    scenes_refused: int
    questions: int
    captions: WrittenEstimate | None
    composed: WrittenEstimate | None
    reworded: WrittenEstimate | None
    written_bytes: int


def estimate(config: BuildConfig) -> list[Estimate]:
    """Read the indices and a few scenes of every source; nothing is written."""
    catalogue = read_catalogue(config)
    refused = Counter(reject.source for reject in catalogue.rejected)
    return [
        _estimate_source(
            config,
            source,
            [ref for g in catalogue.granules if g.id.source == source for ref in g.refs],
            granules=sum(g.id.source == source for g in catalogue.granules),
            refused=refused[source],
        )
        for source in sorted(config.sources)
    ]


def show_estimate(estimates: Sequence[Estimate], console: Console) -> None:
    """Print what would be read, asked and written."""
    table = Table(title="dry run: nothing was written")
    columns = ("source", "scenes", "granules", "files", "read", "cap ~", "L1 ~", "L2 ~")
    for column in (*columns, "written ~"):
        table.add_column(column, justify="left" if column == "source" else "right")
    for row in estimates:
        table.add_row(
            row.source,
            f"{row.scenes:,}",
            f"{row.granules:,}",
            f"{row.files:,}",
            _megabytes(row.read_bytes),
            f"{row.captions.texts:,}" if row.captions else "-",
            f"{row.questions:,}",
            f"{row.composed.texts:,}" if row.composed else "-",
            _megabytes(row.written_bytes),
        )
    console.print(table)
    for row in estimates:
        console.print(
            f"{row.source}: {_by_split(row.splits)}; {row.refused_by_index} refused by the index; "
            f"of {row.scenes_tried} scenes tried {row.scenes_refused} would be refused; questions "
            "before selection",
            highlight=False,
        )
    written = {
        "captions": [row.captions for row in estimates if row.captions is not None],
        "L2": [row.composed for row in estimates if row.composed is not None],
        "rephrasing at most": [row.reworded for row in estimates if row.reworded is not None],
    }
    for what, found in written.items():
        if found:
            console.print(f"{what}: {_cost(found)}", highlight=False)


def _by_split(splits: Mapping[str, int]) -> str:
    """Return the scenes of each split in words; one that stays empty counts too."""
    return ", ".join(f"{splits.get(split, 0):,} {split}" for split in SPLITS)


def _cost(written: Sequence[WrittenEstimate]) -> str:
    """Return in words what writing would take."""
    hours = f"{sum(estimate.hours for estimate in written):.2g} hours"
    calls = sum(estimate.calls for estimate in written)
    if not calls:
        return f"by rules, about {hours} of one core"
    return (
        f"about {calls:,} calls, {sum(e.prompt_tokens for e in written):,} prompt and "
        f"{sum(e.completion_tokens for e in written):,} reply tokens, {hours} (at the expected "
        "speed of the configuration); repair turns come on top"
    )


def _estimate_source(
    config: BuildConfig, source: str, refs: Sequence[SceneRef], *, granules: int, refused: int
) -> Estimate:
    root = config.sources[source]
    files = {name for ref in refs for name in ref.files}
    tried = refs[:: max(1, len(refs) // SCENES_TRIED)][:SCENES_TRIED]
    scenes = []
    for ref in tried:
        try:
            scenes.append(read_scene(config, root, ref))
        except Refusal:
            continue
    table = scenes_to_table(scenes)
    factor = len(refs) / max(1, len(tried))
    questions = captions = composed = reworded = None
    if "l1" in config.stages:
        questions, _ = ask_scenes(asked_scenes(table, config.sar_rendering), config)
    if config.makes_bench:
        questions, _ = ask_bench_scenes(asked_scenes(table, config.sar_rendering), config)
    if config.rephrases and questions is not None:
        reworded = estimate_wordings(questions.to_pylist(), factor, config)
    if "cap_cot" in config.stages:
        captions = estimate_captions(
            table.to_pylist(),
            round(factor * len(scenes)),
            config.captioner,
            config.sar_rendering,
            config.seed,
        )
    if "l2" in config.stages:
        composed = estimate_questions(
            table.to_pylist(),
            round(factor * len(scenes)),
            config.composer,
            config.sar_rendering,
            config.seed,
        )
    # scenes are held once by the work folder, and once by each tier's shards
    copies = 1 + sum(stage in config.stages for stage in MADE_BY.values())
    asked = questions.nbytes if questions else 0
    return Estimate(
        source=source,
        scenes=len(refs),
        splits=Counter(ref.split for ref in refs),
        granules=granules,
        refused_by_index=refused,
        files=len(files),
        read_bytes=sum(_size(root / name) for name in files),
        scenes_tried=len(tried),
        scenes_refused=len(tried) - len(scenes),
        questions=round(factor * questions.num_rows) if questions else 0,
        captions=captions,
        composed=composed,
        reworded=reworded,
        written_bytes=round(factor * (copies * table.nbytes + 2 * asked)),
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
