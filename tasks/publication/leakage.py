"""The leakage meter: what the splits of a dataset share that no two splits may share."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
import shapely
from numpy.typing import NDArray

# of the smaller box: boxes in degrees around neighbours of a UTM grid overlap where the grid is
# turned, at the edge of a zone and far north; among all patches of BigEarthNet by 6.8 % at most
HAIR = 0.1
MOST_EXAMPLES = 5

Bounds = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """A scene as the meter sees it.

    `bounds_lonlat` is (west, south, east, north) in degrees, None where unknown; `images` are the
    SHA-256 of its images, without those of one colour, which say nothing.
    """

    source: str
    split: str
    scene_id: str
    place: str
    bounds_lonlat: Bounds | None
    images: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.source} {self.scene_id} ({self.split})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """How many things two splits share, and a few of them in words."""

    number: int
    examples: tuple[str, ...]


def shared_images(scenes: Iterable[Footprint]) -> Shared:
    """Return the images that scenes of two splits show, byte for byte, whatever their sources."""
    first: dict[str, dict[str, Footprint]] = defaultdict(dict)  # image -> split -> a scene
    for scene in scenes:
        for image in scene.images:
            first[image].setdefault(scene.split, scene)
    return _shared(_in_two_splits(first.values()))


def shared_places(scenes: Iterable[Footprint]) -> Shared:
    """Return the places, tiles say, of which a source has scenes in two splits."""
    first: dict[tuple[str, str], dict[str, Footprint]] = defaultdict(dict)
    for scene in scenes:
        first[scene.source, scene.place].setdefault(scene.split, scene)
    return _shared(_in_two_splits(first.values()))


def overlaps(scenes: Sequence[Footprint]) -> tuple[Shared, Shared]:
    """Return the scenes that overlap a scene of another split, and those that only touch one.

    Scenes without bounds do neither. A scene is told with the first that it meets.
    """
    by_split: dict[str, list[Footprint]] = defaultdict(list)
    for scene in scenes:
        if scene.bounds_lonlat is not None:
            by_split[scene.split].append(scene)
    overlapping: dict[Footprint, Footprint] = {}
    touching: dict[Footprint, Footprint] = {}
    for split, other in combinations(sorted(by_split), 2):
        for scene, met, share in _met(by_split[split], by_split[other]):
            found = overlapping if share > HAIR else touching
            found.setdefault(scene, met)
            found.setdefault(met, scene)
    for scene in overlapping:
        touching.pop(scene, None)
    return _shared(overlapping.items()), _shared(touching.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """A scene, another one, and how the two meet."""

    scene: Footprint
    other: Footprint
    how: Literal["shows an image of", "overlaps", "touches"]


def meetings(scenes: Sequence[Footprint], others: Sequence[Footprint]) -> Iterator[Meeting]:
    """Yield how scenes meet others: by an image of the same bytes, by ground, by an edge alone.

    An image is told with the first other scene that shows it; scenes without bounds meet no ground.
    """
    shown = {image: other for other in reversed(others) for image in other.images}
    for scene in scenes:
        for image in scene.images:
            if image in shown:
                yield Meeting(scene=scene, other=shown[image], how="shows an image of")
    placed, others_placed = ([s for s in side if s.bounds_lonlat] for side in (scenes, others))
    if placed and others_placed:
        for scene, other, share in _met(placed, others_placed):
            how: Literal["overlaps", "touches"] = "overlaps" if share > HAIR else "touches"
            yield Meeting(scene=scene, other=other, how=how)


def _met(
    scenes: Sequence[Footprint], others: Sequence[Footprint]
) -> Iterator[tuple[Footprint, Footprint, float]]:
    """Yield pairs whose boxes meet, with the share that both have of the smaller one."""
    a_N4, b_M4 = _boxes(scenes), _boxes(others)
    tree = shapely.STRtree(shapely.box(*b_M4.T))
    a_P, b_P = tree.query(shapely.box(*a_N4.T), predicate="intersects")
    low_P2 = np.maximum(a_N4[a_P, :2], b_M4[b_P, :2])
    high_P2 = np.minimum(a_N4[a_P, 2:], b_M4[b_P, 2:])
    smaller_P = np.minimum(_areas(a_N4)[a_P], _areas(b_M4)[b_P])
    share_P = np.prod(high_P2 - low_P2, axis=1) / smaller_P
    for a, b, share in zip(a_P.tolist(), b_P.tolist(), share_P.tolist(), strict=True):
        yield scenes[a], others[b], share


def _boxes(scenes: Iterable[Footprint]) -> NDArray[np.float64]:
    """Return the bounds, an eastern end beyond the antimeridian counted on."""
    boxes_N4 = np.array([scene.bounds_lonlat for scene in scenes], np.float64)
    boxes_N4[:, 2] += 360.0 * (boxes_N4[:, 2] < boxes_N4[:, 0])
    return boxes_N4


def _areas(boxes_N4: NDArray[np.float64]) -> NDArray[np.float64]:
    areas: NDArray[np.float64] = np.prod(boxes_N4[:, 2:] - boxes_N4[:, :2], axis=1)
    return areas


def _in_two_splits(
    by_split: Iterable[dict[str, Footprint]],
) -> Iterator[tuple[Footprint, Footprint]]:
    for found in by_split:
        if len(found) > 1:
            one, another = sorted(found)[:2]
            yield found[one], found[another]


def _shared(pairs: Iterable[tuple[Footprint, Footprint]]) -> Shared:
    told = [f"{one} and {other}" for one, other in pairs]
    return Shared(number=len(told), examples=tuple(sorted(told)[:MOST_EXAMPLES]))
