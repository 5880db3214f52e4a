"""The sentences and records of TEOChatlas, and the small faults that the archive has."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from shapely import MultiPolygon, Polygon, get_coordinates
from shapely.geometry.base import BaseGeometry

POLYGON_PX = 256  # polygons are in pixels of an image of that size, whatever the file's size
BOX_FORM = "bounding box of the form [x_min, y_min, x_max, y_max]"

SINGLE = "This is a satellite image: <video> "
PAIR = (
    "These are two high-resolution, optical satellite images capturing the same location at "
    "different times: <video> \n"
)
SEQUENCES = (
    "This is a sequence of high resolution, optical satellite images capturing the same location "
    "at different times: <video> ",
    "This is a sequence of satellite images capturing the same location at different times: "
    "<video> ",
)
ASK_STATUS = "What is the development status in this region {box} in Image {image}?"
ASK_TYPE = "Identify the type of urban development that has occurred in this area {box}."
_IN_BOXES = f" Include a {BOX_FORM} for each identified building in your response."
_OR_NONE = " If there are no such buildings, do not output a bounding box."
ASK_BUILDINGS = "Identify all buildings in Image 1." + _IN_BOXES + _OR_NONE
ASK_ALL = "Identify all buildings in the image." + _IN_BOXES
ASK_CHANGED = "Identify all changed buildings." + _IN_BOXES + _OR_NONE
ASK_DAMAGE = (
    "Classify the level of damage experienced by the building at location {box} in the second "
    "image. Choose from: No damage, Minor Damage, Major Damage, Destroyed."
)
ASK_BUILT = "Have any buildings been constructed in the area? Please answer with Yes or No."
ASK_SCENE = "Classify this image as one of: {classes}."
NO_BUILDINGS = "There are no buildings in the image."
NO_CHANGES = "There are no changed buildings in the area."
STATUSES = (
    "Prior Construction", "Greenland", "Land Cleared", "Excavation", "Materials Dumped",
    "Construction Started", "Construction Midway", "Construction Done", "Operational",
)  # fmt: skip
TYPES = ("Residential", "Commercial", "Industrial", "Road", "Demolition", "Mega Projects")
DAMAGE = {
    "no-damage": "No damage",
    "minor-damage": "Minor damage",
    "major-damage": "Major damage",
    "destroyed": "Destroyed",
}

PREFIX = "TEOChatlas/eval/"
PREFIX_SHARE = 0.3  # of the eval records
SPACED_MARK_SHARE = 0.1  # of the questions end in ". ?"
REVERSED_SHARE = 0.06  # of the answers have one box with its corners the wrong way round
ECHO_SHARE = 0.05  # of the train answers about a region repeat its box

Box = tuple[int, int, int, int]


def percent_box(ring: NDArray[np.float64], size_px: int) -> Box:
    """Return the bounding box of (N, 2) pixel positions in whole percent of the image, 0 to 100."""
    scaled = np.clip(ring / size_px * 100, 0, 100)
    low, high = np.floor(scaled.min(axis=0)), np.ceil(scaled.max(axis=0))
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def percent_boxes(shapes: Iterable[BaseGeometry], size_px: int) -> list[Box]:
    """Return the box of every shape, in pixels, also of one that the image's edge cuts in two."""
    return [percent_box(get_coordinates(shape), size_px) for shape in shapes]


def wkt_256(shape: BaseGeometry, size_px: int) -> str:
    """Return the WKT of polygons in pixels, scaled to an image of 256 pixels; "" if empty."""
    parts = [p for p in getattr(shape, "geoms", [shape]) if isinstance(p, Polygon) and p.area > 0]
    rings = [np.round(np.array(p.exterior.coords) * POLYGON_PX / size_px, 4) for p in parts]
    scaled = [Polygon(ring) for ring in rings]
    if not scaled:
        return ""
    return str((scaled[0] if len(scaled) == 1 else MultiPolygon(scaled)).wkt)


def box_text(box: Box) -> str:
    """Return "[x_min, y_min, x_max, y_max]"."""
    return f"[{box[0]}, {box[1]}, {box[2]}, {box[3]}]"


def boxes_answer(boxes: Sequence[Box], otherwise: str) -> str:
    """Return the boxes, comma-separated with a full stop, or the sentence that there are none."""
    return ", ".join(box_text(b) for b in boxes) + "." if boxes else otherwise


def status_question(box: Box, image: int) -> str:
    """Return the question for the stage of a region in one image, counted from 1."""
    choices = ", ".join(STATUSES)
    return ASK_STATUS.format(box=box_text(box), image=image) + f" Choose from: {choices}."


def type_question(box: Box) -> str:
    """Return the question for the kind of development of a region."""
    return ASK_TYPE.format(box=box_text(box)) + f" Choose from: {', '.join(TYPES)}."


def record(
    rng: np.random.Generator,
    *,
    video: Sequence[str],
    opening: str,
    question: str,
    answer: str,
    timestamp: Sequence[str],
    task: str,
    dataset: str,
    polygon: str,
    train: bool,
) -> dict[str, Any]:
    """Return one record with its share of the archive's faults; train records have no polygon.

    `video` is relative to the folder of the JSON.
    """
    prefix = PREFIX if not train and rng.uniform() < PREFIX_SHARE else ""
    if rng.uniform() < SPACED_MARK_SHARE:
        question = question.removesuffix("?").removesuffix(".") + ". ?"
    if rng.uniform() < REVERSED_SHARE:
        answer = _reverse_first_box(answer)
    if train and "this region" in question and rng.uniform() < ECHO_SHARE:
        answer = f"{answer} {question[question.index('[') : question.index(']') + 1]}"
    return {
        "video": [prefix + path for path in video],
        "conversations": [
            {"from": "human", "value": opening + question},
            {"from": "gpt", "value": answer},
        ],
        "timestamp": list(timestamp),
        "task": task,
        "dataset": dataset,
        "polygon": "" if train else polygon,
    }


def _reverse_first_box(answer: str) -> str:
    if not answer.startswith("["):
        return answer
    first, rest = answer[1:].split("]", 1)
    x_min, y_min, x_max, y_max = first.split(", ")
    return f"[{x_max}, {y_max}, {x_min}, {y_min}]{rest}"
