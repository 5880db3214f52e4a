"""What a run from the command line sets for Prefect, before Prefect is imported.

Prefect reads `prefect.toml` only from the folder that a command runs in, and knows no file at all
for the rest. What the user has set in the environment is kept.
"""

import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PREFECT_TOML = Path(__file__).resolve().parents[1] / "prefect.toml"
QUIET = {
    "DO_NOT_TRACK": "1",
    # the terminal shows our bars and the final table; the runs' logs go to the Prefect UI
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
}


def settle() -> None:
    """Set what the environment leaves open; a `prefect.toml` of the current folder is kept too."""
    settings = dict(QUIET)
    if not Path("prefect.toml").exists():
        table = tomllib.loads(PREFECT_TOML.read_text(encoding="utf-8"))
        settings |= dict(_variables(table, "PREFECT"))
    for name, value in settings.items():
        os.environ.setdefault(name, value)


def _variables(table: dict[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    """Yield name and value of the environment variable of every setting in a table."""
    for key, value in table.items():
        name = f"{prefix}_{key.upper()}"
        if isinstance(value, dict):
            yield from _variables(value, name)
        else:
            yield name, str(value)
