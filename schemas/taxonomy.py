"""Class tables of every source, with the words for a question and one common list across sources.

Names and ids are each source's own: BigEarthNet's 19 classes in the order of bigearthnet_common,
ChatEarthNet's WorldCover classes by the names of its prompts, xBD's damage scale.
"""

from dataclasses import dataclass
from enum import StrEnum


class Common(StrEnum):
    """The common list that every source's classes map to."""

    WATER = "water"
    TREE = "tree cover"
    SHRUB = "shrubland"
    GRASS = "grassland"
    CROP = "cropland"
    BUILT = "built-up"
    BARE = "bare land"
    WETLAND = "wetland"
    SNOW = "snow and ice"
    MOSS = "moss and lichen"
    MIXED = "mixed land use"
    BUILDING = "building"
    CHANGE = "change"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class LandClass:
    """One class: its name in the archive, its words in a sentence, its common class.

    `phrase` fits after "the"; `plural` says whether the verb after it is plural ("inland waters
    border"), `countable` whether it names single objects ("buildings") rather than areas.
    """

    name: str
    phrase: str
    common: Common
    plural: bool = False
    countable: bool = False
    singular: str = ""


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """An ordered class table; a label layer's ids index `classes`."""

    name: str
    classes: tuple[LandClass, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Class names in id order."""
        return tuple(c.name for c in self.classes)

    def __getitem__(self, name: str) -> LandClass:
        """Return the class of that name; KeyError names the taxonomy."""
        for land_class in self.classes:
            if land_class.name == name:
                return land_class
        raise KeyError(f"{name!r} is not a class of {self.name}")


def _land(name: str, common: Common, *, plural: bool = False, phrase: str = "") -> LandClass:
    return LandClass(name=name, phrase=phrase or _lower_first(name), common=common, plural=plural)


def _lower_first(name: str) -> str:
    return name[:1].lower() + name[1:]


# ids 0-18 in the order of kai-tub/bigearthnet_common; not the alphabetical encoding
BIGEARTHNET_19 = Taxonomy(
    "bigearthnet_19",
    (
        _land("Urban fabric", Common.BUILT),
        _land("Industrial or commercial units", Common.BUILT, plural=True),
        _land("Arable land", Common.CROP),
        _land("Permanent crops", Common.CROP, plural=True),
        _land("Pastures", Common.GRASS, plural=True),
        _land("Complex cultivation patterns", Common.CROP, plural=True),
        _land(
            "Land principally occupied by agriculture, with significant areas of "
            "natural vegetation",
            Common.MIXED,
            phrase="agricultural land with significant areas of natural vegetation",
        ),
        _land("Agro-forestry areas", Common.MIXED, plural=True),
        _land("Broad-leaved forest", Common.TREE),
        _land("Coniferous forest", Common.TREE),
        _land("Mixed forest", Common.TREE),
        _land(
            "Natural grassland and sparsely vegetated areas",
            Common.GRASS,
            phrase="natural grassland or sparsely vegetated land",
        ),
        _land(
            "Moors, heathland and sclerophyllous vegetation",
            Common.SHRUB,
            phrase="moors, heathland or sclerophyllous vegetation",
        ),
        _land("Transitional woodland, shrub", Common.SHRUB, phrase="transitional woodland-shrub"),
        _land("Beaches, dunes, sands", Common.BARE, plural=True, phrase="beaches, dunes or sands"),
        _land("Inland wetlands", Common.WETLAND, plural=True),
        _land("Coastal wetlands", Common.WETLAND, plural=True),
        _land("Inland waters", Common.WATER, plural=True),
        _land("Marine waters", Common.WATER, plural=True),
    ),
)

# ids 1-11 of SatlasPretrain and ChatEarthNet minus one; their id 0 (background) is invalid here
CHATEARTHNET_11 = Taxonomy(
    "chatearthnet_11",
    (
        _land("water", Common.WATER),
        _land("developed area", Common.BUILT, phrase="developed land"),
        _land("tree", Common.TREE, phrase="tree cover"),
        _land("shrub", Common.SHRUB, phrase="shrubland"),
        _land("grass", Common.GRASS, phrase="grassland"),
        _land("crop", Common.CROP, phrase="cropland"),
        _land("bare land", Common.BARE),
        _land("snow", Common.SNOW, phrase="snow or ice"),
        _land("wetland", Common.WETLAND),
        _land("mangroves", Common.WETLAND, plural=True),
        _land("moss", Common.MOSS, phrase="moss or lichen"),
    ),
)


def _objects(name: str, singular: str, phrase: str, common: Common) -> LandClass:
    return LandClass(
        name=name, phrase=phrase, singular=singular, common=common, plural=True, countable=True
    )


XBD_FOOTPRINT = Taxonomy(
    "xbd_footprint", (_objects("building", "building", "buildings", Common.BUILDING),)
)

# xBD joint damage scale 1-4; un-classified buildings are invalid in the damage layer
XBD_DAMAGE = Taxonomy(
    "xbd_damage",
    (
        _objects("no-damage", "undamaged building", "undamaged buildings", Common.BUILDING),
        _objects(
            "minor-damage",
            "building with minor damage",
            "buildings with minor damage",
            Common.BUILDING,
        ),
        _objects(
            "major-damage",
            "building with major damage",
            "buildings with major damage",
            Common.BUILDING,
        ),
        _objects("destroyed", "destroyed building", "destroyed buildings", Common.BUILDING),
    ),
)
XBD_UNCLASSIFIED = "un-classified"  # an instance's attribute, never a class
