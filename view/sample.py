"""All that the page shows of one sample, and what its script draws."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tasks.drawing import PALETTE
from tasks.readable import (
    OptionView,
    Piece,
    claim_lines,
    interval_text,
    option_views,
    program_json,
    step_pieces,
)
from tasks.rows import Row, RowMask
from tasks.show import image_title
from view.evaluated import Evaluation, evaluated
from view.layers import step_layers, with_program_layers


@dataclass(frozen=True, slots=True, kw_only=True)
class StepView:
    """One step; `layer` is the number of its mask, -1 where it marks nothing.

    `colour` numbers the palette's colours; `note` says where its mask is not the annotated one.
    """

    pieces: tuple[Piece, ...]
    verdict: str
    layer: int
    colour: int
    image: int
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleView:
    """One sample as it is shown. `drawn` is what the script draws, as JSON's own types."""

    row: Row
    images: tuple[str, ...]  # titles
    steps: tuple[StepView, ...]
    options: tuple[OptionView, ...]
    interval: str
    evaluation: Evaluation
    layer_of: tuple[int, ...]  # number of each of the evaluation's masks among the layers
    program_json: str
    claims: tuple[str, ...]
    writer: tuple[tuple[str, str], ...]
    lineage: tuple[str, ...]
    drawn: dict[str, Any]


def sample_view(row: Row, lineage: Sequence[str]) -> SampleView:
    """Return what is shown of a row, whose lineage is told in lines."""
    titles = tuple(image_title(row, number) for number in range(len(row.images)))
    evaluation = evaluated(row)
    layers = step_layers(row)
    marked = len(layers)
    layer_of = with_program_layers(row, evaluation, layers)
    return SampleView(
        row=row,
        images=titles,
        steps=tuple(
            StepView(
                pieces=tuple(pieces),
                verdict=step.verdict.value,
                layer=step.mask_index,
                colour=step.mask_index % len(PALETTE),
                image=step.image_index,
                note=_note(row.masks[step.mask_index]) if step.mask_index >= 0 else "",
            )
            for step, pieces in zip(row.steps, step_pieces(row), strict=True)
        ),
        options=option_views(row),
        interval=interval_text(row),
        evaluation=evaluation,
        layer_of=layer_of,
        program_json=row.program if evaluation.fault else program_json(row.program),
        claims=tuple(claim_lines(row)),
        writer=_writer(row),
        lineage=tuple(lineage),
        drawn={
            "size": [row.grid.height, row.grid.width],
            "titles": titles,
            "layers": layers,
            "marked": marked,
        },
    )


def _note(mask: RowMask) -> str:
    if mask.origin == "annotated":
        return ""
    return f"{mask.origin.value} mask, IoU {mask.iou:.2f} with the annotation"


def _writer(row: Row) -> tuple[tuple[str, str], ...]:
    if not row.provenance.writer:
        return ()
    told = json.loads(row.provenance.writer)
    return tuple((name, f"{told[name]}") for name in sorted(told) if told[name])
