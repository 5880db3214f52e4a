"""What a template sees of a scene: its measured layers, the words for its classes, its images."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from random import Random
from typing import Any

from masks.evaluate import evaluate
from masks.measured import MeasuredLayer
from masks.regions import UNCLASSIFIED
from schemas.mask import Invalid
from schemas.program import ClassMask, Valid
from schemas.scene import Modality
from schemas.taxonomy import LandClass
from schemas.value import Undefined, Value
from templates.measured_told import MeasuredTold
from templates.view import ImageInfo, View

MIN_PAIR_SHARE = 0.01  # of a layer's labelled pixels: a smaller class is hardly seen


def class_at(layer: MeasuredLayer, name: str) -> ClassMask:
    """Return the leaf of a class at a layer's date."""
    return ClassMask(layer=layer.info.layer, label=name, date=layer.info.date_index)


def valid_at(layer: MeasuredLayer) -> Valid:
    """Return the leaf of a layer's labelled pixels at its date."""
    return Valid(layer=layer.info.layer, date=layer.info.date_index)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two land classes of one layer at one date."""

    a: ClassMask
    b: ClassMask

    @property
    def name(self) -> str:
        """The two classes, in alphabetical order."""
        return " / ".join(sorted((self.a.label, self.b.label)))


@dataclass(frozen=True, slots=True)
class Pairs:
    """The names of all pairs of a layer's land classes that touch, and of those that do not."""

    layer: MeasuredLayer
    touching: tuple[tuple[str, str], ...]
    apart: tuple[tuple[str, str], ...]

    def drawn(self, names: tuple[tuple[str, str], ...], rng: Random, number: int) -> Iterator[Pair]:
        """Draw up to `number` of some pairs."""
        for a, b in rng.sample(names, min(number, len(names))):
            yield Pair(class_at(self.layer, a), class_at(self.layer, b))


@dataclass(kw_only=True)
class AskedScene(MeasuredTold):
    """One scene as the templates see it; a `templates.told.Told`.

    `left_out` counts what was tried and not asked, as "task: rule".
    """

    scene_id: str
    images: tuple[ImageInfo, ...]
    sar_rendering: str
    left_out: Counter[str] = field(default_factory=Counter)

    def value(self, program: Any) -> Value:
        """Return a program's value; Undefined where it has no safe one."""
        return evaluate(program, self.measured)

    def tried(self, task: str, program: Any) -> Value | None:
        """Return a program's value, or None after counting the rule that it fails."""
        try:
            return self.value(program)
        except Undefined as outcome:
            self.leave_out(task, outcome.rule)
            return None

    def leave_out(self, task: str, rule: str) -> None:
        """Count a question that was tried and is not asked."""
        self.left_out[f"{task}: {rule}"] += 1

    def land(self, layer: MeasuredLayer, label: str) -> LandClass:
        """Return the words for a class of a layer."""
        return self.words[layer.info.layer][label]

    @property
    def num_dates(self) -> int:
        """Number of dates that have a label."""
        return len({layer.info.date_index for layer in self.measured.layers})

    def dated_layers(self) -> Iterator[list[MeasuredLayer]]:
        """Yield each layer's dates, in order, where one product shows them all."""
        by_name: dict[str, list[MeasuredLayer]] = {}
        for layer in self.measured.layers:
            by_name.setdefault(layer.info.layer, []).append(layer)
        for dates in by_name.values():
            if len({layer.info.product for layer in dates}) == 1:
                yield sorted(dates, key=lambda layer: layer.info.date_index)

    @cached_property
    def plain_layers(self) -> tuple[MeasuredLayer, ...]:
        """The layers of which anything on one date can be asked.

        Not those where objects of an unknown state lie beside others (a class is then only partly
        shown), nor footprints after an event: rubble still has one.
        """
        return tuple(
            layer
            for layer in self.measured.layers
            if layer.info.invalid is not Invalid.FORBIDS
            and not any(instance.attribute for instance in layer.instances)
        )

    @cached_property
    def pairs(self) -> tuple[Pairs, ...]:
        """The pairs of classes, each large enough to be seen, of layers without overlaps."""
        return tuple(self._pairs(layer) for layer in self.measured.layers if layer.borders)

    def _pairs(self, layer: MeasuredLayer) -> Pairs:
        assert layer.borders is not None
        names = [
            name
            for name in layer.info.classes
            if layer.class_px(name) >= MIN_PAIR_SHARE * layer.valid_px
            and not self.land(layer, name).countable
        ]
        adjacent = layer.borders.adjacent.tolist()
        touching: list[tuple[str, str]] = []
        apart: list[tuple[str, str]] = []
        for a, b in combinations(names, 2):
            touch = adjacent[layer.class_id(a)][layer.class_id(b)]
            (touching if touch else apart).append((a, b))
        return Pairs(layer, tuple(touching), tuple(apart))

    def states(self, layer: MeasuredLayer) -> tuple[str, ...]:
        """Return the states that a layer's objects can be in: the classes of another layer.

        () where its objects carry no state, or no layer has a class for each.
        """
        attributes = {instance.attribute for instance in layer.instances} - {""}
        for other in self.measured.layers if attributes else ():
            known = {*other.info.classes, UNCLASSIFIED}
            if other.info.layer != layer.info.layer and attributes <= known:
                return other.info.classes
        return ()

    @cached_property
    def object_states(self) -> frozenset[str]:
        """All states of objects that are asked about as such."""
        return frozenset(state for layer in self.measured.layers for state in self.states(layer))

    def view(self, rng: Random) -> View:
        """Draw the images that a sample carries: optical, SAR or both, at every date.

        A cloudy optical image is never carried without SAR where the scene has SAR, and stands
        behind it then: masks lie on the first image of a date.
        """
        return rng.choice(self._views)

    @property
    def can_be_seen(self) -> bool:
        """Whether some choice of images shows every date that has a label."""
        return bool(self._views)

    @cached_property
    def _views(self) -> list[View]:
        optical = [image for image in self.images if image.modality is Modality.OPTICAL]
        sar = [image for image in self.images if image.modality is Modality.SAR]
        sar = [image for image in sar if image.rendering.startswith(self.sar_rendering)] or sar
        cloudy = any(image.cloudy for image in optical)
        both = sar + optical if cloudy else optical + sar
        choices = [both, sar] if cloudy and sar else [optical, sar, both]
        labelled = {layer.info.date_index for layer in self.measured.layers}
        return [
            View(images=tuple(choice))
            for choice in choices
            if choice and labelled <= {image.date_index for image in choice}
        ]
