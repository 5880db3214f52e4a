"""`terrascope`: build datasets, prove them, look at them, and train on them."""

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console

from tasks.errors import ConfigError, UserError

if TYPE_CHECKING:
    from tasks.config import BuildConfig

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Pixel-grounded reasoning data from Earth-observation archives, proved from its masks.",
)
console = Console()
MAX_FAILURES_SHOWN = 20

Dataset = Annotated[Path, typer.Argument(help="Folder of a finished dataset.")]
SourceOption = Annotated[
    list[str], typer.Option("--source", help="NAME=DIR, once for every archive.")
]
ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="YAML file of the configuration.")
]
LimitOption = Annotated[int | None, typer.Option("--limit", help="First N scenes of every source.")]
SeedOption = Annotated[int | None, typer.Option("--seed", help="Draws questions and options.")]
OutOption = Annotated[Path, typer.Option(help="Folder of the dataset.")]
StageOption = Annotated[
    list[str], typer.Option("--stage", help="What to make: cap_cot, l1, l2; all if not given.")
]
WorkersOption = Annotated[int | None, typer.Option(help="Processes to work with.")]
ComposerOption = Annotated[
    str | None,
    typer.Option("--composer", help="Who composes L2 questions: rules, vllm, replay, or a URL."),
]
ComposerModelOption = Annotated[
    str | None, typer.Option("--composer-model", help="Its folder or hub name, or name (URL).")
]
CaptionerOption = Annotated[
    str | None,
    typer.Option(
        "--captioner", help="Who writes captions: rules, vllm, replay, or the URL of a server."
    ),
]
ModelOption = Annotated[
    str | None, typer.Option("--model", help="Its folder or hub name (vllm), or name (URL).")
]


@app.command()
def build(
    out: OutOption,
    source: SourceOption = [],  # noqa: B006 - typer reads it as "none given"
    config: ConfigOption = None,
    limit: LimitOption = None,
    seed: SeedOption = None,
    stage: StageOption = [],  # noqa: B006 - typer reads it as "none given"
    captioner: CaptionerOption = None,
    model: ModelOption = None,
    composer: ComposerOption = None,
    composer_model: ComposerModelOption = None,
    workers: WorkersOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done.")] = False,
    engine: Annotated[
        Literal["prefect", "local"], typer.Option(help="With Prefect, or without it at all.")
    ] = "prefect",
) -> None:
    """Build a dataset from archives; a build that was cut off goes on from where it was."""
    writers = _writers(captioner, model, composer, composer_model)
    read = {"limit": limit, "seed": seed, "stages": stage or None, "workers": workers}
    settings = _settings(config, source, out, **read, **writers)
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

    published = run(settings)
    console.print(counts_table(published.counts))
    unchanged = "" if published.changed else "  (unchanged)"
    _say(f"dataset  {published.dataset}{unchanged}")
    _say(f"report   {published.report}")


@app.command()
def plan(
    out: OutOption,
    source: SourceOption = [],  # noqa: B006 - typer reads it as "none given"
    config: ConfigOption = None,
    limit: LimitOption = None,
    seed: SeedOption = None,
    stage: StageOption = [],  # noqa: B006 - typer reads it as "none given"
    captioner: CaptionerOption = None,
    model: ModelOption = None,
    composer: ComposerOption = None,
    composer_model: ComposerModelOption = None,
    workers: WorkersOption = None,
) -> None:
    """Say what a build with the same options would do again and why; nothing is written."""
    from tasks.granules import read_catalogue
    from tasks.planning.foresight import foresee
    from tasks.planning.plan import plan_lines
    from tasks.workspace import check_owner

    writers = _writers(captioner, model, composer, composer_model)
    read = {"limit": limit, "seed": seed, "stages": stage or None, "workers": workers}
    settings = _settings(config, source, out, **read, **writers)
    check_owner(settings)
    for line in plan_lines(foresee(settings, read_catalogue(settings))):
        _say(line)


@app.command()
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
    from tasks.preview.captions import preview as show_captions
    from tasks.preview.questions import preview as show_questions

    writers = _writers(captioner, model, composer, composer_model)
    settings = _settings(config, source, out, seed=seed, **writers)
    show = show_captions if stage == "cap_cot" else show_questions
    for view in show(settings, number, page):
        _say(f"{view.scene_id}  {view.fate}")
    _say(f"page     {page}")


