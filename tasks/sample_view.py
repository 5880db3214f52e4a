"""What a page shows of one sample beside its images, whether it is looked at or in the report."""

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.mask import Origin
from tasks.drawing import PALETTE
from tasks.evaluated import Evaluation
from tasks.option_views import OptionView, option_views
from tasks.readable import (
    Piece,
    claim_lines,
    interval_text,
    premise_words,
    program_json,
    program_text,
    step_pieces,
)
from tasks.rows import Row, RowMask


@dataclass(frozen=True, slots=True, kw_only=True)
class StepView:
    """One step; `layer` is the number of its mask, -1 where it marks nothing.

    `colour` numbers the palette's colours; `note` says where its mask is not the annotated one,
    `refined` whether it is what annotation and prediction share.
    """

    pieces: tuple[Piece, ...]
    verdict: str
    layer: int
    colour: int
    image: int
    note: str
    refined: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleView:
    """One sample as it is shown, and why its answer is what it is.

    `layer_of` numbers each of the evaluation's masks among those that the page draws, -1 where it
    draws none.
    """

    row: Row
    steps: tuple[StepView, ...]
    options: tuple[OptionView, ...]
    interval: str
    evaluation: Evaluation
    layer_of: tuple[int, ...]
    program: str
    program_json: str
    claims: tuple[str, ...]
    premises: tuple[tuple[str, str], ...]  # of a rule: what was measured, and what it came to


def sample_view(row: Row, evaluation: Evaluation, layer_of: Sequence[int]) -> SampleView:
    """Return what is shown of a row whose program was evaluated."""
    readable = not evaluation.fault
    return SampleView(
        row=row,
        steps=tuple(
            StepView(
                pieces=tuple(pieces),
                verdict=step.verdict.value,
                layer=step.mask_index,
                colour=step.mask_index % len(PALETTE),
                image=step.image_index,
                note=_note(row.masks[step.mask_index]) if step.mask_index >= 0 else "",
                refined=step.mask_index >= 0
                and row.masks[step.mask_index].origin is Origin.INTERSECTION,
            )
            for step, pieces in zip(row.steps, step_pieces(row), strict=True)
        ),
        options=option_views(row.options, row.answer.letter),
        interval=interval_text(row),
        evaluation=evaluation,
        layer_of=tuple(layer_of),
        program=program_text(row.program, row.grid.north_up) if readable else "",
        program_json=program_json(row.program) if readable else row.program,
        claims=tuple(claim_lines(row)),
        premises=tuple((premise_words(one.name), one.value) for one in row.premises),
    )


def _note(mask: RowMask) -> str:
    match mask.origin:
        case Origin.ANNOTATED:
            return ""
        case Origin.INTERSECTION:
            return f"refined: shared with an annotator's mask, IoU {mask.iou:.2f}"
        case Origin.PREDICTED:
            return "an annotator's mask: there is no annotation"
        case Origin.BOX:
            return "a box"
