"""Put a file or folder in place whole or not at all: temporary name, fsync, rename, fsync."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EMLINK, ENOTSUP, EPERM, EXDEV
from pathlib import Path
from shutil import copy2, rmtree

GONE = ".gone"  # how the name ends of a folder that is being removed
_NO_LINKS = (EPERM, ENOTSUP, EXDEV, EMLINK)


@contextmanager
def placing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on a clean exit it becomes `path`.

    The temporary name is hidden and fixed, so what a killed run left behind is overwritten by the
    next one and never matches `*.parquet`.

    Raises:
        OSError: with the final path and the free space, if writing fails (a full disk, say);
            the temporary file is gone then and `path` is as it was.
    """
    temporary = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        _sync(temporary)
        os.replace(temporary, path)
        _sync(path.parent)
    except OSError as error:
        raise OSError(error.errno, f"cannot write {path}: {_cause(error, path)}") from error
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def placing_folder(path: Path) -> Iterator[Path]:
    """Yield a new hidden folder beside `path`; on a clean exit it takes its place.

    The files in it are synced already, or links to such. What a killed run left behind under the
    hidden name is removed by the next one. OSError as in `placing`.
    """
    temporary = path.with_name(f".{path.name}.part")
    rmtree(temporary, ignore_errors=True)
    try:
        temporary.mkdir(parents=True)
        yield temporary
        for folder, _, _ in os.walk(temporary):
            _sync(Path(folder))
        remove_folder(path)
        os.rename(temporary, path)
        _sync(path.parent)
    except OSError as error:
        raise OSError(error.errno, f"cannot write {path}: {_cause(error, path)}") from error
    finally:
        rmtree(temporary, ignore_errors=True)


def remove_folder(path: Path) -> None:
    """Remove a folder, if it is there, so that a killed removal leaves it whole or hidden."""
    hidden = path.with_name(f".{path.name}{GONE}")
    rmtree(hidden, ignore_errors=True)
    if path.exists():
        os.rename(path, hidden)
        rmtree(hidden)


def place_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8 to `path`, whole or not at all; OSError as in `placing`."""
    with placing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def linked(path: Path, to: Path) -> bool:
    """Link a file, or copy it where that cannot be; return whether it is a copy."""
    to.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(path, to)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        copy2(path, to)
        return True
    return False


def alike(path: Path, other: Path) -> bool:
    """Return whether two names are of one file, or of files with as many bytes of one time."""
    try:
        here, there = path.stat(), other.stat()
    except FileNotFoundError:
        return False
    return os.path.samestat(here, there) or (here.st_size, here.st_mtime_ns) == (
        there.st_size,
        there.st_mtime_ns,
    )


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _cause(error: OSError, path: Path) -> str:
    cause = error.strerror or str(error)
    folder = path.parent
    if not folder.is_dir():
        return cause
    status = os.statvfs(folder)
    free_mib = status.f_bavail * status.f_frsize / 2**20
    return f"{cause} ({free_mib:.0f} MiB free in {folder})"
