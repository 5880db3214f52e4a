"""All that the page shows of one sample, and what its script draws."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tasks.evaluated import evaluated
from tasks.rows import Row
from tasks.sample_view import SampleView, sample_view
from tasks.show import image_title
from view.layers import step_layers, with_program_layers


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedAtSample:
    """One sample, the titles of its images, its lineage in lines, and what the script draws."""

    view: SampleView
    images: tuple[str, ...]
    lineage: tuple[str, ...]
    drawn: dict[str, Any]  # as JSON's own types


def looked_at_sample(row: Row, lineage: Sequence[str]) -> LookedAtSample:
    """Return what is shown of a row, whose lineage is told in lines."""
    titles = tuple(image_title(row, number) for number in range(len(row.images)))
    evaluation = evaluated(row)
    layers = step_layers(row)
    marked = len(layers)
    layer_of = with_program_layers(row, evaluation, layers)
    return LookedAtSample(
        view=sample_view(row, evaluation, layer_of),
        images=titles,
        lineage=tuple(lineage),
        drawn={
            "size": [row.grid.height, row.grid.width],
            "titles": titles,
            "layers": layers,
            "marked": marked,
        },
    )