@app.command()
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
    _say(f"planet   {out}")


@app.command()
def verify(
    dataset: Dataset,
    digests: Annotated[bool, typer.Option(help="Also check every file's SHA-256.")] = True,
    source: Annotated[
        list[str], typer.Option("--source", help="NAME=DIR: also compare with this archive.")
    ] = [],  # noqa: B006 - typer reads it as "none given"
    workers: Annotated[int, typer.Option(min=1, help="Processes to work with.")] = 1,
) -> None:
    """Prove every answer again from the shards alone; exit status 1 if one does not hold."""
    from tasks.manifest import read_manifest
    from tasks.verify import verify as prove

    read_manifest(dataset)  # no dataset at all is one clear line, not a proof that failed
    sources = {name: Path(folder) for name, folder in _sources(source).items()}
    report = prove(dataset, digests=digests, workers=workers)
    failures = list(report.failures)
    if sources:
        from tasks.verify_source import verify_sources

        compared = verify_sources(dataset, sources, workers)
        failures += compared.failures
    for failure in failures[:MAX_FAILURES_SHOWN]:
        _say(str(failure))
    if len(failures) > MAX_FAILURES_SHOWN:
        console.print(f"and {len(failures) - MAX_FAILURES_SHOWN} more")
    console.print(f"proved   {report.proved:,} of {report.samples:,} samples")
    if sources:
        console.print(f"compared {compared.scenes:,} scenes with {', '.join(sources)}")
    if failures:
        raise typer.Exit(1)


@app.command()
def inspect(dataset: Dataset) -> None:
    """Count samples by source, tier, task, split and answer, and refusals by reason."""
    from tasks.inspect_dataset import rendered, survey
    from tasks.manifest import read_manifest

    console.print(rendered(survey(dataset, read_manifest(dataset))))


