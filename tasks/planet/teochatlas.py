"""Writer of TEOChatlas: instruction records on single images, pairs and sequences of 3 to 5 dates.

Layout, archives unpacked where they lie::

    train/instruct.json   train/TEOChatlas_images/{QFabric,xBD,S2Looking}/...
                          train/GeoChat_Instruct_images1/*.jpg
    eval/<name>.json      eval/TEOChatlas_images/{QFabric,xBD,S2Looking}/...
                          eval/External_images/AID/*.jpg

All images are crops of places, whose names they begin with: QFabric `1.d2.05172015_320_0.tif` is
the second date of place 1 from pixel (320, 0) on, xBD `<event>_00000001_pre_disaster_2_3.png` is
cut from tile 1, S2Looking `1_A_256_0.png` and GeoChat `P0001_0002.jpg` likewise. All crops of a
place share its dates, and are all in train or all in eval.

A record has `video` (image paths relative to the JSON's folder, in order of date),
`conversations` (two turns of `from` and `value`), `timestamp`, `task`, `dataset`, `polygon` (WKT
in pixels of a 256 x 256 image whatever the file's size; "" in train). Boxes are whole percent.

The sentences that occur after the opening with `<video>` (all stand in `teochatlas_text`):

* QFabric (eval: QFabric_RQA5_RTQA5.json), for every site of a sequence and every image of it:
  "What is the development status in this region [x, y, x, y] in Image N? Choose from: ..." with
  a stage as the answer ("Land Cleared"); once a site "Identify the type of urban development that
  has occurred in this area [x, y, x, y]. Choose from: ..." with "Residential", "Commercial" or
  "Industrial". `polygon` is the site. A site stays where it is: its stage is what changes, so the
  area at a stage, first seen and largest follow from all records on one sequence.
* xBD (xBD_Change_Detection_Localization.json, xBD_Change_Detection_Classification.json):
  "Identify all buildings in Image 1. ..." with boxes or "There are no buildings in the image.";
  "Classify the level of damage experienced by the building at location [...] in the second
  image. ..." with "No damage", "Minor damage", "Major damage" or "Destroyed".
* S2Looking (S2Looking_Change_Detection.json): "Identify all changed buildings. ..." with boxes or
  "There are no changed buildings in the area."; in train also "Have any buildings been constructed
  in the area? Please answer with Yes or No."
* AID (eval) asks for the scene's class; train's single images "Identify all buildings in the
  image. ..." with boxes.

Natural faults, in a small share: eval paths with the prefix "TEOChatlas/eval/", boxes with their
corners the wrong way round, questions that end in ". ?", answers that repeat the region's box,
empty timestamps.

Truth, one scene a list of images: `scene_id` and `size` as in `truth.py` (`scene_id` is the first
image, relative to the archive), `split` (train, eval), `dataset`, `video`, `records` (JSON path ->
places of the scene's records in it), `dates`, `clouded` (places in `video`), `pixel_size_m` (the
archive does not tell it), and by dataset:

* QFabric: `regions` (`box`, `polygon_256`, `area_px256`, `kind`, `status` by date),
  `area_px256_by_status` by date, `built_px256` by date (stages Construction Done, Operational).
* xBD: `disaster`, `boxes` and `levels` of all buildings, `by_level`, `area_px256` of their union.
* S2Looking: `buildings` by date, `boxes` and number (`changed`) of new ones, `area_px256`.
* AID, GeoChat: `buildings`, and `scene_class` or `boxes`.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tasks.planet.teochatlas_chapter import Chapter
from tasks.planet.teochatlas_pairs import damage_scene, growth_scene
from tasks.planet.teochatlas_scene import TeoScene
from tasks.planet.teochatlas_sequences import site_scene
from tasks.planet.teochatlas_singles import boxes_scene, class_scene
from tasks.planet.truth import Json, write_truth
from tasks.planet.world import World

Maker = Callable[[World, TeoScene], Chapter]

EVAL_FILES = (
    "QFabric_RQA5_RTQA5.json",
    "xBD_Change_Detection_Localization.json",
    "xBD_Change_Detection_Classification.json",
    "S2Looking_Change_Detection.json",
    "AID.json",
)
# the kinds of scenes in turn: dataset, its maker, and folder, or both folders by turns
KINDS: tuple[tuple[str, Maker, str], ...] = (
    ("QFabric", site_scene, "eval"),
    ("xBD", damage_scene, "eval"),
    ("S2Looking", growth_scene, "eval train"),
    ("QFabric", site_scene, "eval"),
    ("single", boxes_scene, "train eval"),
    ("QFabric", site_scene, "eval"),
    ("QFabric", site_scene, "train"),
    ("xBD", damage_scene, "train"),
)
CROPS_A_PLACE = {"QFabric": 64, "xBD": 8, "S2Looking": 16, "single": 16}


def write_teochatlas(out: Path, world: World, scenes: int, seed: int) -> None:
    """Write the archive to `out`, its truth to `out.parent / "truth" / "teochatlas.json"`."""
    chapters = []
    for scene in plan_teochatlas(scenes, seed):
        chapter = teochatlas_chapter(world, scene)
        chapter.save_pictures(out)
        chapters.append(chapter)
    save_teochatlas(out, chapters)


def plan_teochatlas(scenes: int, seed: int) -> tuple[TeoScene, ...]:
    """Return the scenes: one place of a dataset after another is filled with crops.

    A place is in train or in eval, as its number is even or odd: none is in both.
    """
    counts: Counter[tuple[str, str]] = Counter()
    plan = []
    for index in range(scenes):
        turn, place = divmod(index, len(KINDS))
        dataset, _, folders = KINDS[place]
        folder = folders.split()[turn % len(folders.split())]
        filled, crop = divmod(counts[dataset, folder], CROPS_A_PLACE[dataset])
        counts[dataset, folder] += 1
        number = 2 * filled + (folder == "eval")
        plan.append(TeoScene(index=index, folder=folder, number=number, crop=crop, seed=seed))
    return tuple(plan)


def teochatlas_chapter(world: World, scene: TeoScene) -> Chapter:
    """Return a scene's pictures, records and truth; depends on the scene and the world alone."""
    _, make, _ = KINDS[scene.index % len(KINDS)]
    if make is boxes_scene and scene.folder == "eval":
        return class_scene(world, scene)
    return make(world, scene)


def save_teochatlas(out: Path, chapters: list[Chapter]) -> None:
    """Write the JSON files of all scenes, in their order, and the truth beside the archive."""
    files: dict[str, list[dict[str, Any]]] = {"train/instruct.json": []}
    files |= {f"eval/{name}": [] for name in EVAL_FILES}
    truth: list[dict[str, Json]] = []
    for chapter in chapters:
        places: dict[str, list[int]] = defaultdict(list)
        for name, entry in chapter.records:
            path = f"{chapter.folder}/{name}"
            places[path].append(len(files[path]))
            files[path].append(entry)
        video = [f"{chapter.folder}/{name}" for name in chapter.pictures]
        truth.append(
            {
                "scene_id": video[0],
                "split": chapter.folder,
                "dataset": chapter.records[0][1]["dataset"],
                "video": video,
                "records": dict(places),
                **chapter.truth,
            }
        )
    for name, entries in files.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text(json.dumps(entries))
    write_truth(out, truth)
