"""What kind of place a scene is: its IGBP class, urban or rural."""

from typing import Any

from templates.rule import Condition, Level, Rule, Source
from templates.rules.measures import (
    BARE_SHARE,
    BUILT_SHARE,
    CROP_SHARE,
    NATURAL_SHARE,
    SEEN,
    TREE_SHARE,
    VEGETATED_SHARE,
    WATER_SHARE,
)

IGBP = Source(
    text="D. Sulla-Menashe and M. A. Friedl (2018), User Guide to Collection 6 MODIS Land Cover "
    "(MCD12Q1 and MCD12C1) Product, Table 3: the IGBP legend",
    url="https://lpdaac.usgs.gov/documents/101/MCD12_User_Guide_V6.pdf",
    checked="the table's words, in several copies: 'Croplands: at least 60% of area is cultivated "
    "cropland', 'Urban and Built-up Lands: at least 30% impervious surface area'",
)


def _igbp(premise: str, relation: Any, bound: float) -> Condition:
    return Condition(
        premise=premise,
        relation=relation,
        bound=bound,
        basis=f"the IGBP legend ({100 * bound:.0f} %)",
    )


IGBP_CHARACTER = Rule(
    id="igbp_character",
    version=1,
    title="Land-cover character by the IGBP legend",
    questions=(
        "by the thresholds of the IGBP legend, what is the land-cover character of {place}?",
        "which class of the IGBP legend describes {place} as a whole?",
    ),
    premises=(
        WATER_SHARE,
        BUILT_SHARE,
        CROP_SHARE,
        TREE_SHARE,
        NATURAL_SHARE,
        BARE_SHARE,
        VEGETATED_SHARE,
    ),
    levels=(
        Level(
            name="urban and built-up land",
            conditions=(
                _igbp("built_share", ">", 0.3),
                _igbp("crop_share", "<", 0.6),
                _igbp("tree_share", "<", 0.6),
                _igbp("water_share", "<", 0.6),
                _igbp("bare_share", "<", 0.6),
            ),
            because="From 30 % built-up on, the IGBP legend speaks of urban and built-up land, "
            "where no other class passes its 60 %.",
        ),
        Level(
            name="water bodies",
            conditions=(_igbp("water_share", ">", 0.6), _igbp("built_share", "<", 0.3)),
            because="From 60 % water on, the IGBP legend speaks of water bodies.",
        ),
        Level(
            name="croplands",
            conditions=(_igbp("crop_share", ">", 0.6), _igbp("built_share", "<", 0.3)),
            because="From 60 % cropland on, the IGBP legend speaks of croplands.",
        ),
        Level(
            name="forest",
            conditions=(_igbp("tree_share", ">", 0.6), _igbp("built_share", "<", 0.3)),
            because="Above 60 % tree cover, the IGBP legend speaks of forest.",
        ),
        Level(
            name="cropland and natural vegetation mosaic",
            conditions=(
                _igbp("crop_share", ">", 0.4),
                _igbp("crop_share", "<", 0.6),
                Condition(
                    premise="natural_share",
                    relation=">",
                    bound=0.3,
                    basis="ours: the rest is mostly natural, as the legend words it",
                ),
                _igbp("built_share", "<", 0.3),
            ),
            because="With 40 % to 60 % cropland among natural vegetation, the IGBP legend speaks "
            "of a mosaic.",
        ),
        Level(
            name="barren land",
            conditions=(
                _igbp("bare_share", ">", 0.6),
                _igbp("vegetated_share", "<", 0.1),
                _igbp("built_share", "<", 0.3),
            ),
            because="From 60 % bare ground on, with under 10 % vegetation, the IGBP legend speaks "
            "of barren land.",
        ),
    ),
    verdict=("So its class in the IGBP legend is {level}.",),
    source=IGBP,
    caveat="Made for pixels of 500 m; a scene is as large as a few to some dozens of them. The "
    "guide gives no order of precedence: where two classes would hold, or none, nothing is asked. "
    "Its five classes of forest are one here.",
)

ATLAS = "the Atlas of Urban Expansion"

URBAN_RURAL = Rule(
    id="urban_rural",
    version=2,
    title="Urban, suburban or rural by built-up share",
    questions=(
        "by the thresholds of the Atlas of Urban Expansion, applied to the whole of {place}, is "
        "its built-up land urban, suburban or rural?",
        "is the built-up land of {place} urban, suburban or rural, if the Atlas of Urban "
        "Expansion's bounds are applied to the whole?",
    ),
    premises=(BUILT_SHARE,),
    levels=(
        Level(
            name="urban",
            conditions=(
                Condition(premise="built_share", relation=">", bound=0.5, basis=f"{ATLAS} (50 %)"),
            ),
            because="Where 50 % or more is built up, the Atlas of Urban Expansion calls the "
            "built-up land urban.",
        ),
        Level(
            name="suburban",
            conditions=(
                Condition(premise="built_share", relation=">", bound=0.25, basis=f"{ATLAS} (25 %)"),
                Condition(premise="built_share", relation="<", bound=0.5, basis=f"{ATLAS} (50 %)"),
            ),
            because="Where 25 % to 50 % is built up, the Atlas of Urban Expansion calls the "
            "built-up land suburban.",
        ),
        Level(
            name="rural",
            conditions=(
                Condition(premise="built_share", relation="<", bound=0.25, basis=f"{ATLAS} (25 %)"),
            ),
            because="Where under 25 % is built up, the Atlas of Urban Expansion calls the "
            "built-up land rural.",
        ),
    ),
    applies=(Condition(premise="built_share", relation=">", bound=0.01, basis=SEEN),),
    verdict=("So the built-up land is {level}.",),
    source=Source(
        text="S. Angel, A. M. Blei, J. Parent, P. Lamson-Hall, N. Galarza Sánchez et al. (2016), "
        "Atlas of Urban Expansion, 2016 edition, volume 1, NYU, UN-Habitat and Lincoln Institute",
        url="http://www.atlasofurbanexpansion.org",
        checked="the Atlas's own pages: 'Suburban built-up pixels are 25-50% built-up pixels in "
        "their Walking Distance Circle'",
    ),
    caveat="The Atlas takes a circle of one square kilometre round every built-up pixel; here the "
    "scene, of one to a few square kilometres, stands for the circle.",
)