@app.command()
def show(
    dataset: Dataset,
    sample_id: Annotated[str, typer.Argument(help="Id of the sample.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="PNG file to write.")],
) -> None:
    """Draw one sample: its images, the masks of its steps, question, reasoning and program."""
    from tasks.show import show as draw

    draw(dataset, sample_id, out)
    _say(f"picture  {out}")


@app.command()
def lineage(
    dataset: Dataset,
    sample_id: Annotated[
        str | None, typer.Argument(help="Id of a sample; all of the dataset if not given.")
    ] = None,
) -> None:
    """Say where a dataset or one sample comes from: files, template, prompt, model, code, run."""
    from tasks.lineage.told import dataset_lines, sample_lines

    lines = sample_lines(dataset, sample_id) if sample_id else dataset_lines(dataset)
    for line in lines:
        _say(line)


@app.command()
def diff(
    before: Annotated[str, typer.Argument(help="Dataset or version; DIR@2 is its version 2.")],
    after: Annotated[str, typer.Argument(help="What it is compared with.")],
    page: Annotated[Path, typer.Option(help="HTML page to write.")] = Path("diff.html"),
) -> None:
    """Say which samples were added, removed and changed between two versions, and why."""
    from tasks.comparing.compare import compare, comparison_lines
    from tasks.comparing.page import write_comparison
    from tasks.versions import dataset_at

    folders = dataset_at(before), dataset_at(after)
    found = compare(*folders)
    for line in comparison_lines(found):
        _say(line)
    write_comparison(page, found, *folders)
    _say(f"page     {page}")


@app.command()
def gc(
    dataset: Dataset,
    keep: Annotated[
        int | None, typer.Option(min=1, help="Versions to keep, the latest included; else all.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go.")] = False,
) -> None:
    """Free what no version of a dataset uses, and versions older than those to keep."""
    from tasks.clean_up import remove, waste_of
    from tasks.inspect_dataset import size_text
    from tasks.workspace import locked

    with locked(dataset):
        waste = waste_of(dataset, keep)
        for one in waste:
            _say(f"{size_text(one.bytes):>9}  {one.path.relative_to(dataset)}  {one.why}")
        if not dry_run:
            remove(waste)
    freed = size_text(sum(one.bytes for one in waste))
    _say(f"{'would free' if dry_run else 'freed'} {freed} in {len(waste):,} files and folders")


@app.command()
def train(
    data: Annotated[Path, typer.Option(help="Folder of a finished dataset.")],
    out: Annotated[Path, typer.Option(help="Folder of the model.")],
    preset: Annotated[
        Literal["tiny", "internvl3-1b", "internvl3-8b", "shape-8b"] | None,
        typer.Option(help="Which model; tiny if not given."),
    ] = None,
    config: ConfigOption = None,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Of first weights, and of what is drawn.")
    ] = None,
    stage1_steps: Annotated[int | None, typer.Option(help="Steps on named classes.")] = None,
    stage2_steps: Annotated[int | None, typer.Option(help="Steps on traces.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Samples a pass and process.")] = None,
    weights_vlm: Annotated[
        str | None, typer.Option(help="Folder or hub id of InternVL3's weights.")
    ] = None,
    weights_ground: Annotated[
        str | None, typer.Option(help="Folder or hub id of SAM 2's weights.")
    ] = None,
    more: Annotated[
        list[str], typer.Option("--set", help="NAME=VALUE, any other setting (docs/model.md).")
    ] = [],  # noqa: B006 - typer reads it as "none given"
    processes: Annotated[
        int | None, typer.Option(min=1, help="Processes that train; one a GPU if not given.")
    ] = None,
    engine: Annotated[
        Literal["prefect", "local"], typer.Option(help="With Prefect, or without it at all.")
    ] = "prefect",
) -> None:
    """Train a model on a dataset; training that was cut off goes on from where it was."""
    from tasks.training import learn, load_settings, trained

    options = {
        "preset": preset,
        "seed": seed,
        "stage1_steps": stage1_steps,
        "stage2_steps": stage2_steps,
        "batch_size": batch_size,
        "weights_vlm": weights_vlm,
        "weights_ground": weights_ground,
    }
    settings = load_settings(config, options, more)
    if engine == "local":
        for line in learn(data, out, settings, processes):
            _say(line)
        model = trained(out)
    else:
        from flows.settings import settle

        settle()
        console.print("prefect  starting (--engine local runs without it)", highlight=False)
        from flows.reached import server_reached
        from flows.train import train as run

        with server_reached():
            model = run(data, out, settings, processes)
    for name, iou in model.iou.items():
        _say(f"IoU      {iou:.3f}  {name}")
    _say(f"model    {model.out}")


@app.command()
def ask(
    images: Annotated[
        list[Path],
        typer.Argument(
            metavar="IMAGE...",
            help="PNG, JPEG or GeoTIFF; one a date.",
            default_factory=list,
            show_default=False,
        ),
    ],
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="What to ask of them.")],
    model: Annotated[Path, typer.Option(help="Folder of a trained model.")],
    option: Annotated[
        list[str], typer.Option("--option", help="To choose from, once for every option.")
    ] = [],  # noqa: B006 - typer reads it as "none given"
    sar: Annotated[
        list[Path], typer.Option("--sar", help="Radar of each date, in the order of the images.")
    ] = [],  # noqa: B006 - typer reads it as "none given"
    sar_rendering: Annotated[
        Literal["vv_vh", "vh_vv_mean"],
        typer.Option(help="How radar is shown: as in the dataset that was learnt."),
    ] = "vv_vh",
    out: Annotated[Path, typer.Option(help="PNG file of the steps' masks.")] = Path("answer.png"),
    feedback: Annotated[
        Literal["tokens", "measure", "both", "none", "box", "random"] | None,
        typer.Option(help="What follows a mask; what the model was made for if not given."),
    ] = None,
    max_new_tokens: Annotated[int, typer.Option(min=1, help="Tokens to write at most.")] = 512,
    temperature: Annotated[
        float, typer.Option(min=0.0, help="0 writes the likeliest token.")
    ] = 0.0,
    seed: Annotated[
        int, typer.Option(min=0, help="Of what is drawn, above the temperature 0.")
    ] = 0,
) -> None:
    """Ask a trained model about images: its reasoning as it writes it, its answer, its masks."""
    _need_training_extra("ask")
    from flows.ask import open_question
    from terrascope_model.generate import Sampling

    asked = open_question(model, images, sar, sar_rendering, question, tuple(option))
    sampling = Sampling(temperature=temperature, seed=seed)
    for text in asked.texts(feedback, max_new_tokens, sampling):
        console.print(text, end="", markup=False, highlight=False, soft_wrap=True)
    console.print()
    _say(f"answer   {asked.answer_line()}")
    asked.draw(out)
    _say(f"picture  {out}")


