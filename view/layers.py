"""Masks as the page's script draws them: run-length codes, the images they lie on, a colour."""

from typing import TypedDict

from tasks.drawing import colour_of, hex_of
from tasks.evaluated import Evaluation
from tasks.parts import objects_of
from tasks.rows import Row


class Layer(TypedDict):
    """One mask: `counts` is its compressed COCO code, `objects` those of what it is made of."""

    label: str
    colour: str
    images: list[int]
    size: tuple[int, int]
    counts: str
    objects: list[str]


def step_layers(row: Row) -> list[Layer]:
    """Return the masks of a row's steps, in the order of `masks`."""
    return [
        Layer(
            label=mask.label,
            colour=hex_of(colour_of(number)),
            images=[mask.image_index],
            size=mask.size,
            counts=mask.counts,
            objects=[found.counts.decode() for found in objects_of(row, mask)],
        )
        for number, mask in enumerate(row.masks)
    ]


def with_program_layers(row: Row, found: Evaluation, layers: list[Layer]) -> tuple[int, ...]:
    """Add the masks that a row's program speaks of, each on the images of its date.

    Returns the number of each among the layers: that of a step's mask where it is the same.
    """
    numbers = []
    for mask in found.masks:
        images = [n for n, info in enumerate(row.image_info) if info.date_index == mask.date]
        same = [
            number
            for number, layer in enumerate(layers)
            if layer["counts"] == mask.counts and set(layer["images"]) <= set(images)
        ]
        if same:
            numbers.append(same[0])
            continue
        numbers.append(len(layers))
        layers.append(
            Layer(
                label=mask.label,
                colour=hex_of(colour_of(len(layers))),
                images=images or [*range(len(row.images))],
                size=(row.grid.height, row.grid.width),
                counts=mask.counts,
                objects=[],
            )
        )
    return tuple(numbers)
