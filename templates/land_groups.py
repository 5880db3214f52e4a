"""Groups of land classes that a rule speaks of, in any archive's classes, as mask expressions."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from schemas.mask import LayerInfo
from schemas.program import ClassMask, Minus, Or, Valid
from schemas.taxonomy import Common
from templates.told import Told
from templates.view import View

MOST_UNSURE = 0.01  # of the labelled pixels may be of classes that no group can claim


@dataclass(frozen=True, slots=True, kw_only=True)
class LandGroup:
    """Some kinds of land under one name.

    `without` are classes of those kinds that it leaves out, `named` others that belong to it.
    `phrase` fits after "the".
    """

    phrase: str
    commons: tuple[Common, ...]
    without: tuple[str, ...] = ()
    named: tuple[str, ...] = ()


WATER = LandGroup(phrase="water", commons=(Common.WATER,))
TREES = LandGroup(phrase="tree cover", commons=(Common.TREE,))
CROPS = LandGroup(phrase="cropland", commons=(Common.CROP,))
BUILT = LandGroup(phrase="built-up land", commons=(Common.BUILT,))
BARE = LandGroup(phrase="bare land", commons=(Common.BARE,))
NATURAL = LandGroup(
    phrase="natural land",
    commons=(Common.TREE, Common.SHRUB, Common.GRASS, Common.WETLAND, Common.MOSS),
    without=("Pastures",),
)
UNNATURAL = LandGroup(
    phrase="land without natural vegetation",
    commons=(Common.CROP, Common.BUILT, Common.BARE, Common.SNOW, Common.MIXED, Common.OTHER),
    named=("Pastures",),
)
VEGETATED = LandGroup(phrase="vegetation", commons=(*NATURAL.commons, Common.CROP))
FARMED = LandGroup(phrase="farmland", commons=(Common.CROP, Common.MIXED), named=("Pastures",))
UNSURE = LandGroup(phrase="mixed land", commons=(Common.MIXED, Common.OTHER, Common.CHANGE))


@dataclass(frozen=True)
class LandLayer:
    """One land-cover layer at one date, and the classes of it that the scene holds."""

    told: Told
    info: LayerInfo

    @property
    def date(self) -> int:
        """Index of its date."""
        return self.info.date_index

    @property
    def valid(self) -> Valid:
        """All labelled pixels."""
        return Valid(layer=self.info.layer, date=self.date)

    @property
    def land(self) -> Any:
        """All labelled pixels but those of water."""
        water = self.of(WATER)
        return self.valid if water is None else Minus(a=self.valid, b=water)

    def of(self, *groups: LandGroup) -> Any | None:
        """Return the union of groups; None where the layer has no such class.

        Classes that the scene does not hold are left out, unless it holds none of them.
        """
        names = [name for group in groups for name in self.classes(group)]
        held = [name for name in names if self.told.px(self._leaf(name))] or names[:1]
        expr: Any | None = None
        for name in held:
            leaf = self._leaf(name)
            expr = leaf if expr is None else Or(a=expr, b=leaf)
        return expr

    def classes(self, group: LandGroup) -> Iterator[str]:
        """Yield the layer's classes that are of a group."""
        words = self.told.words[self.info.layer]
        for name in self.info.classes:
            belongs = words[name].common in group.commons or name in group.named
            if belongs and name not in group.without:
                yield name

    @property
    def is_sure(self) -> bool:
        """Whether next to nothing is of classes that may or may not belong to a group."""
        unsure = sum(self.told.px(self._leaf(name)) for name in self.classes(UNSURE))
        return unsure <= MOST_UNSURE * self.told.px(self.valid)

    def _leaf(self, name: str) -> ClassMask:
        return ClassMask(layer=self.info.layer, label=name, date=self.date)


def land_layers(told: Told, view: View) -> list[LandLayer]:
    """Return the land-cover layers of a scene's first product at the dates that are shown."""
    shown = set(view.date_indices)
    product = told.layers[0].product if told.layers else ""
    return [
        LandLayer(told, info)
        for info in sorted(told.layers, key=lambda info: info.date_index)
        if info.date_index in shown
        and info.product == product
        and not any(told.words[info.layer][name].countable for name in info.classes)
    ]
