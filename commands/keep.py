"""Hand a dataset on, and keep its folder small."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from commands.console import say
from commands.options import Dataset, DatasetFolder


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
        say(line)


def push(
    dataset: Annotated[str, typer.Argument(help="Finished dataset: DIR, or DIR@2 of it.")],
    storage: Annotated[str, typer.Argument(metavar="s3://BUCKET/PREFIX", help="Where to.")],
) -> None:
    """Mirror a version to S3-compatible storage, below its name; only what is not there yet."""
    from tasks.storage.address import address_of
    from tasks.storage.push import push as mirror
    from tasks.versions import dataset_at

    say(mirror(dataset_at(dataset), address_of(storage)).told)


def pull(
    url: Annotated[str, typer.Argument(metavar="s3://BUCKET/PREFIX/NAME[@2]", help="Dataset.")],
    out: Annotated[Path, typer.Argument(help="Folder to make of it.")],
) -> None:
    """Make a folder of a dataset on S3-compatible storage; only what is not here yet is fetched."""
    from tasks.storage.pull import pull as fetch

    fetch(url, out)
    say(f"dataset  {out}")


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
            say(f"{size_text(one.bytes):>9}  {one.path.relative_to(dataset)}  {one.why}")
        if not dry_run:
            remove(waste)
    freed = size_text(sum(one.bytes for one in waste))
    say(f"{'would free' if dry_run else 'freed'} {freed} in {len(waste):,} files and folders")
