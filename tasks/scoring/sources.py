"""Where predictions come from, one or two: a file, a model of ours, a model behind a URL."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.errors import ConfigError

MOST = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One of three."""

    predictions: Path | None = None
    model: Path | None = None
    url: str | None = None


def check_sources(
    predictions: Sequence[Path],
    model: Path | None,
    url: str | None,
    model_name: str | None,
    control: str,
) -> list[Source]:
    """Return the sources in the order of the comparison; ConfigError where they cannot be."""
    sources = [Source(predictions=path) for path in predictions]
    sources += [Source(model=model)] if model is not None else []
    sources += [Source(url=url)] if url is not None else []
    if not 1 <= len(sources) <= MOST:
        raise ConfigError(
            f"{len(sources)} sets of predictions are given; name one, or two to compare: "
            "--predictions FILE, --model DIR, or --url URL --model-name NAME"
        )
    if (url is None) != (model_name is None):
        raise ConfigError("--url and --model-name are given together")
    if control != "none" and model is None and url is None:
        raise ConfigError(
            f"--control {control} changes what a model is asked; it needs --model or --url"
        )
    return sources


def folder_of(out: Path, place: int, number: int) -> Path:
    """Return where one of several sources' results lie; of a single one, in `out` itself."""
    return out if number == 1 else out / str(place + 1)
