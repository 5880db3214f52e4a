"""What a template sees of a scene: its measured layers, the words for its classes, its images."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from random import Random
from typing import Any

from masks.evaluate import evaluate
from masks.measured import CLOSED_VALID_SHARE, Measured, MeasuredLayer
from schemas.mask import Invalid
from schemas.program import ClassMask
from schemas.scene import Modality
from schemas.taxonomy import LandClass
from schemas.value import Undefined, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageInfo:
    """One image of a scene, as far as wording and choice need it."""

    role: str
    modality: Modality
    rendering: str
    date_index: int
    cloudy: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The images that one sample carries (indices into the scene's), and how they are called."""

    image_indices: tuple[int, ...]
    date_indices: tuple[int, ...]  # of each carried image
    both_sensors: bool

    @property
    def num_dates(self) -> int:
        """Number of dates that are carried."""
        return len(set(self.date_indices))

    def image_of_date(self, date_index: int) -> int:
        """Return the position, among the carried images, of the first that shows a date."""
        return self.date_indices.index(date_index)

    def place(self, date_index: int) -> str:
        """Return how the picture at a date is called: "the image", "the scene", "image 2"."""
        if self.num_dates > 1:
            return f"image {self.image_of_date(date_index) + 1}"
        return "the scene" if self.both_sensors else "the image"

    def lead(self, date_index: int) -> str:
        """Return the indicator that says which image a step segments; "" where there is one."""
        return f"Image {self.image_of_date(date_index) + 1}: " if self.num_dates > 1 else ""


def class_at(layer: MeasuredLayer, name: str) -> ClassMask:
    """Return the leaf of a class at a layer's date."""
    return ClassMask(layer=layer.info.layer, label=name, date=layer.info.date_index)


@dataclass(kw_only=True)
class AskedScene:
    """One scene as the templates see it; `undefined` counts what was tried and not asked."""

    scene_id: str
    measured: Measured
    words: Mapping[str, Mapping[str, LandClass]]  # layer -> class name -> words
    images: tuple[ImageInfo, ...]
    sar_rendering: str
    undefined: Counter[str] = field(default_factory=Counter)

    @property
    def north_up(self) -> bool:
        """Whether compass words may be used."""
        return self.measured.evidence.north_up

    def value(self, task: str, program: Any) -> Value | None:
        """Return a program's value, or None after counting the rule that it fails."""
        try:
            return evaluate(program, self.measured)
        except Undefined as outcome:
            self.undefined[f"{task}: {outcome.rule}"] += 1
            return None

    def land(self, layer: MeasuredLayer, label: str) -> LandClass:
        """Return the words for a class."""
        return self.words[layer.info.layer][label]

    def dated_layers(self) -> Iterator[list[MeasuredLayer]]:
        """Yield each layer's dates, in order, where one product shows them all."""
        by_name: dict[str, list[MeasuredLayer]] = {}
        for layer in self.measured.layers:
            by_name.setdefault(layer.info.layer, []).append(layer)
        for dates in by_name.values():
            if len({layer.info.product for layer in dates}) == 1:
                yield sorted(dates, key=lambda layer: layer.info.date_index)

    def whole(self, layer: MeasuredLayer, view: View) -> str:
        """Return what a share is of: the picture, or its labelled part where labels are missing."""
        place = view.place(layer.info.date_index)
        return place if self.labelled(layer) else f"the labelled area of {place}"

    def labelled(self, layer: MeasuredLayer) -> bool:
        """Return whether so few pixels lack a label that a question need not speak of it."""
        return layer.valid_px >= CLOSED_VALID_SHARE * layer.size_HW[0] * layer.size_HW[1]

    def plain_layers(self) -> list[MeasuredLayer]:
        """Return the layers of which anything on one date can be asked.

        Not those where objects of an unknown state lie beside others (a class is then only partly
        shown), nor footprints after an event: rubble still has one.
        """
        return [
            layer
            for layer in self.measured.layers
            if layer.info.invalid is not Invalid.FORBIDS
            and not any(instance.attribute for instance in layer.instances)
        ]

    def view(self, rng: Random) -> View:
        """Draw the images that a sample carries: optical, SAR or both, at every date.

        A cloudy optical image is never carried without SAR where the scene has SAR, and stands
        behind it then: masks lie on the first image of a date.
        """
        carried = rng.choice(self._views)
        dates = [self.images[i].date_index for i in carried]
        return View(
            image_indices=carried,
            date_indices=tuple(dates),
            both_sensors=len({self.images[i].modality for i in carried}) > 1,
        )

    @property
    def can_be_seen(self) -> bool:
        """Whether some choice of images shows every date that has a label."""
        return bool(self._views)

    @cached_property
    def _views(self) -> list[tuple[int, ...]]:
        optical = [i for i, m in enumerate(self.images) if m.modality is Modality.OPTICAL]
        sar = [i for i, m in enumerate(self.images) if m.modality is Modality.SAR]
        wanted = [i for i in sar if self.images[i].rendering.startswith(self.sar_rendering)]
        sar = wanted or sar
        cloudy = any(self.images[i].cloudy for i in optical)
        both = sar + optical if cloudy else optical + sar
        choices = [both, sar] if cloudy and sar else [optical, sar, both]
        labelled = {layer.info.date_index for layer in self.measured.layers}
        return [
            tuple(choice)
            for choice in choices
            if choice and labelled <= {self.images[i].date_index for i in choice}
        ]
