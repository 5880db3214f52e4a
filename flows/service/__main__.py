"""`python -m flows.service up|down`: a server, its database and two workers on this machine."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from flows.service.database import Kind
from flows.service.running import ROOT, Service, down, up
from tasks.errors import UserError

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
FOLDER = ROOT / ".service"

Folder = Annotated[Path, typer.Option(help="Of process files, logs and the database.")]


@app.command("up")
def start(
    host: Annotated[str, typer.Option(help="Address that browsers and workers use.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Of the UI and the API.")] = 4200,
    database: Annotated[Kind, typer.Option(help="auto: PostgreSQL where there is one.")] = "auto",
    folder: Folder = FOLDER,
) -> None:
    """Start what is not running yet, and deploy prefect.yaml."""
    up(Service(folder=folder.resolve(), host=host, port=port), database, typer.echo)


@app.command("down")
def end(folder: Folder = FOLDER) -> None:
    """End what `up` has started, and nothing else."""
    down(folder.resolve(), typer.echo)


if __name__ == "__main__":
    try:
        app()
    except UserError as error:
        sys.exit(f"terrascope: {error}")
