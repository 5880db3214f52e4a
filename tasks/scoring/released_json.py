"""The authors' training records (their README and `gcg_process.py`) as questions to be scored.

One picture: `image`, `conversations` (a human's turn, then the model's), `masks` (for each [SEG] a
list of COCO codes, whose union it marks). Two dates: `pre_image`, `post_image` and `masks` = [codes
before, codes after], or one flat list of which the first half lies on the first picture; null is an
empty mask. A question's options are its lines "A. ...". Records have no task: the file's name is
it. An item is called by its number from 0, "000123".
"""

import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from string import ascii_uppercase
from typing import Any

import numpy as np

from masks.rle import decode, encode
from schemas.trace import ANSWER_OPEN
from tasks.scoring.bench import Bench
from tasks.scoring.file_items import UnusableRow, bench_of, looked_at
from tasks.scoring.item import BenchItem, TrueMask
from tasks.scoring.parse import answer_part
from tasks.scoring.prediction import PredictedMask

_OPTION = re.compile(r"^([A-Z])[.)] *(.+)$", re.MULTILINE)
_LETTER = re.compile(r"^([A-Z])(?:[.)] |$)")

Codes = list[dict[str, Any] | None]


def released_bench(path: Path, records: Sequence[Any], tasks: Collection[str] = ()) -> Bench:
    """Return the questions of training records."""
    paths: dict[str, tuple[Path, ...]] = {}

    def item_of(number: int, record: Any) -> BenchItem:
        item = _item(number, record, path.stem)
        paths[item.item_id] = tuple(path.parent / name for name in _names(record))
        return item

    return bench_of(path, records, item_of, lambda wanted: looked_at(paths, wanted), tasks)


def _item(number: int, record: Any, task: str) -> BenchItem:
    question, reply = _turns(record)
    options = tuple(words.strip() for _, words in _OPTION.findall(question))
    answer = answer_part(reply) if ANSWER_OPEN in reply else ""
    letter = _letter(answer, options) if options else ""
    marked = list(_marked(record))
    size_HW = _size(marked)
    return BenchItem(
        item_id=f"{number:06}",
        scene_id=" ".join(_names(record)),
        source="released",
        task=task,
        question=_OPTION.sub("", question).strip(),
        options=options,
        letter=letter,
        answer=options[ascii_uppercase.index(letter)] if letter else answer,
        size_HW=size_HW,
        seen_on=tuple(range(len(_names(record)))),
        masks=tuple(_mask(image, codes, size_HW) for image, codes in marked) if size_HW else (),
        reasoning=reply,
    )


def _names(record: Any) -> tuple[str, ...]:
    keys = ("image",) if "image" in record else ("pre_image", "post_image")
    names = [record.get(key) for key in keys]
    if not all(isinstance(name, str) and name for name in names):
        raise UnusableRow("it names no picture")
    return tuple(str(name) for name in names)


def _turns(record: Any) -> tuple[str, str]:
    turns = record.get("conversations") if isinstance(record, dict) else None
    if not isinstance(turns, list) or len(turns) != 2:
        raise UnusableRow("it has not one question and one answer")
    question, reply = (str(turn.get("value") or "") for turn in turns)
    return question.replace("<image>", "").strip(), reply


def _letter(answer: str, options: Sequence[str]) -> str:
    match = _LETTER.match(answer)
    if match is None or match[1] not in ascii_uppercase[: len(options)]:
        raise UnusableRow("the answer is no letter of an option")
    return match[1]


def _marked(record: Any) -> Iterator[tuple[int, Codes]]:
    """Yield each mask's picture and the codes that it is the union of."""
    masks = record.get("masks") or []
    if "pre_image" not in record:
        for codes in masks:
            yield 0, codes if isinstance(codes, list) else [codes]
        return
    if len(masks) == 2 and all(isinstance(of_date, list) for of_date in masks):
        for image, of_date in enumerate(masks):
            for code in of_date:
                yield image, [code]
        return
    for place, code in enumerate(masks):
        yield int(2 * place >= len(masks)), code if isinstance(code, list) else [code]


def _size(marked: Sequence[tuple[int, Codes]]) -> tuple[int, int] | None:
    """Return the one size of all codes, None where there is none."""
    sizes = [code.get("size") for _, codes in marked for code in codes if code is not None]
    if any(size != sizes[0] for size in sizes):
        raise UnusableRow("its masks are of several sizes")
    if not sizes:
        return None
    if not isinstance(sizes[0], list) or len(sizes[0]) != 2:
        raise UnusableRow("a mask's code is invalid")
    return int(sizes[0][0]), int(sizes[0][1])


def _mask(image: int, codes: Codes, size_HW: tuple[int, int]) -> TrueMask:
    union_HW = np.zeros(size_HW, np.bool_)
    for code in codes:
        if code is not None:
            try:
                mask = PredictedMask(size=size_HW, counts=code["counts"])
                union_HW |= decode(mask.code(), size_HW)
            except (KeyError, ValueError) as error:
                raise UnusableRow("a mask's code is invalid") from error
    return TrueMask(label="", image_index=image, counts=encode(union_HW))
