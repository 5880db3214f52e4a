"""Whether land is suitable for farming."""

from templates.land_groups import CROPS
from templates.rule import Condition, Level, Premise, Rule, Source
from templates.rules.measures import BUILT_SHARE, CROP_SHARE, SEEN, near_water, part_of

IRRIGATED_M = 1000.0

FARMING = Rule(
    id="farming",
    version=2,
    title="Suitability for farming by crops, water and built-up land",
    questions=(
        "judged by its share of cropland, the water near its fields and its built-up land, is the "
        "area in {place} suitable for farming?",
        "is the land in {place} suitable for farming, going by cropland, water close by and "
        "built-up land?",
    ),
    premises=(
        CROP_SHARE,
        Premise(
            name="crop_near_water",
            marked="the cropland within 1,000 m of water",
            says="it makes up {v} of all cropland",
            mask=lambda at: near_water(at, at.of(CROPS), IRRIGATED_M),
            program=lambda at: part_of(near_water(at, at.of(CROPS), IRRIGATED_M), at.of(CROPS)),
        ),
        BUILT_SHARE,
    ),
    levels=(
        Level(
            name="Yes",
            conditions=(
                Condition(
                    premise="crop_share",
                    relation=">",
                    bound=0.4,
                    basis="the IGBP legend (cropland mosaic from 40 %)",
                    met="From 40 % cropland on, land is at least a mosaic of crops.",
                    unmet="Under 40 % cropland, land is not even a mosaic of crops.",
                ),
                Condition(
                    premise="crop_near_water",
                    relation=">",
                    bound=0.5,
                    basis="ours: most fields; published bounds on the distance are local",
                    met="So most fields have water close by.",
                    unmet="So most fields have no water close by, as far as the scene shows.",
                ),
                Condition(
                    premise="built_share",
                    relation="<",
                    bound=0.3,
                    basis="the IGBP legend (urban from 30 %)",
                    met="Under 30 % built-up, the land is not urban.",
                    unmet="From 30 % built-up on, the land is urban.",
                ),
            ),
            because="",
        ),
    ),
    applies=(
        # water beyond the scene's edge is not seen: without any in it nothing is judged
        Condition(premise="crop_near_water", relation=">", bound=0.0, basis=SEEN),
        Condition(premise="crop_share", relation=">", bound=0.01, basis=SEEN),
    ),
    verdict=(
        "All three hold, so the area is suitable for farming.",
        "So the area is not suitable for farming.",
    ),
    source=Source(
        text="criteria: FAO (1976), A framework for land evaluation, Soils Bulletin 32, and FAO "
        "(1985), Guidelines: land evaluation for irrigated agriculture, Soils Bulletin 55; bounds "
        "on cropland and built-up land: the IGBP legend (see igbp_character)",
        url="https://www.fao.org/4/x5648e/x5648e00.htm",
        checked="the FAO's classes of suitability; the bounds as above",
    ),
    caveat="Slope and soil decide suitability as well, and are not in a land-cover map: the "
    "question names the three criteria that it goes by. Water beyond the edge of the scene is not "
    "seen. The 1,000 m are ours.",
)