@app.command()
def answers(
    dataset: Dataset,
    model: Annotated[Path, typer.Option(help="Folder of a trained model.")],
    number: Annotated[int, typer.Option("--number", "-n", min=1, help="Questions.")] = 3,
    split: Annotated[str, typer.Option(help="Whose questions are drawn.")] = "test",
    tier: Annotated[
        Literal["l1", "l2_spatial", "l2_semantic"] | None,
        typer.Option(help="Of this kind alone."),
    ] = None,
    task: Annotated[
        list[str] | None, typer.Option(help="Of this task; repeat for several.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Draws them.")] = 0,
    max_new_tokens: Annotated[int, typer.Option(min=1, help="Tokens to write at most.")] = 512,
) -> None:
    """Let a trained model answer held-out questions, with its masks, on a page of the report."""
    _need_training_extra("answers")
    from flows.answers import answers as answer

    page, answered = answer(
        dataset,
        model,
        split=split,
        tier=tier,
        tasks=task or (),
        number=number,
        seed=seed,
        max_new_tokens=max_new_tokens,
    )
    for one in answered:
        _say(f"{one.row.question}\n  {one.answer or 'no answer'}  (the dataset has {one.due})")
    _say(f"answers  {page}")


def _need_training_extra(command: str) -> None:
    """UserError where the packages that a model needs are not installed."""
    missing = [name for name in ("torch", "transformers") if find_spec(name) is None]
    if missing:
        raise UserError(
            f"{command} needs {' and '.join(missing)}, which the extra brings: "
            "pip install -e '.[train]' -c constraints.txt"
        )


def _say(line: str) -> None:
    """Print one line as it is, however long a path in it may be."""
    console.print(line, markup=False, highlight=False, soft_wrap=True)


def _settings(config: Path | None, source: list[str], out: Path, **given: Any) -> "BuildConfig":
    """Read a configuration and lay the options over it; those that are None were not given."""
    from tasks.config import load_config

    return load_config(config, {"sources": _sources(source) or None, "out": out, **given})


def _writers(
    captioner: str | None, model: str | None, composer: str | None, composer_model: str | None
) -> dict[str, Any]:
    return {
        "captioner": _writer("captioner", captioner, "model", model),
        "composer": _writer("composer", composer, "composer-model", composer_model),
    }


def _sources(pairs: list[str]) -> dict[str, str]:
    sources: dict[str, str] = {}
    for pair in pairs:
        name, equals, folder = pair.partition("=")
        if not (name and equals and folder):
            raise ConfigError(f"--source takes NAME=DIR, got {pair!r}")
        if name in sources:
            raise ConfigError(f"--source {name} is given twice")
        sources[name] = folder
    return sources


def _writer(role: str, writer: str | None, option: str, model: str | None) -> dict[str, Any] | None:
    """Return a writer's settings as far as the command line says them."""
    if writer is None:
        if model is not None:
            raise ConfigError(f"--{option} needs --{role} vllm or --{role} URL")
        return None
    named: dict[str, Any] = {} if model is None else {"model": model}
    if writer.startswith(("http://", "https://")):
        return {"kind": "url", "url": writer, **named}
    if writer == "vllm":
        return {"kind": "vllm"} | ({"server": named} if named else {})
    if named and writer != "replay":
        raise ConfigError(f"--{option} has no meaning for --{role} {writer}")
    return {"kind": writer, **named}


def main() -> None:
    """Run the command line; what a person can put right is one clear line and exit status 2."""
    try:
        app()
    except (UserError, OSError) as error:
        Console(stderr=True).print(
            f"terrascope: {error}", style="red", markup=False, highlight=False, soft_wrap=True
        )
        sys.exit(2)


if __name__ == "__main__":
    main()
