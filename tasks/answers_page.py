"""A page of held-out questions as a model answers them, beside the annotated masks."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from masks.metrics import iou
from masks.rle import decode
from schemas.sensors import segmented_picture
from schemas.tier import Tier
from schemas.trace import answer_of
from tasks.drawing import colour_of, hex_of
from tasks.drawn_rows import drawn_rows
from tasks.errors import UserError
from tasks.manifest import read_manifest
from tasks.option_views import OptionView, option_views
from tasks.rows import Row
from tasks.shard_counts import count_shards
from tasks.show import image_title
from tasks.shown import PAGES, Picture, picture_of, picture_of_row, write_page
from tasks.step_texts import step_texts

ANSWERS_NAME = "report/answers.html"
_LETTER = re.compile(r"^[A-Z]\. ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What a model made of a row: its text, its answer, and masks with their image's number."""

    row: Row
    text: str
    answer: str
    masks: tuple[tuple[int, NDArray[np.bool_]], ...]

    @property
    def due(self) -> str:
        """The answer as the row's trace has it."""
        return answer_of(self.row.trace)

    @property
    def right(self) -> bool:
        """Whether the answer is word for word the row's; a letter counts only where one is due."""
        if self.row.options:
            return self.answer == self.due
        return _LETTER.sub("", self.answer) == self.due

    @property
    def right_in_words(self) -> bool:
        """Whether what follows a letter is the row's, whichever letter there is."""
        return _LETTER.sub("", self.answer) == _LETTER.sub("", self.due)

    @property
    def ious(self) -> list[float]:
        """The IoU of each mask with the row's mask of its number, 0 if that lies elsewhere.

        What the row marks on a radar picture is seen on the optical one of its date, if there is
        one: so it is learnt and written.
        """
        return [
            self._iou(number) if number < len(self.row.masks) else 0.0
            for number in range(len(self.masks))
        ]

    def _iou(self, number: int) -> float:
        image, mask_HW = self.masks[number]
        due = self.row.masks[number]
        infos = [info.model_dump() for info in self.row.image_info]
        if segmented_picture(infos, due.image_index) != segmented_picture(infos, image):
            return 0.0
        return iou(mask_HW, decode(due.counts.encode("ascii"), due.size))


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLine:
    """What was written of one mask; `note` says how it lies to the row's mask of that number."""

    text: str
    colour: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredView:
    """All that the page shows of one question."""

    answered: Answered
    options: tuple[OptionView, ...]
    annotated: tuple[Picture, ...]
    predicted: tuple[Picture, ...]
    before: str
    steps: tuple[StepLine, ...]


def held_out_questions(
    dataset: Path,
    split: str,
    number: int,
    seed: int,
    tier: str | None = None,
    tasks: Collection[str] = (),
) -> list[Row]:
    """Draw questions of a split by seed, sources and tasks in turn; of a tier and tasks if given.

    UserError where there are none; ManifestError where the folder holds no finished dataset.
    """
    manifest = read_manifest(dataset)
    tiers = set(Tier) - {Tier.CAP} if tier is None else {tier}
    files = tuple(f for f in manifest.files if f.split == split and f.tier in tiers)
    if not files:
        of_tier = "" if tier is None else f" of the tier {tier!r}"
        raise UserError(
            f"{dataset} has no questions{of_tier} of the split {split!r}; name another --split or "
            "--tier"
        )
    counts = count_shards(dataset, files)
    drawn = drawn_rows(dataset, files, counts, seed, number, tasks)
    if not drawn:
        raise UserError(
            f"{dataset} has no questions of the kinds {', '.join(tasks)} in the split {split!r}; "
            "`terrascope inspect` lists what there is"
        )
    return drawn


def write_answers(dataset: Path, model: Path, answered: Sequence[Answered]) -> Path:
    """Write `report/answers.html`, one file that needs nothing else."""
    path = dataset / ANSWERS_NAME
    write_page(
        path,
        PAGES / "answers.html",
        dataset=dataset.resolve().name,
        model=model.resolve().name,
        right=sum(one.right for one in answered),
        views=[_view(one) for one in answered],
    )
    return path


def _view(answered: Answered) -> AnsweredView:
    row = answered.row
    before, texts = step_texts(answered.text)
    return AnsweredView(
        answered=answered,
        options=option_views(row.options, row.answer.letter),
        annotated=tuple(picture_of_row(row, number) for number in range(len(row.images))),
        predicted=tuple(_predicted(answered, number) for number in range(len(row.images))),
        before=before,
        steps=tuple(
            StepLine(text=text, colour=hex_of(colour_of(number)), note=_note(answered, number))
            for number, text in enumerate(texts)
        ),
    )


def _predicted(answered: Answered, number: int) -> Picture:
    row = answered.row
    return picture_of(
        row.images[number].bytes,
        f"{image_title(row, number)}: the model's masks",
        [
            (step, mask_HW.astype(np.int32))
            for step, (image, mask_HW) in enumerate(answered.masks)
            if image == number
        ],
        (row.grid.height, row.grid.width),
    )


def _note(answered: Answered, number: int) -> str:
    """Return how a mask lies to the row's mask of the same number."""
    if number >= min(len(answered.masks), len(answered.row.masks)):
        return ""
    return f"IoU {answered.ious[number]:.2f} with {answered.row.masks[number].label}"
