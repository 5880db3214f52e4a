"""VLMEvalKit: one TSV of multiple-choice rows, named after the dataset, images in base64.

`index`, `image`, `question`, `A`, `B`, …, `answer`, `category` (the task), `l2-category` (the tier)
and `split`, by all of which it reports; an image list that a row before has is that row's index.
"""

import base64
import csv

from schemas.tier import Tier
from tasks.exports.conversation import letter_of
from tasks.exports.pictures import digest_of
from tasks.exports.target import Export
from tasks.rows import Row

MOST_OPTIONS = 8
_LETTERS = [letter_of(place) for place in range(MOST_OPTIONS)]
_FIELDS = [
    *("index", "question", *_LETTERS, "answer", "category", "l2-category", "split"),
    *("source", "sample_id", "image"),
]
# what pandas reads as "nothing there", so that VLMEvalKit would drop the option
_MISSING = frozenset(
    "#N/A|#N/A N/A|#NA|-1.#IND|-1.#QNAN|-NaN|-nan|1.#IND|1.#QNAN|<NA>|N/A|NA|NULL|NaN|None|n/a|nan"
    "|null".split("|")
)


def write_vlmevalkit(export: Export) -> None:
    """Write the multiple-choice rows; open questions, captions and masks are left out."""
    path = export.folder / f"{export.name}.tsv"
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, _FIELDS, dialect="excel-tab", lineterminator="\n")
        table.writeheader()
        for rows in export.granules():
            first_with: dict[str, int] = {}  # images of this granule -> index of their row
            for row in rows:
                if reason := _unfit(row):
                    export.leave(reason)
                    continue
                images = digest_of(*(image.bytes for image in row.images))
                seen = first_with.setdefault(images, export.samples)
                shown = _images(row) if seen == export.samples else str(seen)
                table.writerow(_entry(row, export.samples, shown))
                export.samples += 1
                export.leave("step masks", len(row.masks))


def _unfit(row: Row) -> str:
    """Return what a row is called that the table cannot hold, "" of one that it can."""
    if row.tier == Tier.CAP:
        return "captions"
    if not row.options:
        return "open questions"
    if len(row.options) > MOST_OPTIONS:
        return f"questions of more than {MOST_OPTIONS} options"
    if _MISSING & set(row.options):
        return "questions with an option that pandas reads as nothing"
    return ""


def _images(row: Row) -> str:
    codes = [base64.b64encode(image.bytes).decode("ascii") for image in row.images]
    return codes[0] if len(codes) == 1 else str(codes)


def _entry(row: Row, index: int, image: str) -> dict[str, str | int]:
    return {
        "index": index,
        "question": row.question,
        **{letter_of(place): option for place, option in enumerate(row.options)},
        "answer": row.answer.letter,
        "category": row.task,
        "l2-category": row.tier,
        "split": row.split,
        "source": row.source,
        "sample_id": row.sample_id,
        "image": image,
    }
