"""What a wording may know of a scene, whoever measured it.

A question's words follow from its program, the program's value and what is told here. When it is
asked, `templates.asked.AskedScene` tells it, measured by the production kernels; when it is proved,
`tasks.proof_words.ReferenceTold` does, by the plain reference. So every word can be proved again.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from schemas.mask import LayerInfo
from schemas.program import ClassMask, Instances, Valid
from schemas.taxonomy import LandClass
from schemas.value import Value
from templates.view import View

LABELLED_SHARE = 0.99  # valid share from which on a question need not say "labelled"

Leaf = ClassMask | Instances | Valid


class Told(Protocol):
    """The measured facts of one scene and the words for its classes."""

    @property
    def words(self) -> Mapping[str, Mapping[str, LandClass]]:
        """Layer -> class name -> its words."""

    @property
    def layers(self) -> Sequence[LayerInfo]:
        """All label layers, each at one date."""

    @property
    def north_up(self) -> bool:
        """Whether compass words may be used."""

    @property
    def size_HW(self) -> tuple[int, int]:
        """Height and width of all masks."""

    @property
    def pixel_size_m(self) -> tuple[float, float] | None:
        """Metres per pixel along x and y, None where unknown."""

    def px(self, expr: Any) -> int:
        """Return the pixels of a mask expression."""

    def num_areas(self, expr: Any) -> int:
        """Return the number of 8-connected areas of a mask expression, of whatever size."""

    def num_objects(self, objects: Instances) -> int:
        """Return the number of objects that a leaf names."""

    def value(self, program: Any) -> Value:
        """Return a program's value; Undefined where it has no safe one."""


def land(told: Told, leaf: ClassMask | Instances) -> LandClass:
    """Return the words for a leaf's class."""
    return told.words[leaf.layer][leaf.label]


def state_land(told: Told, state: str) -> LandClass:
    """Return the words for objects in a state; KeyError where no layer has a class of that name."""
    for classes in told.words.values():
        if state in classes:
            return classes[state]
    raise KeyError(state)


def valid_px(told: Told, leaf: Leaf) -> int:
    """Return the labelled pixels of a leaf's layer at its date."""
    return told.px(Valid(layer=leaf.layer, date=leaf.date))


def is_labelled(told: Told, leaf: Leaf) -> bool:
    """Return whether so few pixels lack a label that a question need not speak of it."""
    return valid_px(told, leaf) >= LABELLED_SHARE * told.size_HW[0] * told.size_HW[1]


def whole(told: Told, leaf: Leaf, view: View) -> str:
    """Return what a share is of: the picture, or its labelled part where labels are missing."""
    place = view.place(leaf.date)
    return place if is_labelled(told, leaf) else f"the labelled area of {place}"
