"""The configuration of a build as the options of a command line say it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tasks.config import BuildConfig, load_config
from tasks.errors import ConfigError


def settings_of(
    config: Path | None,
    source: Sequence[str],
    out: Path,
    *,
    against: Sequence[Path] = (),
    cluster: str | None = None,
    **given: Any,
) -> BuildConfig:
    """Read a configuration and lay the options over it; those that are None were not given.

    ConfigError where an option or a key cannot be read.
    """
    told = {
        "sources": sources_of(source) or None,
        "out": out,
        "bench": {"against": list(against)} if against else None,
        "engine": _cluster(cluster),
    }
    return load_config(config, {**told, **given})


def sources_of(pairs: Sequence[str]) -> dict[str, str]:
    """Return folders by source from NAME=DIR; ConfigError for anything else."""
    sources: dict[str, str] = {}
    for pair in pairs:
        name, equals, folder = pair.partition("=")
        if not (name and equals and folder):
            raise ConfigError(f"--source takes NAME=DIR, got {pair!r}")
        if name in sources:
            raise ConfigError(f"--source {name} is given twice")
        sources[name] = folder
    return sources


def writers_of(
    captioner: str | None, model: str | None, composer: str | None, composer_model: str | None
) -> dict[str, Any]:
    """Return who writes captions and questions; ConfigError where model and writer do not go."""
    return {
        "captioner": _writer("captioner", captioner, "model", model),
        "composer": _writer("composer", composer, "composer-model", composer_model),
    }


def _writer(role: str, writer: str | None, option: str, model: str | None) -> dict[str, Any] | None:
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


def _cluster(given: str | None) -> dict[str, str] | None:
    if given is None:
        return None
    kind, _, address = given.partition("=")
    if kind not in ("dask", "ray") or not address:
        raise ConfigError(f"--cluster takes dask=ADDRESS or ray=ADDRESS, got {given!r}")
    return {"kind": kind, "address": address}
