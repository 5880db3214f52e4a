"""The published bench: one Parquet file of pictures, questions, options and letters, no masks.

Columns (github.com/shuyansy/Earth-Observation-VLMs, evaluation/eval_terrascope_bench.py): `image`
{bytes, path}, `question`, `candidates` (JSON, letter -> text), `answer` (letter), `task_type`. Rows
have no id: an item is called by its number from 0, "000123". A row's place is its picture's path,
or its bytes where it has none.
"""

import json
from collections.abc import Collection, Iterator
from hashlib import sha256
from pathlib import Path
from string import ascii_uppercase
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.asked_pictures import AskedPicture
from tasks.errors import UserError
from tasks.scoring.bench import Bench, Pictures
from tasks.scoring.file_items import UnusableRow, bench_of
from tasks.scoring.item import BenchItem

COLUMNS = ("image", "question", "candidates", "answer", "task_type")


def published_bench(path: Path, tasks: Collection[str] = ()) -> Bench:
    """Return the questions of a published bench file; UserError where it is none."""
    table = _table(path)
    return bench_of(
        path,
        table.to_pylist(),
        _item,
        lambda wanted: _pictures(table, wanted),
        tasks,
    )


def _table(path: Path) -> pa.Table:
    try:
        names = pq.read_schema(path).names
        missing = [name for name in COLUMNS if name not in names]
        if missing:
            raise UserError(
                f"{path} has no column {', '.join(missing)}: it is not a published bench file"
            )
        return pq.read_table(path, columns=list(COLUMNS))
    except (OSError, pa.ArrowException) as error:
        raise UserError(f"{path} cannot be read as Parquet: {error}") from error


def _item(number: int, row: dict[str, Any]) -> BenchItem:
    options = _options(row["candidates"])
    letter = str(row["answer"] or "").strip()
    if letter not in list(ascii_uppercase[: len(options)]):
        raise UnusableRow("the answer is no letter of an option")
    picture = row["image"] or {}
    encoded = picture.get("bytes") or b""
    return BenchItem(
        item_id=f"{number:06}",
        scene_id=picture.get("path") or sha256(encoded).hexdigest(),
        source="published",
        task=row["task_type"],
        question=row["question"],
        options=options,
        letter=letter,
        answer=options[ascii_uppercase.index(letter)],
    )


def _options(candidates: str | None) -> tuple[str, ...]:
    try:
        tree = json.loads(candidates or "")
    except ValueError as error:
        raise UnusableRow("the options are not JSON") from error
    if not isinstance(tree, dict) or len(tree) < 2:
        raise UnusableRow("the options are not two or more texts by letter")
    letters = sorted(tree)
    if letters != list(ascii_uppercase[: len(letters)]):
        raise UnusableRow("the options' letters are not A, B and so on")
    return tuple(str(tree[letter]) for letter in letters)


def _pictures(table: pa.Table, wanted: Collection[str]) -> Iterator[tuple[str, Pictures]]:
    for item_id in sorted(wanted):
        picture = table.column("image")[int(item_id)].as_py() or {}
        encoded = picture.get("bytes")
        if not encoded:
            raise UserError(f"item {item_id} of the bench carries no picture")
        yield item_id, (AskedPicture(encoded=encoded, title=picture.get("path") or item_id),)
