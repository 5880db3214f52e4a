"""Make a dataset: the build itself, its plan, samples on trial, a planet to try it on."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from commands.console import console, say
from commands.options import (
    AgainstOption,
    CaptionerOption,
    ClusterOption,
    ComposerModelOption,
    ComposerOption,
    ConfigOption,
    EngineOption,
    LimitOption,
    ModelOption,
    OutOption,
    SeedOption,
    SourceOption,
    StageOption,
    WorkersOption,
)


def build(
    out: OutOption,
    source: SourceOption = [],  # noqa: B006 - typer reads it as "none given"
    config: ConfigOption = None,
    limit: LimitOption = None,
    seed: SeedOption = None,
    stage: StageOption = [],  # noqa: B006 - typer reads it as "none given"
    against: AgainstOption = [],  # noqa: B006 - typer reads it as "none given"
    captioner: CaptionerOption = None,
    model: ModelOption = None,
    composer: ComposerOption = None,
    composer_model: ComposerModelOption = None,
    workers: WorkersOption = None,
    cluster: ClusterOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done.")] = False,
    engine: EngineOption = "prefect",
) -> None:
    """Build a dataset from archives; a build that was cut off goes on from where it was."""
    from tasks.build_options import settings_of, writers_of

    settings = settings_of(
        config,
        source,
        out,
        against=against,
        cluster=cluster,
        limit=limit,
        seed=seed,
        stages=stage or None,
        workers=workers,
        **writers_of(captioner, model, composer, composer_model),
    )
    if dry_run:
        from tasks.dry_run import estimate, show_estimate

        show_estimate(estimate(settings), console)
        return
    if engine == "local":
        from flows.local import build as run
    else:
        from flows.settings import settle

        settle()
        console.print("prefect  starting (--engine local runs without it)", highlight=False)
        from flows.pipeline import pipeline
        from flows.reached import server_reached

        run = server_reached()(pipeline)
    from tasks.inspect_dataset import counts_table
    from tasks.manifest import read_manifest

    published = run(settings)
    console.print(counts_table(published.counts))
    for line in read_manifest(published.dataset).unmet:
        say(f"not met  {line}")
    unchanged = "" if published.changed else "  (unchanged)"
    say(f"dataset  {published.dataset}{unchanged}")
    say(f"report   {published.report}")


def plan(
    out: OutOption,
    source: SourceOption = [],  # noqa: B006 - typer reads it as "none given"
    config: ConfigOption = None,
    limit: LimitOption = None,
    seed: SeedOption = None,
    stage: StageOption = [],  # noqa: B006 - typer reads it as "none given"
    against: AgainstOption = [],  # noqa: B006 - typer reads it as "none given"
    captioner: CaptionerOption = None,
    model: ModelOption = None,
    composer: ComposerOption = None,
    composer_model: ComposerModelOption = None,
    workers: WorkersOption = None,
    cluster: ClusterOption = None,
) -> None:
    """Say what a build with the same options would do again and why; nothing is written."""
    from tasks.build_options import settings_of, writers_of
    from tasks.granules import read_catalogue
    from tasks.planning.foresight import foresee
    from tasks.planning.plan import plan_lines
    from tasks.workspace import check_owner

    settings = settings_of(
        config,
        source,
        out,
        against=against,
        cluster=cluster,
        limit=limit,
        seed=seed,
        stages=stage or None,
        workers=workers,
        **writers_of(captioner, model, composer, composer_model),
    )
    check_owner(settings)
    for line in plan_lines(foresee(settings, read_catalogue(settings))):
        say(line)


def preview(
    number: Annotated[int, typer.Argument(min=1, help="Scenes to try.")],
    out: Annotated[Path, typer.Option(help="Folder of the dataset that would be built.")],
    page: Annotated[Path, typer.Option(help="HTML page to write.")] = Path("preview.html"),
    source: SourceOption = [],  # noqa: B006 - typer reads it as "none given"
    config: ConfigOption = None,
    seed: SeedOption = None,
    stage: Annotated[
        Literal["cap_cot", "l2"], typer.Option("--stage", help="Captions, or L2 questions.")
    ] = "cap_cot",
    captioner: CaptionerOption = None,
    model: ModelOption = None,
    composer: ComposerOption = None,
    composer_model: ComposerModelOption = None,
) -> None:
    """Write a few scenes on trial: prompt, picture, reply and what came of it, on one page."""
    from tasks.build_options import settings_of, writers_of
    from tasks.preview.captions import preview as show_captions
    from tasks.preview.questions import preview as show_questions

    writers = writers_of(captioner, model, composer, composer_model)
    settings = settings_of(config, source, out, seed=seed, **writers)
    show = show_captions if stage == "cap_cot" else show_questions
    for view in show(settings, number, page):
        say(f"{view.scene_id}  {view.fate}")
    say(f"page     {page}")


def planet(
    out: Annotated[Path, typer.Argument(help="Folder to write the four archives into.")],
    scenes: Annotated[int, typer.Option(min=4, help="Scenes in all, shared out evenly.")] = 240,
    seed: Annotated[int, typer.Option(help="Another seed is another planet.")] = 0,
    zoo: Annotated[
        bool, typer.Option("--zoo", help="Add one scene for every known defect.")
    ] = False,
) -> None:
    """Write a procedural planet in the true layout of the four archives, with its exact truth."""
    from tasks.planet.planet import write_planet

    write_planet(out, scenes=scenes, seed=seed, zoo=zoo)
    say(f"planet   {out}")
