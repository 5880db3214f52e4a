"""The items of a bench, as far as a review looks at them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.tier import Tier
from tasks.digest import digest_of
from tasks.errors import UserError
from tasks.manifest import read_manifest
from tasks.rows import open_shard
from templates.item import LETTERS

SHOWN_COLUMNS = ("question", "options", "answer", "masks")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewItem:
    """One item; `shown` is a digest of what verdicts are on."""

    task: str
    letters: str
    right: str
    num_masks: int
    shown: str


def shown_digest(row: Mapping[str, Any]) -> str:
    """Return a digest of question, options, answer and masks of a candidate or sample."""
    masks = [[mask["label"], mask["image_index"], mask["counts"]] for mask in row["masks"]]
    answer = row["answer"]
    told = [row["question"], row["options"], answer["letter"], answer["text"], masks]
    return digest_of(told)[:16]


def items_of(bench: Path) -> dict[str, ReviewItem]:
    """Return the items of a bench by id, in the order of its shards.

    Raises:
        ManifestError, RowError: a folder that is no dataset, or a shard that cannot be read.
        UserError: a dataset that is no bench.
    """
    files = [file for file in read_manifest(bench).files if file.tier == Tier.BENCH]
    if not files:
        raise UserError(f"{bench} is no bench: it has no items to review (build --stage bench)")
    items = {}
    for file in files:
        with open_shard(bench / file.path) as shard:
            table = shard.read(columns=["sample_id", "task", *SHOWN_COLUMNS])
        for row in table.to_pylist():
            items[row["sample_id"]] = ReviewItem(
                task=row["task"],
                letters=LETTERS[: len(row["options"])],
                right=row["answer"]["letter"],
                num_masks=len(row["masks"]),
                shown=shown_digest(row),
            )
    return items
