"""Writer of xBD: building damage before and after a disaster, 1024 x 1024 RGB at about 0.45 m.

Layout: `{train,test,hold}/{images,labels,targets}` and `tier3/{images,labels}`; names
`<disaster>_<8 digits>_{pre,post}_disaster[.png|.json|_target.png]`.

What an own tool must cope with, as in the archive: `gsd` is not the pixel size; rings are cut by
the image edge; some overlap; some buildings are un-classified; `subtype` is missing before.

The truth of a scene: see `xbd_truth`.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.planet.closeup import Light, paint
from tasks.planet.disasters import DISASTERS, Disaster, decimal_year
from tasks.planet.footprints import Footprint, footprints_in
from tasks.planet.georeference import Georeference, metres_per_degree
from tasks.planet.pictures import write_picture
from tasks.planet.places import find_window, towns_together
from tasks.planet.truth import Json, write_truth
from tasks.planet.window import Window
from tasks.planet.world import Event, World
from tasks.planet.xbd_labels import Label, features, metadata, new_uid, target
from tasks.planet.xbd_truth import label_truth

SIZE_PX = 1024
SPLITS = ("train", "test", "hold")
SPLITS_IN_TURN = ("train", "test", "hold", "train", "train")  # tier 1; the archive's own shares
DISASTER_SCENES = 20  # for so many scenes one more disaster is taken up
FEWEST_DISASTERS = 3
UNCLASSIFIED_SHARE = 0.25  # of the scenes have one to three un-classified buildings
COUNTS = ((1, 5), (6, 20), (21, 55), (56, 120))  # buildings a scene, each as likely
DISASTERS_A_REGION = 4  # of the world; each has its own place on the globe all the same


@dataclass(frozen=True, slots=True, kw_only=True)
class XbdScene:
    """What is settled about a scene before it is drawn."""

    index: int
    disaster: Disaster
    number: int
    split: str
    seed: int

    @property
    def name(self) -> str:
        """The scene's name in the archive, without date and suffix."""
        return f"{self.disaster.name}_{self.number:08}"


def write_xbd(out: Path, world: World, scenes: int, seed: int) -> None:
    """Write the archive to `out` and its truth to `out.parent / "truth" / "xbd.json"`."""
    for folder in (*(f"{s}/{k}" for s in SPLITS for k in ("images", "labels", "targets")),
                   "tier3/images", "tier3/labels"):  # fmt: skip
        (out / folder).mkdir(parents=True, exist_ok=True)
    write_truth(out, [write_xbd_scene(out, world, scene) for scene in plan_xbd(scenes, seed)])


