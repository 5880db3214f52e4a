"""One TEOChatlas record, parsed: images in order of time, questions and answers, and shapes.

Shapes are in shares of width and height, 0 to 1, origin top left, so that a record fits its images
at any size: boxes are given in percent, polygons in pixels of a 256 x 256 image.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime

import shapely
from shapely.geometry import Polygon, box

from schemas.rejection import Reason, Refusal
from tasks.sources.json_fields import as_list, as_object, as_text, due
from tasks.sources.polygons import parse_polygons

MAX_IMAGES = 16  # TEOChat's MAX_IMAGE_LENGTH; of more, readers keep 16 at random
POLYGON_IMAGE_PX = 256.0  # evaluate_masks(height=256, width=256)
BOX_FULL = 100.0  # percent of width and height

_NUMBER = r"\s*(-?\d+(?:\.\d+)?)\s*"
_BOX = re.compile(rf"\[{_NUMBER},{_NUMBER},{_NUMBER},{_NUMBER}\]")
_QFABRIC_DATE = re.compile(r"\.d\d+\.(\d{8})_")  # <loc>.d2.12262015_<x>_<y>.tif, month first


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A question and its answer, with the boxes that each of them names."""

    question: str
    answer: str
    question_boxes: tuple[Polygon, ...]
    answer_boxes: tuple[Polygon, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record. `images` are paths as listed, oldest first; `dates` are ISO or "" (unknown)."""

    dataset: str
    task: str
    images: tuple[str, ...]
    dates: tuple[str, ...]
    turns: tuple[Turn, ...]
    polygons: tuple[Polygon, ...]


def parse_record(value: object, where: str) -> Record:
    """Return one record of `instruct.json` or of an eval file.

    Images are put in order of their timestamps, as the archive's own reader does before it counts
    "Image N"; QFabric's file names give the dates where the record has none.

    Raises:
        Refusal: WRONG_TYPE, MISSING_METADATA (no images or no conversation), BAD_CONVERSATION,
            BAD_DATE, UNKNOWN_VALUE (more than 16 images, a box outside 0 to 100), and the polygon
            reasons of `parse_polygons`.
    """
    record = as_object(value, where)
    images = _images(record, where)
    dates = _dates(record.get("timestamp"), images, where)
    order = sorted(range(len(images)), key=dates.__getitem__)
    return Record(
        dataset=as_text(record.get("dataset") or "", f"{where}: dataset"),
        task=as_text(record.get("task") or "", f"{where}: task"),
        images=tuple(images[i] for i in order),
        dates=tuple(dates[i] for i in order),
        turns=_turns(due(record, "conversations", where), where),
        polygons=_polygons(record.get("polygon"), where),
    )


def _images(record: dict[str, object], where: str) -> list[str]:
    value = record["video"] if "video" in record else due(record, "image", where)
    listed = [value] if isinstance(value, str) else as_list(value, f"{where}: video")
    images = [as_text(path, f"{where}: video[{i}]") for i, path in enumerate(listed)]
    if not images or not all(images):
        raise Refusal(Reason.MISSING_METADATA, f"{where}: video {images!r} names no image")
    if len(images) > MAX_IMAGES:
        raise Refusal(
            Reason.UNKNOWN_VALUE, f"{where}: {len(images)} images, expected 1 to {MAX_IMAGES}"
        )
    return images


def _dates(value: object, images: list[str], where: str) -> list[str]:
    listed = [value] if isinstance(value, str) else as_list(value or [], f"{where}: timestamp")
    stamps = [as_text(stamp, f"{where}: timestamp[{i}]") for i, stamp in enumerate(listed)]
    if not any(stamps):
        named = [_date_in_name(path) for path in images]
        return named if all(named) else [""] * len(images)
    if len(stamps) != len(images):
        raise Refusal(
            Reason.BAD_DATE, f"{where}: {len(stamps)} timestamps for {len(images)} images"
        )
    return [_iso(stamp, where) for stamp in stamps]


def _iso(stamp: str, where: str) -> str:
    try:
        return date.fromisoformat(stamp).isoformat()
    except ValueError as error:
        raise Refusal(
            Reason.BAD_DATE, f"{where}: timestamp {stamp!r}, expected YYYY-MM-DD"
        ) from error


def _date_in_name(path: str) -> str:
    found = _QFABRIC_DATE.search(path)
    if found is None:
        return ""
    try:
        return datetime.strptime(found[1], "%m%d%Y").date().isoformat()
    except ValueError:
        return ""  # a name is no promise: the record goes on without dates


def _turns(value: object, where: str) -> tuple[Turn, ...]:
    listed = as_list(value, f"{where}: conversations")
    if not listed or len(listed) % 2:
        raise Refusal(
            Reason.BAD_CONVERSATION, f"{where}: {len(listed)} turns, expected question and answer"
        )
    texts = [
        _said(item, ("human", "gpt")[i % 2], f"{where}: conversations[{i}]")
        for i, item in enumerate(listed)
    ]
    return tuple(
        Turn(
            question=question,
            answer=answer,
            question_boxes=_boxes(question, where),
            answer_boxes=_boxes(answer, where),
        )
        for question, answer in zip(texts[::2], texts[1::2], strict=True)
    )


def _said(item: object, speaker: str, where: str) -> str:
    turn = as_object(item, where)
    if turn.get("from") != speaker:
        raise Refusal(
            Reason.BAD_CONVERSATION, f"{where}: from {turn.get('from')!r}, expected {speaker!r}"
        )
    text = turn.get("value")
    if not isinstance(text, str) or not text.strip():
        raise Refusal(Reason.BAD_CONVERSATION, f"{where}: value {text!r}, expected a text")
    return text


def _boxes(text: str, where: str) -> tuple[Polygon, ...]:
    return tuple(_box([float(n) for n in found], where) for found in _BOX.findall(text))


def _box(numbers: list[float], where: str) -> Polygon:
    """Return a box in shares of width and height; corners may come in any order.

    Percents are rounded, so a side of zero length stands for a building under one percent: such a
    side is widened by half a percent both ways.
    """
    if min(numbers) < 0 or max(numbers) > BOX_FULL:
        raise Refusal(Reason.UNKNOWN_VALUE, f"{where}: box {numbers}, expected numbers 0 to 100")
    (x_min, x_max), (y_min, y_max) = sorted(numbers[::2]), sorted(numbers[1::2])
    widen_x, widen_y = 0.5 * (x_min == x_max), 0.5 * (y_min == y_max)
    corners = (x_min - widen_x, y_min - widen_y, x_max + widen_x, y_max + widen_y)
    return box(*(min(max(corner, 0.0), BOX_FULL) / BOX_FULL for corner in corners))


def _polygons(value: object, where: str) -> tuple[Polygon, ...]:
    """Return the polygons of `polygon`: one WKT, a list of WKTs, or nothing ("" or [""])."""
    if value is None or isinstance(value, str):
        value = [value or ""]
    texts = [as_text(text, f"{where}: polygon") for text in as_list(value, f"{where}: polygon")]
    parsed = (
        polygon
        for number, text in enumerate(texts)
        if text.strip()
        for polygon in parse_polygons(text, f"{where}: polygon {number}")
    )
    return tuple(shapely.transform(polygon, lambda xy: xy / POLYGON_IMAGE_PX) for polygon in parsed)
