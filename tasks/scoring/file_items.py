"""What readers of other benches share: rows that become items, or are counted with a reason."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from string import ascii_uppercase
from typing import Any, TypeVar

from tasks.asked_pictures import AskedPicture
from tasks.errors import UserError
from tasks.ledger import sha256_of
from tasks.scoring.bench import Bench, Pictures
from tasks.scoring.item import BenchItem

Row = TypeVar("Row")
MAX_REASONS_TOLD = 3


class UnusableRow(ValueError):
    """A row that no question can be made of; its reason is counted."""


def bench_of(
    path: Path,
    rows: Iterable[Row],
    item_of: Callable[[int, Row], BenchItem],
    look: Callable[[Collection[str]], Iterator[tuple[str, Pictures]]],
    tasks: Collection[str] = (),
) -> Bench:
    """Make items of rows, numbered from 0; UserError where none could be made."""
    items, left_out, other_ids = [], Counter[str](), set()
    for number, row in enumerate(rows):
        try:
            item = item_of(number, row)
        except UnusableRow as reason:
            left_out[str(reason)] += 1
            continue
        if tasks and item.task not in tasks:
            other_ids.add(item.item_id)
        else:
            items.append(item)
    if not items:
        why = "; ".join(f"{n}: {reason}" for reason, n in left_out.most_common(MAX_REASONS_TOLD))
        raise UserError(f"{path} holds no question that can be scored" + f" ({why})" * bool(why))
    return Bench(
        name=path.stem,
        digest=sha256_of(path),
        items=tuple(items),
        look=look,
        other_ids=frozenset(other_ids),
        left_out=dict(left_out),
    )


def as_object(record: Any) -> dict[str, Any]:
    """Return a record of a JSON list; UnusableRow where it is no object."""
    if not isinstance(record, dict):
        raise UnusableRow("it is no object")
    return record


def text_of(value: Any, otherwise: str) -> str:
    """Return what is a text and not empty; else UnusableRow, for the reason given."""
    if not isinstance(value, str) or not value:
        raise UnusableRow(otherwise)
    return value


def letter_of(options: Iterable[str], answer: str) -> str:
    """Return the letter of the option that an answer is, word for word; UnusableRow if none is."""
    listed = list(options)
    if answer not in listed:
        raise UnusableRow("the answer is none of the options")
    return ascii_uppercase[listed.index(answer)]


def looked_at(
    paths: Mapping[str, tuple[Path, ...]], wanted: Collection[str]
) -> Iterator[tuple[str, Pictures]]:
    """Yield the pictures of items that lie in files; UserError names one that is not there."""
    for item_id in sorted(wanted):
        yield (
            item_id,
            tuple(
                AskedPicture(encoded=_encoded(path), title=path.name, date_index=number)
                for number, path in enumerate(paths[item_id])
            ),
        )


def _encoded(path: Path) -> bytes:
    try:
        encoded = path.read_bytes()
    except OSError as error:
        raise UserError(f"the picture {path} cannot be read: {error.strerror}") from error
    if not encoded:
        raise UserError(f"the picture {path} is an empty file")
    return encoded
