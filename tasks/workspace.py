"""The output folder: whose it is, and who is building in it right now."""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tasks.atomic import place_text
from tasks.config import BuildConfig, check_config
from tasks.errors import ConfigError


@contextmanager
def claimed(config: BuildConfig) -> Iterator[None]:
    """Hold the output folder for one build.

    Raises:
        ConfigError: the folder holds something else, another dataset, or another build is running;
            or as in `check_config`.
    """
    check_config(config)
    check_owner(config)
    work = config.out / ".work"
    work.mkdir(parents=True, exist_ok=True)
    with locked(config.out):
        place_text(work / ".gitignore", "*\n")  # what is kept between builds is not published
        place_text(work / "dataset.json", json.dumps(_identity(config), indent=1) + "\n")
        yield


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Hold the work folder of a dataset, if it has one; ConfigError where a build holds it."""
    if not (out / ".work").is_dir():
        yield
        return
    with (out / ".work" / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConfigError(
                f"another build is running in {out}; wait for it or choose another --out"
            ) from error
        yield


def check_owner(config: BuildConfig) -> None:
    """Raise ConfigError where the output folder holds something else, or another dataset."""
    out = config.out
    if out.exists() and not out.is_dir():
        raise ConfigError(f"--out {out} is a file; name a folder")
    marker = out / ".work" / "dataset.json"
    if not out.exists():
        return
    if not marker.is_file():
        if all(path.name == ".work" for path in out.iterdir()):
            return  # empty, or a build was cut off before it could say whose the folder is
        raise ConfigError(
            f"--out {out} holds files that are no dataset of this program; choose an empty folder"
        )
    try:
        found = dict(json.loads(marker.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise ConfigError(
            f"{marker} is damaged, so nothing says what was built in {out}; choose another folder "
            "or remove it"
        ) from error
    if found != _identity(config):
        raise ConfigError(
            f"--out {out} holds another dataset, built from {found.get('sources')}, not from "
            f"{_identity(config)['sources']}; choose another folder or remove it"
        )


def _identity(config: BuildConfig) -> dict[str, dict[str, str]]:
    return {"sources": {name: str(root.resolve()) for name, root in sorted(config.sources.items())}}
