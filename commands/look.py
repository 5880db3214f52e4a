"""Prove a dataset, and look at it in the terminal, a picture or the browser."""

from pathlib import Path
from typing import Annotated

import typer

from commands.console import console, end_by_signals, need, say
from commands.options import Dataset

MAX_FAILURES_SHOWN = 20


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
        say(str(failure))
    if len(failures) > MAX_FAILURES_SHOWN:
        console.print(f"and {len(failures) - MAX_FAILURES_SHOWN} more")
    console.print(f"proved   {report.proved:,} of {report.samples:,} samples")
    if sources:
        console.print(f"compared {compared.scenes:,} scenes with {', '.join(sources)}")
    if failures:
        raise typer.Exit(1)


def inspect(dataset: Dataset) -> None:
    """Count samples by source, tier, task, split and answer, and refusals by reason."""
    from tasks.inspect_dataset import answers_of, rendered, survey
    from tasks.manifest import read_manifest
    from tasks.storage.pull import opened

    folder = opened(dataset)
    manifest = read_manifest(folder)
    console.print(rendered(survey(folder, manifest), answers_of(folder, manifest)))


def show(
    dataset: Dataset,
    sample_id: Annotated[str, typer.Argument(help="Id of the sample.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="PNG file to write.")],
) -> None:
    """Draw one sample: its images, the masks of its steps, question, reasoning and program."""
    from tasks.show import show as draw
    from tasks.storage.pull import opened

    draw(opened(dataset), sample_id, out)
    say(f"picture  {out}")


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
    need("view", "view", "duckdb", "starlette", "uvicorn")
    from view.serve import serve

    end_by_signals()
    serve(datasets, host, port, say)


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
        say(line)


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
        say(line)
    write_comparison(page, found, *folders)
    say(f"page     {page}")
