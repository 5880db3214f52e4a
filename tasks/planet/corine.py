"""CORINE Land Cover: level-3 codes of the reference maps, and the 19 names of their labels."""

import numpy as np
from numpy.typing import NDArray

from tasks.planet.classes import Land

OUTSIDE = 999  # beyond the area that the map covers

_CODE = {
    Land.SEA: 523, Land.ESTUARY: 522, Land.RIVER: 511, Land.LAKE: 512, Land.BEACH: 331,
    Land.SALT_MARSH: 421, Land.TIDAL_FLAT: 423, Land.MARSH: 411, Land.PEATBOG: 412,
    Land.ARABLE: 211, Land.VINEYARD: 221, Land.ORCHARD: 222, Land.OLIVES: 223, Land.PASTURE: 231,
    Land.COMPLEX: 242, Land.AGRO_NATURAL: 243, Land.AGROFORESTRY: 244, Land.BROADLEAF: 311,
    Land.CONIFER: 312, Land.MIXED_FOREST: 313, Land.GRASSLAND: 321, Land.HEATH: 322,
    Land.SCRUB: 324, Land.SPARSE: 333, Land.ROCK: 332, Land.TOWN_DENSE: 111, Land.TOWN: 112,
    Land.INDUSTRY: 121, Land.MOTORWAY: 122, Land.QUARRY: 131, Land.CONSTRUCTION: 133,
    Land.PARK: 141, Land.SPORT: 142,
}  # fmt: skip
# the south grows and names some things differently
_SOUTHERN = {Land.HEATH: 323, Land.ORCHARD: 241, Land.ESTUARY: 521, Land.SALT_MARSH: 422}

# the 19 names of BigEarthNet and the codes that each one covers
NAMES_19: dict[str, tuple[int, ...]] = {
    "Agro-forestry areas": (244,),
    "Arable land": (211, 212, 213),
    "Beaches, dunes, sands": (331,),
    "Broad-leaved forest": (311,),
    "Coastal wetlands": (421, 422),
    "Complex cultivation patterns": (242,),
    "Coniferous forest": (312,),
    "Industrial or commercial units": (121,),
    "Inland waters": (511, 512),
    "Inland wetlands": (411, 412),
    "Land principally occupied by agriculture, with significant areas of natural vegetation": (
        243,
    ),
    "Marine waters": (521, 522, 523),
    "Mixed forest": (313,),
    "Moors, heathland and sclerophyllous vegetation": (322, 323),
    "Natural grassland and sparsely vegetated areas": (321, 333),
    "Pastures": (231,),
    "Permanent crops": (221, 222, 223, 241),
    "Transitional woodland, shrub": (324,),
    "Urban fabric": (111, 112),
}
LABELLED = tuple(sorted(code for codes in NAMES_19.values() for code in codes))


def codes_HW(land_HW: NDArray[np.uint8], southern: bool) -> NDArray[np.uint16]:
    """Return the level-3 code of every land use, (H, W) uint16."""
    table = _CODE | (_SOUTHERN if southern else {})
    return np.array([table[land] for land in Land], dtype=np.uint16)[land_HW]


def names_of(codes: NDArray[np.uint16]) -> list[str]:
    """Return the names, sorted, of all classes that occur in a map of codes."""
    found = set(np.unique(codes).tolist())
    return sorted(name for name, codes in NAMES_19.items() if found.intersection(codes))
