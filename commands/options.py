"""Options and arguments that several commands share."""

from pathlib import Path
from typing import Annotated, Literal

import typer

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
EngineOption = Annotated[
    Literal["prefect", "local"], typer.Option(help="With Prefect, or without it at all.")
]
