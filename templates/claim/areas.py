"""What a claim is about, on the scene: classes of one layer at one date, in every reading.

A word may stand for more or fewer classes, and a sentence may not say which date it speaks of. Each
way to read it is tested; `templates.claim.bounds.settled` says what holds for all.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from schemas.mask import Invalid, LayerInfo
from schemas.program import ClassMask, Instances, Or, Valid
from schemas.taxonomy import Common
from templates.claim.classes import ClassNames, Meaning, is_state, union
from templates.ground import Ground
from templates.told import LABELLED_SHARE, valid_px

LAST = -1  # the last date, whichever it is

Leaf = ClassMask | Instances
Expr = ClassMask | Instances | Or


@dataclass(frozen=True, slots=True)
class Area:
    """Classes of a layer at a date as one area; of objects those in some states, or all."""

    layer: str
    names: ClassNames
    date: int
    kind: bool
    objects: bool = False
    states: ClassNames = ()

    @property
    def valid(self) -> Valid:
        """The labelled pixels of its layer."""
        return Valid(layer=self.layer, date=self.date)

    @property
    def leaves(self) -> tuple[Leaf, ...]:
        """Its class masks, or its objects by state."""
        if self.objects and self.states:
            return tuple(
                Instances(layer=self.layer, label=self.names[0], date=self.date, attribute=state)
                for state in self.states
            )
        return tuple(ClassMask(layer=self.layer, label=n, date=self.date) for n in self.names)

    @property
    def expr(self) -> Expr | None:
        """Its pixels as one expression; None if it has no class."""
        return union(self.leaves) if self.names else None


def readings(group: Sequence[Meaning], date: int | None, ground: Ground) -> Iterator[Area]:
    """Yield a group of classes, taken together, in every reading; none across several layers."""
    group = [in_states_layer(meaning, ground) for meaning in group]
    if len({meaning.layer for meaning in group}) != 1:
        return
    first = group[0]
    homes = _homes(first, ground)
    if date == LAST or (first.states and date is None):
        homes = homes[-1:]
    elif date is not None:
        homes = [(at, layer) for at, layer in homes if at == date]
    if not homes and date is not None:
        yield from _by_states(first, date, ground)
    for at, layer in homes:
        seen = set()
        for number in (0, -1):
            names = tuple(dict.fromkeys(n for m in group for n in m.sets[number]))
            if names not in seen:
                seen.add(names)
                kind = any(meaning.kind for meaning in group)
                yield Area(layer, names, at, kind, first.objects, first.states)


def _by_states(meaning: Meaning, date: int, ground: Ground) -> Iterator[Area]:
    """Yield objects of any state, at a date at which they are listed by state alone."""
    for info in ground.layers if meaning.objects and not meaning.states else ():
        lands = [ground.words[info.layer][name] for name in info.classes]
        if info.date_index == date and all(map(is_state, lands)) and num_by_class(ground, info):
            yield Area(info.layer, info.classes, date, meaning.kind)


def _homes(meaning: Meaning, ground: Ground) -> list[tuple[int, str]]:
    """Return dates and layers at which the classes are mapped: each date may have its own layer."""
    layers = [
        layer
        for layer, classes in ground.words.items()
        if layer == meaning.layer or {*meaning.sets[-1]} <= classes.keys()
    ]
    return sorted((at, layer) for layer in layers for at in layer_dates(ground, layer))


def in_states_layer(meaning: Meaning, ground: Ground) -> Meaning:
    """Return objects in some states as classes, where a layer holds each under its state's name.

    xBD's objects carry their state as an attribute; TEOChatlas lists them again, by state.
    """
    for info in ground.layers if meaning.states else ():
        if info.layer == meaning.layer or not {*meaning.states} <= {*info.classes}:
            continue
        if num_by_class(ground, info):
            return replace(
                meaning, layer=info.layer, sets=(meaning.states,), objects=False, states=()
            )
    return meaning


def num_by_class(ground: Ground, info: LayerInfo) -> int:
    """Return how many objects a layer holds under the names of its classes."""
    return sum(
        ground.num_objects(Instances(layer=info.layer, label=name, date=info.date_index))
        for name in info.classes
    )


def layer_dates(ground: Ground, layer: str) -> tuple[int, ...]:
    """Return the dates at which a layer is there and an image is carried, in order."""
    shown = set(ground.view.date_indices)
    return tuple(
        sorted(
            info.date_index
            for info in ground.layers
            if info.layer == layer and info.date_index in shown
        )
    )


def layer_info(ground: Ground, layer: str, date: int) -> LayerInfo:
    """Return what is known of a layer that is there at a date."""
    return next(info for info in ground.layers if (info.layer, info.date_index) == (layer, date))


def fully_labelled(ground: Ground, area: Area) -> bool:
    """Return whether a class that is not seen is known not to be there."""
    invalid = layer_info(ground, area.layer, area.date).invalid
    if invalid is Invalid.UNKNOWN:
        height, width = ground.size_HW
        return valid_px(ground, area.valid) >= LABELLED_SHARE * height * width
    return invalid is Invalid.OTHER


def px(ground: Ground, area: Area) -> int:
    """Return the pixels of an area; its classes do not overlap, objects may."""
    if area.objects:
        return ground.px(area.expr) if area.names else 0
    return sum(ground.px(leaf) for leaf in area.leaves)


def percent(ground: Ground, area: Area) -> float | None:
    """Return an area's share of the labelled pixels in percent; None where there are none."""
    whole_px = valid_px(ground, area.valid)
    return 100 * px(ground, area) / whole_px if whole_px else None


def cells(ground: Ground, area: Area) -> tuple[int, ...]:
    """Return an area's pixels in each of the 9 cells."""
    if area.expr is None:
        return (0,) * 9
    if area.objects:
        return ground.cells_px(area.expr)
    return tuple(map(sum, zip(*(ground.cells_px(leaf) for leaf in area.leaves), strict=True)))


def rivals(ground: Ground, area: Area) -> list[Area]:
    """Return the other classes of the scene, or kinds where the area is named by its kind.

    A class that is only partly of the area is left out of its kind. Mixed classes are no kind.
    """
    lands = ground.words[area.layer].values()
    groups: dict[str, list[str]] = {}
    for land in lands:
        if land.name in area.names or is_state(land):
            continue
        lone = not area.kind or land.common in (Common.MIXED, Common.OTHER)
        groups.setdefault(land.name if lone else land.common.value, []).append(land.name)
    return [Area(area.layer, tuple(names), area.date, area.kind) for names in groups.values()]
