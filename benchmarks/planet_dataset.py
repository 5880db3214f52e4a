"""A dataset of a small planet in a temporary folder, for the benchmarks of training."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.local import build
from tasks.config import BuildConfig
from tasks.planet.planet import write_planet


@contextmanager
def given_or_built(data: Path | None, scenes: int) -> Iterator[Path]:
    """Yield the folder that was given, or a dataset of so many scenes of three archives."""
    if data is not None:
        yield data
        return
    with tempfile.TemporaryDirectory() as folder:
        planet = Path(folder) / "planet"
        write_planet(planet, scenes=scenes, seed=7)
        sources = {name: planet / name for name in ("bigearthnet", "xbd", "chatearthnet")}
        build(BuildConfig(sources=sources, out=Path(folder) / "dataset"))
        yield Path(folder) / "dataset"
