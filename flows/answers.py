"""Let a trained model answer held-out questions of a dataset, and show them on a page."""

import io
from collections.abc import Collection, Sequence
from pathlib import Path

from PIL import Image

from flows.loaded import loaded
from tasks.answers_page import Answered, held_out_questions, write_answers
from tasks.asked_pictures import AskedPicture, asked_pictures
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
    return asked_sample(row.sample_id, asked_pictures(row), row.question, row.options)


def asked_sample(
    sample_id: str, pictures: Sequence[AskedPicture], question: str, options: Sequence[str]
) -> Sample:
    """Return a question on pictures as a model of ours is asked it."""
    return Sample(
        sample_id=sample_id,
        pictures=tuple(
            Picture(
                image=Image.open(io.BytesIO(picture.encoded)).convert("RGB"),
                modality=picture.modality,
                date_index=picture.date_index,
                pixel_size_m=picture.pixel_size_m,
                valid_HW=picture.valid_HW,
            )
            for picture in pictures
        ),
        question=question,
        options=tuple(options),
    )
