"""Let a trained model answer held-out questions of a dataset, and show them on a page."""

import io
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from flows.loaded import loaded
from masks.rle import decode
from schemas.mask import MaskKind
from tasks.answers_page import Answered, held_out_questions, write_answers
from tasks.errors import UserError
from tasks.rows import Row
from terrascope_model.answer import Answerer, Asking
from terrascope_model.generate import PromptError
from terrascope_model.processor import SampleError
from terrascope_model.sample import Picture, Sample

AT_ONCE = 8  # questions


def answers(
    dataset: Path,
    model: Path,
    *,
    split: str,
    tier: str | None,
    tasks: Collection[str],
    number: int,
    seed: int,
    max_new_tokens: int,
) -> tuple[Path, list[Answered]]:
    """Draw questions, ask them, and write the page; return it and what was answered.

    UserError where there is no question, no model, or a question that it cannot be asked.
    """
    rows = held_out_questions(dataset, split, number, seed, tier, tasks)
    answerer = loaded(model)
    try:
        answered = asked(answerer, rows, Asking(max_new_tokens=max_new_tokens))
    except (SampleError, PromptError) as error:
        raise UserError(f"{error}; the model is not made for questions of {dataset}") from error
    return write_answers(dataset, model, answered), answered


def asked(answerer: Answerer, rows: Sequence[Row], asking: Asking) -> list[Answered]:
    """Return what a model answers to rows of a dataset, asked some at once."""
    found = [
        answer
        for first in range(0, len(rows), AT_ONCE)
        for answer in answerer.answer(
            [sample_of(row) for row in rows[first : first + AT_ONCE]], asking
        )
    ]
    return [
        Answered(
            row=row,
            text=answer.text,
            answer=answer.answer,
            masks=tuple((mask.picture, mask.mask_HW) for mask in answer.masks),
        )
        for row, answer in zip(rows, found, strict=True)
    ]


def sample_of(row: Row) -> Sample:
    """Return a row as it is asked, without its trace and masks."""
    x_m, y_m = row.grid.pixel_size_x_m, row.grid.pixel_size_y_m
    return Sample(
        sample_id=row.sample_id,
        pictures=tuple(
            Picture(
                image=Image.open(io.BytesIO(image.bytes)).convert("RGB"),
                modality=info.modality,
                date_index=info.date_index,
                pixel_size_m=None if x_m is None or y_m is None else (x_m, y_m),
                valid_HW=_valid_at(row, info.date_index),
            )
            for image, info in zip(row.images, row.image_info, strict=True)
        ),
        question=row.question,
        options=tuple(row.options),
    )


def _valid_at(row: Row, date_index: int) -> NDArray[np.bool_] | None:
    valid = (
        mask.counts
        for mask in row.evidence.masks
        if mask.kind is MaskKind.VALID and mask.date_index == date_index
    )
    counts = next(valid, None)
    return None if counts is None else decode(counts, row.evidence.size_HW)
