"""What runs on a worker: a batch of granules; of a cluster, a look at what the worker has."""

import hashlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tasks.granules import GranuleId
from tasks.ledger import Record

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ("masks", "schemas", "tasks", "templates")
PACKAGES = (  # whose versions may show in the bytes of a shard
    "numba", "numpy", "opencv-python-headless", "pillow", "pyarrow", "pyproj", "rasterio", "scipy",
    "shapely",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a worker sees: which of some paths are missing, its code as a digest, its versions."""

    missing: tuple[str, ...]
    code: str
    versions: tuple[str, ...]


def work_through(
    work: Callable[[GranuleId], Record], granules: Sequence[GranuleId]
) -> list[Record]:
    """Work through a batch of granules, one after the other: what a worker is handed at once."""
    return [work(granule) for granule in granules]


def look(paths: Sequence[str]) -> Seen:
    """Look at what a worker has, where this runs."""
    python = f"python {sys.version_info.major}.{sys.version_info.minor}"
    return Seen(
        missing=tuple(path for path in paths if not Path(path).exists()),
        code=code_digest(),
        versions=(python, *(f"{name} {_version(name)}" for name in PACKAGES)),
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


@lru_cache(maxsize=1)
def code_digest() -> str:
    """Return the SHA-256, in hex, of the code that decides what is in a dataset."""
    digest = hashlib.sha256()
    for path in sorted(path for name in PROGRAM for path in (ROOT / name).rglob("*.py")):
        digest.update(path.relative_to(ROOT).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
