"""Landsat30-AU-VQA (arXiv 2508.03127): a CSV of questions with options and an answer in words.

Traps: `options` is a Python list in single quotes, never JSON; "None" is a true answer of 96 rows,
so nothing may be read as missing; the same words must be among the options. Pictures lie at
`image_path` beside the CSV, or below the folder `VQA` beside it.
"""

import ast
import csv
import sys
from collections.abc import Collection
from pathlib import Path

from tasks.errors import UserError
from tasks.scoring.bench import Bench
from tasks.scoring.file_items import UnusableRow, bench_of, letter_of, looked_at
from tasks.scoring.item import BenchItem

COLUMNS = ("qa_id", "image_path", "question", "question_type", "options", "answer")


def landsat_bench(path: Path, tasks: Collection[str] = ()) -> Bench:
    """Return the questions of a Landsat30-AU-VQA file; UserError where it is none."""
    rows = _rows(path)
    paths: dict[str, tuple[Path, ...]] = {}

    def item_of(number: int, row: dict[str, str]) -> BenchItem:
        item = _item(row)
        if item.item_id in paths:
            raise UnusableRow("the id was there before")
        paths[item.item_id] = (_picture(path.parent, row["image_path"]),)
        return item

    return bench_of(path, rows, item_of, lambda wanted: looked_at(paths, wanted), tasks)


def _rows(path: Path) -> list[dict[str, str]]:
    csv.field_size_limit(sys.maxsize)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True, restval="")
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise UserError(
                    f"{path} has no column {', '.join(missing)}: it is not Landsat30-AU-VQA"
                )
            return list(reader)
    except (OSError, csv.Error, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read as CSV: {error}") from error


def _item(row: dict[str, str]) -> BenchItem:
    options = _options(row["options"])
    return BenchItem(
        item_id=row["qa_id"],
        scene_id=row["image_path"],
        source="landsat30-au",
        task=row["question_type"],
        question=row["question"],
        options=options,
        letter=letter_of(options, row["answer"]),
        answer=row["answer"],
    )


def _options(text: str) -> tuple[str, ...]:
    try:
        options = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise UnusableRow("the options are no Python list") from error
    if not isinstance(options, list) or not 2 <= len(options) <= 26:
        raise UnusableRow("the options are no list of two or more")
    return tuple(str(option) for option in options)


def _picture(folder: Path, told: str) -> Path:
    beside = folder / told
    return beside if beside.is_file() else folder / "VQA" / told
