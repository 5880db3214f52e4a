"""`terrascope`: build datasets, prove them, look at them, and train on them."""

import signal
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from tasks.errors import ConfigError, UserError

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Pixel-grounded reasoning data from Earth-observation archives, proved from its masks.",
)
console = Console()
MAX_FAILURES_SHOWN = 20

Dataset = Annotated[str, typer.Argument(help="Finished dataset: DIR, DIR@2, or s3://… of it.")]
DatasetFolder = Annotated[Path, typer.Argument(help="Folder of a finished dataset.")]
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
    list[str],
    typer.Option(
        "--stage", help="What to make: cap_cot, l1, l2, all three if not given; or bench."
    ),
]
AgainstOption = Annotated[
    list[Path],
    typer.Option("--against", help="Dataset whose training scenes a bench must not show."),
]
ClusterOption = Annotated[
    str | None, typer.Option("--cluster", help="dask=ADDRESS or ray=ADDRESS: work there.")
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
    against: AgainstOption = [],  # noqa: B006 - typer reads it as "none given"
    captioner: CaptionerOption = None,
    model: ModelOption = None,
    composer: ComposerOption = None,
    composer_model: ComposerModelOption = None,
    workers: WorkersOption = None,
    cluster: ClusterOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done.")] = False,
    engine: Annotated[
        Literal["prefect", "local"], typer.Option(help="With Prefect, or without it at all.")
    ] = "prefect",
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
        _say(f"not met  {line}")
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
    from tasks.build_options import settings_of, writers_of
    from tasks.preview.captions import preview as show_captions
    from tasks.preview.questions import preview as show_questions

    writers = writers_of(captioner, model, composer, composer_model)
    settings = settings_of(config, source, out, seed=seed, **writers)
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
    from tasks.storage.pull import opened
    from tasks.verify import verify as prove

    folder = opened(dataset)
    read_manifest(folder)  # no dataset at all is one clear line, not a proof that failed
    sources: dict[str, Path] = {}
    if source:
        from tasks.build_options import sources_of

        sources = {name: Path(archive) for name, archive in sources_of(source).items()}
    report = prove(folder, digests=digests, workers=workers)
    failures = list(report.failures)
    if sources:
        from tasks.verify_source import verify_sources

        compared = verify_sources(folder, sources, workers)
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
    from tasks.inspect_dataset import answers_of, rendered, survey
    from tasks.manifest import read_manifest
    from tasks.storage.pull import opened

    folder = opened(dataset)
    manifest = read_manifest(folder)
    console.print(rendered(survey(folder, manifest), answers_of(folder, manifest)))


@app.command()
def show(
    dataset: Dataset,
    sample_id: Annotated[str, typer.Argument(help="Id of the sample.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="PNG file to write.")],
) -> None:
    """Draw one sample: its images, the masks of its steps, question, reasoning and program."""
    from tasks.show import show as draw
    from tasks.storage.pull import opened

    draw(opened(dataset), sample_id, out)
    _say(f"picture  {out}")


@app.command()
def export(
    dataset: Dataset,
    to: Annotated[
        Literal[
            "coco",
            "geoparquet",
            "hf",
            "llava",
            "lmms-eval",
            "terracot",
            "vlmevalkit",
            "webdataset",
        ],
        typer.Option(help="Format (docs/export.md)."),
    ],
    out: Annotated[Path, typer.Option(help="Folder to write; empty, or of the same export.")],
    tier: Annotated[
        list[str] | None, typer.Option(help="Of this tier; repeat for several.")
    ] = None,
    split: Annotated[
        list[str] | None, typer.Option(help="Of this split; repeat for several.")
    ] = None,
    task: Annotated[
        list[str] | None, typer.Option(help="Of this task; repeat for several.")
    ] = None,
    source: Annotated[
        list[str] | None, typer.Option(help="Of this source; repeat for several.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="The first N samples.")] = None,
) -> None:
    """Write a dataset in a format of another tool, and say what that cannot hold."""
    from tasks.exports.choice import Choice
    from tasks.exports.export import export as write
    from tasks.exports.export import export_lines
    from tasks.storage.pull import opened

    choice = Choice(
        tiers=tuple(tier or ()),
        splits=tuple(split or ()),
        tasks=tuple(task or ()),
        sources=tuple(source or ()),
        limit=limit,
    )
    for line in export_lines(write(opened(dataset), to, out, choice)):
        _say(line)


@app.command()
def view(
    datasets: Annotated[
        list[str],
        typer.Argument(
            metavar="DIR [DIR]",
            help="A dataset, DIR@2 its version 2; of two the second, compared with the first.",
        ),
    ],
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Of the page; 0 is any that is free.")
    ] = 8100,
    host: Annotated[str, typer.Option(help="Name or number of this machine, loopback.")] = (
        "127.0.0.1"
    ),
) -> None:
    """Look at a dataset in the browser: samples, masks, counts, refusals, changes."""
    _need("view", "view", "duckdb", "starlette", "uvicorn")
    from view.serve import serve

    _end_by_signals()
    serve(datasets, host, port, _say)


@app.command()
def review(
    bench: Dataset,
    reviewer: Annotated[str, typer.Option(help="Your name; verdicts are kept under it.")] = "",
    reviews: Annotated[
        Path | None, typer.Option(help="Folder of verdicts; BENCH-reviews beside the bench.")
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Of the page; 0 is any that is free.")
    ] = 8101,
    seed: Annotated[int, typer.Option(help="Draws the order, another for each reviewer.")] = 0,
    summary: Annotated[
        bool, typer.Option("--summary", help="Say what the verdicts come to, in review.md as well.")
    ] = False,
    least: Annotated[
        int, typer.Option(min=1, max=3, help="Of the summary: how many have to say the same.")
    ] = 2,
) -> None:
    """Judge the items of a bench in the browser, or say what all reviewers' verdicts come to."""
    from tasks.reviewing.place import reviews_beside
    from tasks.storage.pull import opened

    folder = opened(bench)
    kept = reviews_beside(folder, reviews)
    if summary:
        from tasks.reviewing.summary import write_summary

        for line in write_summary(folder, kept, least):
            _say(line)
        return
    _need("review", "view", "duckdb", "starlette", "uvicorn")
    from view.review_serve import serve

    _end_by_signals()
    serve(folder, kept, reviewer, port, seed, _say)


@app.command()
def lineage(
    dataset: Dataset,
    sample_id: Annotated[
        str | None, typer.Argument(help="Id of a sample; all of the dataset if not given.")
    ] = None,
) -> None:
    """Say where a dataset or one sample comes from: files, template, prompt, model, code, run."""
    from tasks.lineage.told import dataset_lines, sample_lines
    from tasks.storage.pull import opened

    folder = opened(dataset)
    lines = sample_lines(folder, sample_id) if sample_id else dataset_lines(folder)
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
    from tasks.storage.pull import opened

    folders = opened(before), opened(after)
    found = compare(*folders)
    for line in comparison_lines(found):
        _say(line)
    write_comparison(page, found, *folders)
    _say(f"page     {page}")


@app.command()
def gc(
    dataset: DatasetFolder,
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
def push(
    dataset: Annotated[str, typer.Argument(help="Finished dataset: DIR, or DIR@2 of it.")],
    storage: Annotated[str, typer.Argument(metavar="s3://BUCKET/PREFIX", help="Where to.")],
) -> None:
    """Mirror a version to S3-compatible storage, below its name; only what is not there yet."""
    from tasks.storage.address import address_of
    from tasks.storage.push import push as mirror
    from tasks.versions import dataset_at

    _say(mirror(dataset_at(dataset), address_of(storage)).told)


@app.command()
def pull(
    url: Annotated[str, typer.Argument(metavar="s3://BUCKET/PREFIX/NAME[@2]", help="Dataset.")],
    out: Annotated[Path, typer.Argument(help="Folder to make of it.")],
) -> None:
    """Make a folder of a dataset on S3-compatible storage; only what is not here yet is fetched."""
    from tasks.storage.pull import pull as fetch

    fetch(url, out)
    _say(f"dataset  {out}")


@app.command()
def train(
    data: Annotated[str, typer.Option(help="Finished dataset: DIR, DIR@2, or s3://… of it.")],
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
    nodes: Annotated[
        int, typer.Option(min=1, help="Machines that train; run the same command on each.")
    ] = 1,
    rendezvous: Annotated[
        str | None, typer.Option(help="HOST:PORT of one of them, where they meet.")
    ] = None,
    node_address: Annotated[
        str | None, typer.Option(help="Of this machine for the others; its host name if not given.")
    ] = None,
    engine: Annotated[
        Literal["prefect", "local"], typer.Option(help="With Prefect, or without it at all.")
    ] = "prefect",
) -> None:
    """Train a model on a dataset; training that was cut off goes on from where it was."""
    from tasks.storage.pull import opened
    from tasks.training import learn, load_settings, nodes_of, trained

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
    several = nodes_of(nodes, rendezvous, node_address)
    if several and engine != "local":
        raise ConfigError("several nodes are started one by one: add --engine local on each")
    folder = opened(data)
    if engine == "local":
        for line in learn(folder, out, settings, processes, nodes=several):
            _say(line)
        model = trained(out)
    else:
        from flows.settings import settle

        settle()
        console.print("prefect  starting (--engine local runs without it)", highlight=False)
        from flows.reached import server_reached
        from flows.train import train as run

        with server_reached():
            model = run(folder, out, settings, processes)
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
    dataset: DatasetFolder,
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


@app.command()
def bench(
    dataset: Annotated[
        Path,
        typer.Argument(
            help="Folder of a dataset, or a file of another bench: .parquet, .csv, .json."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder of the results.")],
    predictions: Annotated[
        list[Path], typer.Option("--predictions", help="JSON lines; twice to compare two models.")
    ] = [],  # noqa: B006 - typer reads it as "none given"
    model: Annotated[Path | None, typer.Option(help="Folder of a trained model to ask.")] = None,
    url: Annotated[
        str | None, typer.Option(help="OpenAI-compatible URL of a model to ask.")
    ] = None,
    model_name: Annotated[str | None, typer.Option(help="Name that --url knows it by.")] = None,
    api_key_env: Annotated[
        str | None, typer.Option(help="Environment variable that holds the key of --url.")
    ] = None,
    control: Annotated[
        Literal["none", "blind", "shuffled", "rotated"],
        typer.Option(help="Ask without the picture, with another's, or with options turned."),
    ] = "none",
    tier: Annotated[str | None, typer.Option(help="Whose rows; bench if not given.")] = None,
    split: Annotated[
        str | None, typer.Option(help="Whose rows; all of the tier bench, else test.")
    ] = None,
    task: Annotated[
        list[str] | None, typer.Option(help="Of this task; repeat for several.")
    ] = None,
    number: Annotated[
        int | None, typer.Option("--number", "-n", min=1, help="Items, drawn by seed; else all.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Draws items, and scenes for intervals.")] = 0,
    grounded_iou: Annotated[
        float, typer.Option(min=0, max=1, help="Least IoU of a right answer that is grounded.")
    ] = 0.5,
    boundary_tolerance: Annotated[
        float, typer.Option(min=0, max=1, help="Of the boundary F, of the image's diagonal.")
    ] = 0.02,
    max_new_tokens: Annotated[int, typer.Option(min=1, help="Tokens of a reply at most.")] = 512,
) -> None:
    """Score answers and masks of one model or two: tables, a page, intervals, paired tests."""
    from tasks.scoring.ask_url import url_settings, write_url_predictions
    from tasks.scoring.opened import open_bench
    from tasks.scoring.results import compare_scored, score_file
    from tasks.scoring.score import Rules
    from tasks.scoring.sources import Source, check_sources, folder_of
    from tasks.scoring.written import headline

    asked: list[Source] = check_sources(predictions, model, url, model_name, control)
    questions = open_bench(dataset, tier, split, task or ())
    if number is not None:
        questions = questions.drawn(number, seed)
    rules = Rules(grounded_iou=grounded_iou, boundary_tolerance=boundary_tolerance, seed=seed)
    scored = []
    for place, source in enumerate(asked):
        folder = folder_of(out, place, len(asked))
        path = source.predictions or folder / "predictions.jsonl"
        if source.model is not None:
            _need_training_extra("bench --model")
            from flows.bench import ask_model

            ask_model(questions, source.model, path, control, max_new_tokens)
        elif source.url is not None:
            settings = url_settings(source.url, model_name or "", api_key_env)
            write_url_predictions(questions, settings, path, control, max_new_tokens)
        scored.append(score_file(questions, path, folder, rules))
    _say(headline([one.score for one in scored]))
    for one in scored:
        _say(f"page     {one.folder / 'bench.html'}")
    if len(scored) == 2:
        compare_scored(scored[0], scored[1], out, rules)
        _say(f"compared {out / 'comparison.html'}")


def _need_training_extra(command: str) -> None:
    _need(command, "train", "torch", "transformers")


def _end_by_signals() -> None:
    """Let both signals end a page by an exception, so that what it spilled goes with it.

    A shell starts what runs in the background with SIGINT ignored.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)


def _need(command: str, extra: str, *packages: str) -> None:
    """UserError where packages that a command needs, and an extra brings, are not installed."""
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        raise UserError(
            f"{command} needs {' and '.join(missing)}, which the extra brings: "
            f"pip install -e '.[{extra}]' -c constraints.txt"
        )


def _say(line: str) -> None:
    """Print one line as it is, however long a path in it may be."""
    console.print(line, markup=False, highlight=False, soft_wrap=True)


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