def plan_xbd(scenes: int, seed: int) -> tuple[XbdScene, ...]:
    """Return the scenes: tier 1 and tier 3 by turns, a few disasters each, with rising numbers."""
    rng = np.random.default_rng([seed, 3])
    most = max(FEWEST_DISASTERS, scenes // DISASTER_SCENES)
    order = [DISASTERS[k] for k in rng.permutation(len(DISASTERS))]
    first = [disaster for disaster in order if disaster.tier == 1][: most // 2]
    third = [disaster for disaster in order if disaster.tier == 3][: most - most // 2]
    numbers: Counter[str] = Counter()
    plan = []
    for index in range(scenes):
        turn, of_third = divmod(index, 2)
        struck = third if of_third else first
        disaster = struck[turn % len(struck)]
        # the disaster's own turn: were it the tier's, each disaster might get one split alone
        own = turn // len(struck)
        split = "tier3" if of_third else SPLITS_IN_TURN[own % len(SPLITS_IN_TURN)]
        number = numbers[disaster.name]
        numbers[disaster.name] += int(rng.integers(1, 4))
        plan.append(XbdScene(index=index, disaster=disaster, number=number, split=split, seed=seed))
    return tuple(plan)


def write_xbd_scene(out: Path, world: World, scene: XbdScene) -> dict[str, Json]:
    """Write the files of one pair and return its truth; depends on the scene and world alone."""
    rng = np.random.default_rng([scene.seed, 31, scene.index])
    year = decimal_year(scene.disaster.before)
    side = float(np.round(rng.uniform(0.32, 0.56), 4))
    pixel_m = (side, float(np.round(side * rng.uniform(0.997, 1.003), 4)))
    region = DISASTERS.index(scene.disaster) // DISASTERS_A_REGION
    region_rng = np.random.default_rng([scene.seed, 32, region])
    towns = towns_together(region_rng, world)
    window = find_window(
        rng, world, towns, size_px=SIZE_PX, pixel_m=pixel_m, year=year,
        wanted=COUNTS[int(rng.integers(len(COUNTS)))],
    )  # fmt: skip
    found = footprints_in(world, window, year)
    event = _event(rng, scene.disaster, window, found)
    labels, world_levels = _labels(rng, world, found, event)
    georeference = _georeference(rng, scene.disaster, pixel_m)
    levels = {label.footprint.building.building_id: world_levels[label.uid] for label in labels}
    footprints = tuple(label.footprint for label in labels)
    before, after = Light.drawn(rng), Light.drawn(rng)
    dates = []
    for post, light in ((False, before), (True, after)):
        picture = paint(
            world, window, year, footprints, light, event if post else None, levels if post else {}
        )
        day = (scene.disaster.after if post else scene.disaster.before) + timedelta(
            days=int(rng.integers(0, 3))
        )
        dates.append(day.isoformat())
        meta = metadata(rng, scene.disaster, day, f"{_stem(scene, post)}.png", SIZE_PX)
        _write_files(out, scene, picture, labels, georeference, meta, post)
    return {
        "scene_id": scene.name,
        "split": scene.split,
        "disaster": scene.disaster.name,
        "kind": scene.disaster.kind,
        "dates": dates,
        **label_truth(labels, world_levels, pixel_m, SIZE_PX),
    }


def _stem(scene: XbdScene, post: bool) -> str:
    return f"{scene.name}_{'post' if post else 'pre'}_disaster"


def _event(
    rng: np.random.Generator, disaster: Disaster, window: Window, footprints: Sequence[Footprint]
) -> Event:
    """Return the disaster as it passed the scene: mostly over a building, now and then beside."""
    spread_m = (window.x_W[-1] - window.x_W[0]) * rng.choice([0.08, 0.08, 0.6])
    middle = (
        footprints[int(rng.integers(len(footprints)))].building.centre_m
        if footprints
        else (float(window.x_W.mean()), float(window.y_H.mean()))
    )
    return Event(
        kind=disaster.kind,
        x_m=round(float(middle[0] + rng.normal(0, spread_m)), 1),
        y_m=round(float(middle[1] + rng.normal(0, spread_m)), 1),
        radius_m=round(float(rng.uniform(50, 200)), 1),
        strength=round(float(rng.uniform(0.75, 1.15)), 3),
        heading_rad=round(float(rng.uniform(0, np.pi)), 3),
        seed=int(rng.integers(2**31)),
    )


def _labels(
    rng: np.random.Generator, world: World, footprints: Sequence[Footprint], event: Event
) -> tuple[tuple[Label, ...], dict[str, str]]:
    """Return the labels in the order of the file, and each uid's level in the world."""
    states = world.damages([f.building for f in footprints], event)
    order = rng.permutation(len(footprints))
    num_open = int(rng.integers(1, 4)) if rng.uniform() < UNCLASSIFIED_SHARE else 0
    labels, levels = [], {}
    for place, k in enumerate(order):
        uid = new_uid(rng)
        levels[uid] = states[k]
        level = "un-classified" if place < num_open and len(order) > 3 else levels[uid]
        labels.append(Label(uid=uid, footprint=footprints[k], level=level))
    shuffled = rng.permutation(len(labels))
    return tuple(labels[k] for k in shuffled), levels


def _georeference(
    rng: np.random.Generator, disaster: Disaster, pixel_m: tuple[float, float]
) -> Georeference:
    per_lon, per_lat = metres_per_degree(disaster.latitude)
    east_m, north_m = rng.uniform(-9000, 9000, 2)
    return Georeference(
        longitude=round(disaster.longitude + float(east_m) / per_lon, 8),
        latitude=round(disaster.latitude + float(north_m) / per_lat, 8),
        pixel_m=pixel_m,
        turn_rad=round(float(rng.normal(0, 0.008)), 6),
    )


def _write_files(
    out: Path,
    scene: XbdScene,
    picture_HWC: NDArray[np.uint8],
    labels: tuple[Label, ...],
    georeference: Georeference,
    meta: dict[str, Any],
    post: bool,
) -> None:
    folder, stem = out / scene.split, _stem(scene, post)
    content = {"features": features(labels, georeference, post=post), "metadata": meta}
    (folder / "labels" / f"{stem}.json").write_text(json.dumps(content))
    write_picture(folder / "images" / f"{stem}.png", picture_HWC)
    if scene.split != "tier3":
        raster = target(labels, SIZE_PX, post=post)
        write_picture(folder / "targets" / f"{stem}_target.png", raster)
