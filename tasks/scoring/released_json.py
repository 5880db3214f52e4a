"""The authors' training records (their README and `gcg_process.py`) as questions to be scored.

One picture: `image`, `conversations` (a human's turn, then the model's), `masks` (for each [SEG] a
list of COCO codes, whose union it marks). Two dates: `pre_image`, `post_image` and `masks` = [codes
before, codes after], or one flat list of which the first half lies on the first picture. Both
halves may go by the [SEG]s; null is no mask: that [SEG] marks nothing there (their
`Video_COT_Dataset.py` fills an empty one in, for want of a mask to learn from). A question's
options are its lines "A. ...". Records have no task: the file's name is it. An item is called by
its number from 0, "000123".
"""

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from string import ascii_uppercase
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masks.rle import decode, encode
from schemas.trace import ANSWER_OPEN, SEG
from tasks.scoring.bench import Bench
from tasks.scoring.file_items import UnusableRow, as_object, bench_of, looked_at, text_of
from tasks.scoring.item import BenchItem, TrueMask
from tasks.scoring.parse import answer_part
from tasks.scoring.prediction import PredictedMask

_OPTION = re.compile(r"^([A-Z])[.)] *(.+)$", re.MULTILINE)
_LETTER = re.compile(r"^([A-Z])(?:[.)] |$)")

Placed = tuple[int, Any]  # the picture, and the codes that it is the union of


def released_bench(path: Path, records: Sequence[Any], tasks: Collection[str] = ()) -> Bench:
    """Return the questions of training records."""
    paths: dict[str, tuple[Path, ...]] = {}

    def item_of(number: int, record: Any) -> BenchItem:
        names = _names(as_object(record))
        item = _item(number, record, names, path.stem)
        paths[item.item_id] = tuple(path.parent / name for name in names)
        return item

    return bench_of(path, records, item_of, lambda wanted: looked_at(paths, wanted), tasks)


def _item(number: int, record: Mapping[str, Any], names: Sequence[str], task: str) -> BenchItem:
    question, reply = _turns(record)
    options = tuple(words.strip() for _, words in _OPTION.findall(question))
    answer = answer_part(reply) if ANSWER_OPEN in reply else ""
    letter = _letter(answer, options) if options else ""
    masks = _masks(_placed(record, len(names), reply.count(SEG)))
    return BenchItem(
        item_id=f"{number:06}",
        scene_id=" ".join(names),
        source="released",
        task=task,
        question=_OPTION.sub("", question).strip(),
        options=options,
        letter=letter,
        answer=options[ascii_uppercase.index(letter)] if letter else answer,
        size_HW=(masks[0][1].shape[0], masks[0][1].shape[1]) if masks else None,
        seen_on=tuple(range(len(names))),
        masks=tuple(
            TrueMask(label="", image_index=image, counts=encode(mask_HW))
            for image, mask_HW in masks
        ),
        reasoning=reply,
    )


def _names(record: Mapping[str, Any]) -> tuple[str, ...]:
    keys = ("image",) if "image" in record else ("pre_image", "post_image")
    return tuple(text_of(record.get(key), "it names no picture") for key in keys)


def _turns(record: Mapping[str, Any]) -> tuple[str, str]:
    turns, reason = record.get("conversations"), "it has not one question and one answer"
    if not isinstance(turns, list) or len(turns) != 2:
        raise UnusableRow(reason)
    question, reply = (
        text_of(turn.get("value") if isinstance(turn, dict) else None, reason) for turn in turns
    )
    return question.replace("<image>", "").strip(), reply


def _letter(answer: str, options: Sequence[str]) -> str:
    match = _LETTER.match(answer)
    if match is None or match[1] not in ascii_uppercase[: len(options)]:
        raise UnusableRow("the answer is no letter of an option")
    return match[1]


def _placed(record: Mapping[str, Any], num_pictures: int, num_segs: int) -> list[Placed]:
    """Return all of a record's masks, null too; in the order of [SEG] where both dates go by it."""
    masks = record.get("masks") or []
    if not isinstance(masks, list):
        raise UnusableRow("its masks are no list")
    if num_pictures == 1:
        return [(0, codes) for codes in masks]
    if len(masks) == 2 and all(isinstance(of_date, list) for of_date in masks):
        before, after = masks
    else:
        before, after = masks[: len(masks) // 2], masks[len(masks) // 2 :]
    placed = [*((0, code) for code in before), *((1, code) for code in after)]
    if len(before) == len(after) == num_segs:
        placed = [placed[place] for seg in range(num_segs) for place in (seg, num_segs + seg)]
    return placed


def _masks(placed: Sequence[Placed]) -> list[tuple[int, NDArray[np.bool_]]]:
    """Return the masks that are there, each with its picture; all are of one size."""
    decoded = [
        (image, [_decoded(code) for code in _listed(told) if code is not None])
        for image, told in placed
    ]
    if len({mask_HW.shape for _, parts in decoded for mask_HW in parts}) > 1:
        raise UnusableRow("its masks are of several sizes")
    return [(image, np.logical_or.reduce(parts)) for image, parts in decoded if parts]


def _listed(told: Any) -> list[Any]:
    return told if isinstance(told, list) else [told]


def _decoded(told: Any) -> NDArray[np.bool_]:
    try:
        mask = PredictedMask(size=told["size"], counts=told["counts"])
        return decode(mask.code(), mask.size)
    except (KeyError, TypeError, ValueError) as error:
        raise UnusableRow("a mask's code is invalid") from error
