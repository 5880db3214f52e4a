"""Writes a whole planet: one world in the layouts of four archives, with its truth beside them."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from tasks.planet.bigearthnet import write_bigearthnet
from tasks.planet.chatearthnet import write_chatearthnet
from tasks.planet.teochatlas import write_teochatlas
from tasks.planet.world import World
from tasks.planet.xbd import write_xbd
from tasks.planet.zoo import add_zoo

Writer = Callable[[Path, World, int, int], None]

# the slowest first, so that two processes end together
WRITERS: dict[str, Writer] = {
    "xbd": write_xbd,
    "chatearthnet": write_chatearthnet,
    "bigearthnet": write_bigearthnet,
    "teochatlas": write_teochatlas,
}
_ORDER = ("bigearthnet", "xbd", "chatearthnet", "teochatlas")  # who gets the remainder first
_PROCESSES = 2


def write_planet(out: Path, scenes: int, seed: int, zoo: bool = False) -> None:
    """Write `scenes` scenes, an equal number an archive, into OUT/<archive> and OUT/truth.

    The same seed and number give the same bytes. With `zoo`, broken files of every kind are added
    at the end. `out` must not exist yet, or be an empty folder.

    Raises:
        ValueError: if `scenes` is below one.
        FileExistsError: if `out` holds something.
    """
    if scenes < 1:
        raise ValueError(f"a planet has at least one scene, not {scenes}")
    if out.exists() and any(out.iterdir()):
        raise FileExistsError(f"{out} is not empty; choose another folder or remove it")
    out.mkdir(parents=True, exist_ok=True)
    shares = scenes_by_archive(scenes)
    # spawned, not forked: the parent may run threads, and OpenCV's do not survive a fork
    with ProcessPoolExecutor(_PROCESSES, mp_context=get_context("spawn")) as pool:
        jobs = [
            pool.submit(_write, name, out / name, shares[name], seed)
            for name in WRITERS
            if shares[name]
        ]
        for job in jobs:
            job.result()
    if zoo:
        add_zoo(out, seed)


def scenes_by_archive(scenes: int) -> dict[str, int]:
    """Return how many scenes each archive gets: equal shares, the remainder to the first ones."""
    share, rest = divmod(scenes, len(_ORDER))
    return {name: share + (number < rest) for number, name in enumerate(_ORDER)}


def _write(name: str, out: Path, scenes: int, seed: int) -> None:
    """Write one archive; run in a process of its own."""
    WRITERS[name](out, World(seed), scenes, seed)
