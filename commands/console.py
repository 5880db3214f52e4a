"""What commands share: how they speak, what they need installed, how a page is ended."""

import signal
from importlib.util import find_spec

from rich.console import Console

from tasks.errors import UserError

console = Console()


def say(line: str) -> None:
    """Print one line as it is, however long a path in it may be."""
    console.print(line, markup=False, highlight=False, soft_wrap=True)


def need(command: str, extra: str, *packages: str) -> None:
    """UserError where packages that a command needs, and an extra brings, are not installed."""
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        raise UserError(
            f"{command} needs {' and '.join(missing)}, which the extra brings: "
            f"pip install -e '.[{extra}]' -c constraints.txt"
        )


def need_training_extra(command: str) -> None:
    """UserError where what trains and asks models is not installed."""
    need(command, "train", "torch", "transformers")


def end_by_signals() -> None:
    """Let both signals end a page by an exception, so that what it spilled goes with it.

    A shell starts what runs in the background with SIGINT ignored.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
