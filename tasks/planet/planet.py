"""Writes a whole planet: one world in the layouts of four archives, with its truth beside them."""

from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import chain
from multiprocessing import get_context
from pathlib import Path

import cv2

from tasks.planet.bigearthnet import write_bigearthnet
from tasks.planet.chatearthnet import write_chatearthnet
from tasks.planet.teochatlas import write_teochatlas
from tasks.planet.truth import Json, write_truth
from tasks.planet.world import World, world_of
from tasks.planet.xbd import XbdScene, plan_xbd, write_xbd, write_xbd_scene
from tasks.planet.zoo import add_zoo

Writer = Callable[[Path, World, int, int], None]

ARCHIVES = ("bigearthnet", "xbd", "chatearthnet", "teochatlas")  # who gets the remainder first
# written whole, each in one process, the most work first; xBD is as much as the three together and
# goes in parts, which fill up what is left of the processes' time
_WHOLE: dict[str, Writer] = {
    "teochatlas": write_teochatlas,
    "chatearthnet": write_chatearthnet,
    "bigearthnet": write_bigearthnet,
}
_XBD_PARTS = 6
_PROCESSES = 2
SYNTHETIC = """\
Procedural scenes in the layout of {name}, written by `terrascope planet` with seed {seed}.
No observation of the Earth; names of places and times are made up.
"""


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
    context = get_context("spawn")
    with ProcessPoolExecutor(_PROCESSES, context, initializer=_one_thread) as pool:
        others = [
            pool.submit(_write_whole, name, out / name, shares[name], seed)
            for name in _WHOLE
            if shares[name]
        ]
        xbd_parts = _submit_xbd(pool, out / "xbd", shares["xbd"], seed)
        truths = list(chain.from_iterable(part.result() for part in xbd_parts))
        for other in others:
            other.result()
    if truths:
        write_truth(out / "xbd", truths)
    for name in ARCHIVES:
        if (out / name).is_dir():
            (out / name / "SYNTHETIC.txt").write_text(SYNTHETIC.format(name=name, seed=seed))
    if zoo:
        add_zoo(out, seed)


def scenes_by_archive(scenes: int) -> dict[str, int]:
    """Return how many scenes each archive gets: equal shares, the remainder to the first ones."""
    share, rest = divmod(scenes, len(ARCHIVES))
    return {name: share + (number < rest) for number, name in enumerate(ARCHIVES)}


def _one_thread() -> None:
    """Keep OpenCV from starting threads of its own in a process that has a core to itself."""
    cv2.setNumThreads(1)


def _submit_xbd(
    pool: ProcessPoolExecutor, out: Path, scenes: int, seed: int
) -> list[Future[list[dict[str, Json]]]]:
    """Start the parts of the xBD archive; scenes of one disaster stay together, as its towns do."""
    if scenes == 0:
        return []
    write_xbd(out, world_of(seed), 0, seed)  # its folders, which the parts share
    plan = sorted(plan_xbd(scenes, seed), key=lambda scene: scene.disaster.name)
    size = -(-len(plan) // _XBD_PARTS)
    return [
        pool.submit(_write_xbd_part, out, tuple(plan[first : first + size]), seed)
        for first in range(0, len(plan), size)
    ]


def _write_xbd_part(out: Path, scenes: tuple[XbdScene, ...], seed: int) -> list[dict[str, Json]]:
    """Write some scenes of xBD and return their truth; run in a process of its own."""
    return [write_xbd_scene(out, world_of(seed), scene) for scene in scenes]


def _write_whole(name: str, out: Path, scenes: int, seed: int) -> None:
    """Write one archive; run in a process of its own."""
    _WHOLE[name](out, world_of(seed), scenes, seed)
