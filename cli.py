"""`terrascope`: build datasets, prove them, look at them, and train on them."""

import sys

import typer
from rich.console import Console

from commands.build import build, plan, planet, preview
from commands.keep import export, gc, pull, push
from commands.look import diff, inspect, lineage, show, verify, view
from commands.model import answers, ask, train
from commands.score import bench, review
from tasks.errors import UserError

COMMANDS = {
    "Make a dataset": (build, plan, preview, planet),
    "Prove it and look at it": (verify, inspect, show, view, lineage, diff),
    "Hand it on and tidy up": (export, push, pull, gc),
    "Train and ask": (train, ask, answers),
    "Score": (bench, review),
}
app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Pixel-grounded reasoning data from Earth-observation archives, proved from its masks.",
)
for _panel, _group in COMMANDS.items():
    for _command in _group:
        app.command(rich_help_panel=_panel)(_command)


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
