"""DisasterM3 (arXiv 2505.21089): `benchmark_release.json`, pairs of dates, options in one string.

Records hold `task`, `prompts`, `options_str` ("A. 9, B. 1, C. 7, D. 13, E. 17."),
`ground_truth_option`, `pre_image_path`, `post_image_path` and `post_image_type`. Scored are those
with one letter as the answer and two dates; the paper takes building counting and road area.
Paths may have Windows' backslashes. An item is called by its number from 0.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from string import ascii_uppercase
from typing import Any

from tasks.scoring.bench import Bench
from tasks.scoring.file_items import UnusableRow, as_object, bench_of, looked_at, text_of
from tasks.scoring.item import BenchItem

_LETTER = re.compile(r"(?:^|[,;.]?\s+|[,;])([A-Z])[.:)]\s+")


def disaster_bench(path: Path, records: Sequence[Any], tasks: Collection[str] = ()) -> Bench:
    """Return the questions of DisasterM3's records that have one letter as the answer."""
    paths: dict[str, tuple[Path, ...]] = {}

    def item_of(number: int, record: Any) -> BenchItem:
        dates = _dates(as_object(record))
        item = _item(number, record, dates)
        paths[item.item_id] = tuple(path.parent / name for name in dates)
        return item

    return bench_of(path, records, item_of, lambda wanted: looked_at(paths, wanted), tasks)


def options_of(text: str) -> tuple[str, ...]:
    """Return the options of "A. 9, B. 1."; UnusableRow where the letters are not A, B and so on."""
    head, *parts = _LETTER.split(text.strip())
    letters, words = parts[::2], parts[1::2]
    if head or len(letters) < 2 or letters != list(ascii_uppercase[: len(letters)]):
        raise UnusableRow("the options' letters are not A, B and so on")
    return tuple(option.strip().rstrip(",;.") for option in words)


def _dates(record: Mapping[str, Any]) -> tuple[str, str]:
    before, after = (
        text_of(record.get(key), "it has no pair of dates").replace("\\", "/")
        for key in ("pre_image_path", "post_image_path")
    )
    return before, after


def _item(number: int, record: Mapping[str, Any], dates: tuple[str, str]) -> BenchItem:
    options = options_of(text_of(record.get("options_str"), "the options are no text"))
    not_one = "the answer is not one letter of the options"
    letter = text_of(record.get("ground_truth_option"), not_one).strip()
    if letter not in list(ascii_uppercase[: len(options)]):
        raise UnusableRow(not_one)
    prompts = record.get("prompts")
    first = prompts[0] if isinstance(prompts, list) and prompts else prompts
    return BenchItem(
        item_id=f"{number:06}",
        scene_id=dates[0],
        source=f"disasterm3, {record.get('post_image_type') or 'Optical'}",
        task=text_of(record.get("task"), "it has no task"),
        question=text_of(first, "it has no question"),
        options=options,
        letter=letter,
        answer=options[ascii_uppercase.index(letter)],
        seen_on=(0, 1),
    )
