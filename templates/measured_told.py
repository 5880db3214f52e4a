"""A scene as the production kernels tell it: what questions and captions share."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from masks.evaluate import component_sizes_px
from masks.measured import Measured
from masks.regions import region
from schemas.mask import LayerInfo
from schemas.program import ClassMask, Instances, Valid
from schemas.taxonomy import LandClass


@dataclass(kw_only=True)
class MeasuredTold:
    """One scene, measured on demand; a `templates.told.Told`."""

    measured: Measured
    words: Mapping[str, Mapping[str, LandClass]]  # layer -> class name -> words

    @property
    def north_up(self) -> bool:
        """Whether compass words may be used."""
        return self.measured.evidence.north_up

    @property
    def layers(self) -> tuple[LayerInfo, ...]:
        """All label layers, each at one date."""
        return self.measured.evidence.layers

    @property
    def size_HW(self) -> tuple[int, int]:
        """Height and width of all masks."""
        return self.measured.evidence.size_HW

    @property
    def pixel_size_m(self) -> tuple[float, float] | None:
        """Metres per pixel along x and y, None where unknown."""
        return self.measured.evidence.pixel_size_m

    def px(self, expr: Any) -> int:
        """Return the pixels of a mask expression."""
        match expr:
            case ClassMask():
                return self.measured.layer(expr.layer, expr.date).class_px(expr.label)
            case Valid():
                return self.measured.layer(expr.layer, expr.date).valid_px
        return int(np.count_nonzero(region(expr, self.measured).mask_HW))

    def num_areas(self, expr: Any) -> int:
        """Return the number of 8-connected areas of a mask expression, of whatever size."""
        return len(component_sizes_px(expr, self.measured))

    def num_objects(self, objects: Instances) -> int:
        """Return the number of objects that a leaf names."""
        layer = self.measured.layer(objects.layer, objects.date)
        return len(layer.selected(objects.label, objects.attribute))
