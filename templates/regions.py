"""The regions of a caption: every class, and every group of objects, that can be seen at a date."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from masks.regions import UNCLASSIFIED
from schemas.mask import LayerInfo
from schemas.program import ClassMask, Exists, Instances, Valid
from schemas.taxonomy import LandClass
from schemas.value import Truth, Undefined
from templates.ground import Ground
from templates.told import Told, state_land

MIN_SHARE = 0.01  # of a layer's labelled pixels: a smaller class is hardly seen
MAX_REGIONS = 12  # of a caption; the largest are taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """One region that a caption marks.

    `number` counts from 1 as the legend of the picture does; `label` is the class, or the state of
    objects; `land` holds its words; `expr` is its mask expression.
    """

    number: int
    label: str
    land: LandClass
    expr: ClassMask | Instances
    date_index: int

    @property
    def counted(self) -> bool:
        """Whether it is made of single objects."""
        return isinstance(self.expr, Instances)


def regions_of(ground: Ground) -> tuple[Region, ...]:
    """Return the regions of a scene by date, the largest first; () where there is nothing to mark.

    A region is certain to be there: a pixel of it survives erosion. All are of one label product,
    the scene's first: a program over two would compare what cannot be compared.
    """
    shown = set(ground.view.date_indices)
    product = ground.layers[0].product if ground.layers else ""
    found = [
        (info.date_index, -ground.px(expr), label, land, expr)
        for info in ground.layers
        if info.date_index in shown and info.product == product
        for label, land, expr in _of_layer(ground, info)
        if _is_there(ground, expr)
    ]
    largest = sorted(found, key=lambda region: region[1])[:MAX_REGIONS]
    return tuple(
        Region(number=number, label=label, land=land, expr=expr, date_index=date)
        for number, (date, _, label, land, expr) in enumerate(
            sorted(largest, key=lambda region: region[:3]), start=1
        )
    )


def _of_layer(
    ground: Ground, info: LayerInfo
) -> Iterator[tuple[str, LandClass, ClassMask | Instances]]:
    words = ground.words[info.layer]
    least_px = MIN_SHARE * ground.px(Valid(layer=info.layer, date=info.date_index))
    for label in info.classes:
        objects = Instances(layer=info.layer, label=label, date=info.date_index)
        mask = ClassMask(layer=info.layer, label=label, date=info.date_index)
        if ground.num_objects(objects):
            if ground.num_objects(objects.model_copy(update={"attribute": UNCLASSIFIED})):
                continue  # of some it is not known whether they still stand
            for state in states_of(ground, objects) or (None,):
                land = words[label] if state is None else state_land(ground, state)
                yield state or label, land, objects.model_copy(update={"attribute": state})
        elif words[label].countable:
            if not _is_state(ground, info, label):
                yield label, words[label], mask
        elif ground.px(mask) >= least_px:
            yield label, words[label], mask


def states_of(told: Told, objects: Instances) -> tuple[str, ...]:
    """Return the states in which some objects are, () unless every one of them has a known state.

    States are the classes of another layer, such as the levels of damage.
    """
    states = [
        state
        for layer, classes in told.words.items()
        if layer != objects.layer
        for state in classes
    ]
    numbers = {
        state: told.num_objects(objects.model_copy(update={"attribute": state})) for state in states
    }
    everything = told.num_objects(objects)
    if not everything or sum(numbers.values()) != everything:
        return ()
    return tuple(state for state, number in numbers.items() if number)


def _is_state(ground: Ground, info: LayerInfo, label: str) -> bool:
    """Return whether objects of another layer are in this state: they are the region then."""
    return any(
        ground.num_objects(
            Instances(layer=other.layer, label=name, date=info.date_index, attribute=label)
        )
        for other in ground.layers
        if other.date_index == info.date_index and other.layer != info.layer
        for name in other.classes
    )


def _is_there(ground: Ground, expr: Any) -> bool:
    if not ground.px(expr):
        return False
    try:
        return ground.value(Exists(of=expr)) == Truth(True)
    except Undefined:
        return False
