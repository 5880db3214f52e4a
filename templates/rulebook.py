"""The rule book: judgements on scenes, each from a published source; docs/rulebook.md shows it.

A bound is its source's unless its basis begins with "ours". Shares are of labelled pixels. Raise a
rule's version with every change to it.
"""

from typing import Any

from schemas.program import (
    And,
    Area,
    Count,
    Div,
    Near,
    Share,
)
from templates.counting import MIN_COMPONENT_PX
from templates.land_groups import (
    BARE,
    BUILT,
    CROPS,
    FARMED,
    NATURAL,
    TREES,
    UNNATURAL,
    VEGETATED,
    WATER,
    LandGroup,
)
from templates.land_groups import LandLayer as Land
from templates.rule import Condition, Level, Premise, Rule, Source

BANK_M = 30.0
SHORE_M = 100.0
SHORELAND_M = 91.0  # 300 feet
IRRIGATED_M = 1000.0
SMALLEST_STAND_M2 = 5000.0  # half a hectare
SEEN = "ours: a smaller share is hardly seen"


def _share(name: str, group: LandGroup, *, of_land: bool = False) -> Premise:
    """Return the premise that a group has a share of the scene, or of its land without water."""
    whole = "land" if of_land else "labelled area"

    def program(at: Land) -> Any | None:
        of = at.of(group)
        return _part_of(of, at.land if of_land else at.valid)

    return Premise(
        name=name,
        marked=f"the {group.phrase}",
        says=f"it makes up {{v}} of the {whole}",
        mask=lambda at: at.of(group),
        program=program,
    )


def _near_water(at: Land, of: Any, distance_m: float) -> Any | None:
    water = at.of(WATER)
    return None if water is None or of is None else Near(of=of, to=water, distance_m=distance_m)


def _share_near(at: Land, of: Any, within: Any, distance_m: float) -> Any | None:
    near = _near_water(at, within, distance_m)
    return _part_of(of, near)


def _became(
    at: tuple[Land, Land], before: tuple[LandGroup, ...], after: tuple[LandGroup, ...]
) -> Any | None:
    was, now = at[0].of(*before), at[1].of(*after)
    return None if was is None or now is None else And(a=was, b=now)


def _part_of(part: Any | None, whole: Any | None) -> Share | None:
    return None if part is None or whole is None else Share(of=part, within=whole)


def _area(expr: Any | None) -> Area | None:
    return None if expr is None else Area(of=expr)


BUILT_SHARE = _share("built_share", BUILT)
BUILT_LAND_SHARE = _share("built_land_share", BUILT, of_land=True)
CROP_SHARE = _share("crop_share", CROPS)
CROP_LAND_SHARE = _share("crop_land_share", CROPS, of_land=True)
TREE_SHARE = _share("tree_share", TREES)
TREE_LAND_SHARE = _share("tree_land_share", TREES, of_land=True)
WATER_SHARE = _share("water_share", WATER)
BARE_SHARE = _share("bare_share", BARE)
NATURAL_SHARE = _share("natural_share", NATURAL)
VEGETATED_SHARE = _share("vegetated_share", VEGETATED)
NATURAL_LAND_SHARE = _share("natural_land_share", NATURAL, of_land=True)

HAS_WATER = Condition(premise="water_share", relation=">", bound=0.01, basis=SEEN)

IGBP = Source(
    text="D. Sulla-Menashe and M. A. Friedl (2018), User Guide to Collection 6 MODIS Land Cover "
    "(MCD12Q1 and MCD12C1) Product, Table 3: the IGBP legend",
    url="https://lpdaac.usgs.gov/documents/101/MCD12_User_Guide_V6.pdf",
    checked="the table's words, in several copies: 'Croplands: at least 60% of area is cultivated "
    "cropland', 'Urban and Built-up Lands: at least 30% impervious surface area'",
)
ENOUGH_HABITAT = Source(
    text="Environment Canada (2013), How Much Habitat is Enough?, third edition, Toronto, "
    "ISBN 978-1-100-21922-6",
    url="https://publications.gc.ca/site/eng/9.694114/publication.html",
    checked="the publisher's page: '30% to 50% minimum forest cover', '75% of the length of a "
    "stream naturally vegetated', 'less than 10% impervious cover in a watershed'",
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
    keywords=(("IGBP",),),
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

_ATLAS = "the Atlas of Urban Expansion"
URBAN_RURAL = Rule(
    id="urban_rural",
    version=1,
    title="Urban, suburban or rural by built-up share",
    questions=(
        "by the thresholds of the Atlas of Urban Expansion, applied to the whole of {place}, is "
        "its built-up land urban, suburban or rural?",
        "is the built-up land of {place} urban, suburban or rural, if the Atlas of Urban "
        "Expansion's bounds are applied to the whole?",
    ),
    keywords=(("urban",), ("rural",)),
    premises=(BUILT_SHARE,),
    levels=(
        Level(
            name="urban",
            conditions=(
                Condition(premise="built_share", relation=">", bound=0.5, basis=f"{_ATLAS} (50 %)"),
            ),
            because="From 50 % on, the Atlas of Urban Expansion calls built-up land urban.",
        ),
        Level(
            name="suburban",
            conditions=(
                Condition(
                    premise="built_share", relation=">", bound=0.25, basis=f"{_ATLAS} (25 %)"
                ),
                Condition(premise="built_share", relation="<", bound=0.5, basis=f"{_ATLAS} (50 %)"),
            ),
            because="Between 25 % and 50 %, the Atlas of Urban Expansion calls built-up land "
            "suburban.",
        ),
        Level(
            name="rural",
            conditions=(
                Condition(
                    premise="built_share", relation="<", bound=0.25, basis=f"{_ATLAS} (25 %)"
                ),
            ),
            because="Under 25 %, the Atlas of Urban Expansion calls built-up land rural.",
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

RIPARIAN_BUFFER = Rule(
    id="riparian_buffer",
    version=1,
    title="Vegetated banks of water",
    questions=(
        "are at least three quarters of the banks of the water in {place}, 30 m deep, under "
        "natural vegetation?",
        "does natural vegetation buffer at least three quarters of the 30 m beside the water in "
        "{place}?",
    ),
    keywords=(("bank", "buffer", "riparian", "shore"), ("vegetat", "natural", "buffer")),
    premises=(
        WATER_SHARE,
        Premise(
            name="unnatural_bank_share",
            marked="the land without natural vegetation within 30 m of the water",
            says="it makes up {v} of the land there",
            mask=lambda at: _near_water(at, at.of(UNNATURAL), BANK_M),
            # not what is under vegetation: its edge at the water is within every margin
            program=lambda at: _share_near(at, at.of(UNNATURAL), at.land, BANK_M),
        ),
    ),
    levels=(
        Level(
            name="Yes",
            conditions=(
                Condition(
                    premise="unnatural_bank_share",
                    relation="<",
                    bound=0.25,
                    basis="Environment Canada 2013 (75 % of a stream's length is vegetated)",
                    met="That leaves the 75 % of natural vegetation that is asked for.",
                    unmet="That leaves less than the 75 % of natural vegetation asked for.",
                ),
            ),
            because="",
        ),
    ),
    applies=(HAS_WATER,),
    verdict=("So the banks are well buffered.", "So the banks are not well buffered."),
    source=Source(
        text="B. W. Sweeney and J. D. Newbold (2014), Streamside forest buffer width needed to "
        "protect stream water quality, habitat, and organisms, JAWRA 50:560-584, for the 30 m; "
        "Environment Canada (2013), How Much Habitat is Enough?, for the 75 %",
        url="https://doi.org/10.1111/jawr.12203",
        checked="the paper's abstract: 'buffers >=30 m wide are needed'; the guideline's page: "
        "'75% of the length of a stream naturally vegetated'",
    ),
    caveat="Both speak of streams; here any water. Joining the width of one with the share of the "
    "other is ours. Pastures do not count as natural.",
)

STREAMS = Rule(
    id="impervious_cover",
    version=1,
    title="Urban pressure on streams by the impervious cover model",
    questions=(
        "going by the impervious cover model, with built-up land as the cover, how strong is the "
        "urban pressure on the water in {place}: low, marked or severe?",
        "is the urban pressure on the water in {place} low, marked or severe, by the bounds of the "
        "impervious cover model?",
    ),
    keywords=(("urban pressure", "impervious"),),
    premises=(WATER_SHARE, BUILT_LAND_SHARE),
    levels=(
        Level(
            name="low",
            conditions=(
                Condition(
                    premise="built_land_share",
                    relation="<",
                    bound=0.1,
                    basis="the impervious cover model (10 %)",
                ),
            ),
            because="Under 10 %, sensitive stream life can persist.",
        ),
        Level(
            name="marked",
            conditions=(
                Condition(
                    premise="built_land_share",
                    relation=">",
                    bound=0.1,
                    basis="the impervious cover model (10 %)",
                ),
                Condition(
                    premise="built_land_share",
                    relation="<",
                    bound=0.25,
                    basis="the impervious cover model (25 to 30 %)",
                ),
            ),
            because="From 10 % on, sensitive stream life is lost, and up to 25 % the state is not "
            "yet poor.",
        ),
        Level(
            name="severe",
            conditions=(
                Condition(
                    premise="built_land_share",
                    relation=">",
                    bound=0.3,
                    basis="the impervious cover model (25 to 30 %)",
                ),
            ),
            because="Above 30 %, most streams are in a poor state.",
        ),
    ),
    applies=(HAS_WATER,),
    verdict=("So the urban pressure on the water is {level}.",),
    source=Source(
        text="T. Schueler (1994), The importance of imperviousness, Watershed Protection "
        "Techniques 1(3):100-111; T. Schueler, L. Fraley-McNeal and K. Cappiella (2009), Is "
        "impervious cover still important?, J. Hydrologic Engineering 14(4):309-315",
        url="https://www.stormwatercenter.net",
        checked="the Center for Watershed Protection's page: 'most notably at about 10% impervious "
        "cover', 'a second threshold appears to exist at around 25 to 30%'",
    ),
    caveat="Made for catchments of small streams. Built-up land stands for sealed ground, of which "
    "it is the most there can be. The names of the levels are ours.",
)

CANOPY = Rule(
    id="canopy_30",
    version=1,
    title="Tree canopy of a neighbourhood by the 3-30-300 rule",
    questions=(
        "does the tree cover of {place} reach the 30 % canopy that the 3-30-300 rule asks of a "
        "neighbourhood?",
        "by the canopy part of the 3-30-300 rule, does the built-up area in {place} have enough "
        "tree cover?",
    ),
    keywords=(("3-30-300", "canopy"),),
    premises=(BUILT_SHARE, TREE_LAND_SHARE),
    levels=(
        Level(
            name="Yes",
            conditions=(
                Condition(
                    premise="tree_land_share",
                    relation=">",
                    bound=0.3,
                    basis="the 3-30-300 rule (30 %)",
                    met="That is more than the 30 % that the rule asks for.",
                    unmet="That is less than the 30 % that the rule asks for.",
                ),
            ),
            because="",
        ),
    ),
    applies=(
        Condition(premise="built_share", relation=">", bound=0.25, basis=f"{_ATLAS} (suburban)"),
    ),
    verdict=("So there is canopy enough.", "So there is too little canopy."),
    source=Source(
        text="C. C. Konijnendijk (2023), Evidence-based guidelines for greener, healthier, more "
        "resilient neighbourhoods: introducing the 3-30-300 rule, J. Forestry Research 34:821-830",
        url="https://doi.org/10.1007/s11676-022-01523-z",
        checked="the rule as T. Croeser et al. (2024) restate it: 'a neighbourhood with over 30% "
        "tree canopy cover'",
    ),
    caveat="Asked only where a quarter of the scene is built-up. Single street trees are smaller "
    "than a pixel.",
)

WORKING_LAND = Rule(
    id="working_land",
    version=1,
    title="Natural habitat in farmed landscapes",
    questions=(
        "is at least a fifth of the farmed landscape in {place} natural land, the minimum asked "
        "for in working landscapes?",
        "in the farmed landscape of {place}, is there at least 20 % natural land, as is asked for "
        "working landscapes?",
    ),
    keywords=(("farmed landscape", "working landscape"), ("natural", "habitat")),
    premises=(CROP_LAND_SHARE, NATURAL_LAND_SHARE),
    levels=(
        Level(
            name="Yes",
            conditions=(
                Condition(
                    premise="natural_land_share",
                    relation=">",
                    bound=0.2,
                    basis="Garibaldi et al. 2021 (20 %)",
                    met="That is more than the 20 % that working landscapes need.",
                    unmet="That is less than the 20 % that working landscapes need.",
                ),
            ),
            because="",
        ),
    ),
    applies=(
        Condition(
            premise="crop_land_share",
            relation=">",
            bound=0.4,
            basis="the IGBP legend (cropland mosaic)",
        ),
    ),
    verdict=("So natural land reaches the minimum.", "So there is too little natural land."),
    source=Source(
        text="L. A. Garibaldi et al. (2021), Working landscapes need at least 20% native habitat, "
        "Conservation Letters 14(2):e12773",
        url="https://doi.org/10.1111/conl.12773",
        checked="the abstract: 'increasing native habitats to at least 20% of working landscape "
        "area'",
    ),
    caveat="Native vegetation cannot be told from planted: what is counted is the most there can "
    "be. Pastures do not count as natural.",
)

FOREST_MINIMUM = Rule(
    id="forest_minimum",
    version=1,
    title="Forest cover against the minimum for wildlife",
    questions=(
        "is the tree cover of {place} below, within or above the 30 % to 50 % that the guideline "
        '"How Much Habitat is Enough?" gives as the minimum forest cover?',
        'the guideline "How Much Habitat is Enough?" gives 30 % to 50 % as the minimum forest '
        "cover; is the tree cover of {place} below, within or above that range?",
    ),
    keywords=(("minimum", "How Much Habitat"), ("forest", "tree")),
    premises=(TREE_LAND_SHARE,),
    levels=(
        Level(
            name="below",
            conditions=(
                Condition(
                    premise="tree_land_share",
                    relation="<",
                    bound=0.3,
                    basis="Environment Canada 2013 (30 %)",
                ),
            ),
            because="That is under 30 %.",
        ),
        Level(
            name="within",
            conditions=(
                Condition(
                    premise="tree_land_share",
                    relation=">",
                    bound=0.3,
                    basis="Environment Canada 2013 (30 %)",
                ),
                Condition(
                    premise="tree_land_share",
                    relation="<",
                    bound=0.5,
                    basis="Environment Canada 2013 (50 %)",
                ),
            ),
            because="That lies between 30 % and 50 %.",
        ),
        Level(
            name="above",
            conditions=(
                Condition(
                    premise="tree_land_share",
                    relation=">",
                    bound=0.5,
                    basis="Environment Canada 2013 (50 %)",
                ),
            ),
            because="That is over 50 %.",
        ),
    ),
    applies=(Condition(premise="tree_land_share", relation=">", bound=0.01, basis=SEEN),),
    verdict=("So the tree cover is {level} the guideline's range.",),
    source=ENOUGH_HABITAT,
    caveat="Written for watersheds of the Great Lakes; the question names the guideline and "
    "applies its bounds to the scene.",
)

FRAGMENTATION = Rule(
    id="fragmentation",
    version=1,
    title="Habitat fragmentation by the percolation threshold",
    questions=(
        "going by the percolation threshold of 59 % and the number of its separate areas, is the "
        "tree cover of {place} fragmented or connected?",
        "is the tree cover in {place} a fragmented or a connected habitat, judged by its share "
        "against the percolation threshold of 59 % and by its separate areas?",
    ),
    keywords=(("fragmented", "connected"),),
    premises=(
        TREE_SHARE,
        Premise(
            name="tree_areas",
            marked="the tree cover",
            says="the number of its separate areas is {v}",
            mask=lambda at: at.of(TREES),
            program=lambda at: (
                None
                if at.of(TREES) is None
                else Count(of=at.of(TREES), min_component_px=MIN_COMPONENT_PX)
            ),
            unit="count",
        ),
    ),
    levels=(
        Level(
            name="fragmented",
            conditions=(
                Condition(
                    premise="tree_share",
                    relation="<",
                    bound=0.5928,
                    basis="percolation theory (59.28 %)",
                ),
                Condition(
                    premise="tree_areas",
                    relation=">",
                    bound=1.5,
                    basis="ours: what hangs together is one area",
                ),
            ),
            because="Its share is under the 59 % at which a habitat is expected to hang together, "
            "and it is in several pieces.",
        ),
        Level(
            name="connected",
            conditions=(
                Condition(
                    premise="tree_share",
                    relation=">",
                    bound=0.5928,
                    basis="percolation theory (59.28 %)",
                ),
                Condition(
                    premise="tree_areas",
                    relation="<",
                    bound=1.5,
                    basis="ours: what hangs together is one area",
                ),
            ),
            because="Its share is over the 59 % at which a habitat is expected to hang together, "
            "and it is in one piece.",
        ),
    ),
    applies=(Condition(premise="tree_share", relation=">", bound=0.05, basis=SEEN),),
    verdict=("So the tree cover is {level}.",),
    source=Source(
        text="R. V. O'Neill, B. T. Milne, M. G. Turner and R. H. Gardner (1988), Resource "
        "utilization scales and landscape pattern, Landscape Ecology 2:63-69",
        url="https://doi.org/10.1007/BF00138908",
        checked="the abstract: 'an organism can move freely if its critical resource or habitat "
        "occupies 59.28% of the landscape'",
    ),
    caveat="The threshold is that of random maps, with 4 neighbours; areas are counted with 8. "
    "Where share and number of areas point apart nothing is asked.",
)

FARMING = Rule(
    id="farming",
    version=1,
    title="Suitability for farming by crops, water and built-up land",
    questions=(
        "judged by its share of cropland, the water near its fields and its built-up land, is the "
        "area in {place} suitable for farming?",
        "is the land in {place} suitable for farming, going by cropland, water close by and "
        "built-up land?",
    ),
    keywords=(("farming", "agricultur", "cultivation"), ("suitable", "suited", "suitability")),
    premises=(
        CROP_SHARE,
        Premise(
            name="crop_near_water",
            marked="the cropland within 1,000 m of water",
            says="it makes up {v} of all cropland",
            mask=lambda at: _near_water(at, at.of(CROPS), IRRIGATED_M),
            program=lambda at: _part_of(_near_water(at, at.of(CROPS), IRRIGATED_M), at.of(CROPS)),
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
                    met="From 40 % on, land is at least a mosaic of crops.",
                    unmet="Under 40 %, land is not even a mosaic of crops.",
                ),
                Condition(
                    premise="crop_near_water",
                    relation=">",
                    bound=0.5,
                    basis="ours: most fields; published bounds on the distance are local",
                    met="So most fields can be watered from close by.",
                    unmet="So most fields have no water close by.",
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
    applies=(Condition(premise="crop_share", relation=">", bound=0.01, basis=SEEN),),
    verdict=(
        "All three hold, so the area is suitable for farming.",
        "Not all three hold, so the area is not suitable for farming.",
    ),
    source=Source(
        text="criteria: FAO (1976), A framework for land evaluation, Soils Bulletin 32, and FAO "
        "(1985), Guidelines: land evaluation for irrigated agriculture, Soils Bulletin 55; bounds "
        "on cropland and built-up land: the IGBP legend (see igbp_character)",
        url="https://www.fao.org/4/x5648e/x5648e00.htm",
        checked="the FAO's classes of suitability; the bounds as above",
    ),
    caveat="Slope and soil decide suitability as well, and are not in a land-cover map: the "
    "question names the three criteria that it goes by. The 1,000 m are ours.",
)

SHORE_ZONE = Rule(
    id="shore_zone",
    version=1,
    title="Built-up land at the water's edge",
    questions=(
        "does built-up land in {place} reach into the zone of 100 m along the water's edge?",
        "does any built-up land in {place} lie in the 100 m shore zone, by the water?",
    ),
    keywords=(("shore", "water's edge", "waterline"), ("100 m",)),
    premises=(
        WATER_SHARE,
        BUILT_SHARE,
        Premise(
            name="built_in_zone_m2",
            marked="the built-up land within 100 m of the water",
            says="it covers {v}",
            mask=lambda at: _near_water(at, at.of(BUILT), SHORE_M),
            program=lambda at: _area(_near_water(at, at.of(BUILT), SHORE_M)),
            unit="m2",
        ),
    ),
    levels=(
        Level(
            name="Yes",
            conditions=(
                Condition(
                    premise="built_in_zone_m2",
                    relation=">",
                    bound=1000.0,
                    basis="ours: under a tenth of a hectare is within the error of a map",
                    met="That is more than a few pixels of the map.",
                ),
            ),
            because="",
        ),
    ),
    applies=(
        HAS_WATER,
        Condition(premise="built_share", relation=">", bound=0.01, basis=SEEN),
    ),
    verdict=(
        "So built-up land reaches into the zone.",
        "So there is no built-up land to speak of in the zone.",
    ),
    source=Source(
        text="the zone of 100 m: Protocol on Integrated Coastal Zone Management in the "
        "Mediterranean (Barcelona Convention, Madrid 2008), article 8-2; Swedish Environmental "
        "Code (SFS 1998:808), chapter 7, sections 13-15",
        url="https://www.iddri.org/en/node/21275",
        checked="both as others quote them: 'a 100 metre setback zone', '100 meters from the "
        "shoreline'",
    ),
    caveat="The zone is that of two laws; nothing is said of what is lawful, or of floods, for "
    "which heights would be needed.",
)

SHORELAND = Rule(
    id="shoreland_cover",
    version=1,
    title="Built-up cover of land beside water",
    questions=(
        "by the bounds of Wisconsin's shoreland standard, applied to the land within 91 m of the "
        "water in {place}, is its built-up cover low, raised or high?",
        "is the built-up cover of the shoreland in {place}, the land within 91 m of the water, "
        "low, raised or high by Wisconsin's standard?",
    ),
    keywords=(("shoreland",), ("built",)),
    premises=(
        WATER_SHARE,
        Premise(
            name="shoreland_built",
            marked="the built-up land within 91 m of the water",
            says="it makes up {v} of the land there",
            mask=lambda at: _near_water(at, at.of(BUILT), SHORELAND_M),
            program=lambda at: _share_near(at, at.of(BUILT), at.land, SHORELAND_M),
        ),
    ),
    levels=(
        Level(
            name="low",
            conditions=(
                Condition(
                    premise="shoreland_built", relation="<", bound=0.15, basis="NR 115.05 (15 %)"
                ),
            ),
            because="Up to 15 % is within the standard.",
        ),
        Level(
            name="raised",
            conditions=(
                Condition(
                    premise="shoreland_built", relation=">", bound=0.15, basis="NR 115.05 (15 %)"
                ),
                Condition(
                    premise="shoreland_built", relation="<", bound=0.3, basis="NR 115.05 (30 %)"
                ),
            ),
            because="Between 15 % and 30 %, the standard asks for mitigation.",
        ),
        Level(
            name="high",
            conditions=(
                Condition(
                    premise="shoreland_built", relation=">", bound=0.3, basis="NR 115.05 (30 %)"
                ),
            ),
            because="More than 30 % is over the standard's maximum.",
        ),
    ),
    applies=(HAS_WATER,),
    verdict=("So the built-up cover of the shoreland is {level}.",),
    source=Source(
        text="Wisconsin Department of Natural Resources, Administrative Code NR 115.05(1)(e)",
        url="https://docs.legis.wisconsin.gov/code/admin_code/nr/100/115",
        checked="the code as quoted elsewhere: 'up to 15% impervious surface', 'not more than 30%'",
    ),
    caveat="The code speaks of lots; here of all land within 300 feet of water. Built-up land "
    "stands for sealed ground. The names of the levels are ours.",
)

LAND_TAKE = Rule(
    id="land_take",
    version=1,
    title="Land take between two dates",
    questions=(
        "was there land take between {before} and {after}, farmed or natural land turning into "
        "built-up land on half a hectare or more?",
        "from {before} to {after}, was half a hectare or more of farmed or natural land taken for "
        "built-up land?",
    ),
    keywords=(("land take", "taken"),),
    premises=(
        Premise(
            name="taken_m2",
            marked="the farmed or natural land that became built-up",
            says="it covers {v}",
            mask=lambda at: _became(at, (FARMED, NATURAL), (BUILT,)),
            program=lambda at: _area(_became(at, (FARMED, NATURAL), (BUILT,))),
            unit="m2",
        ),
    ),
    levels=(
        Level(
            name="Yes",
            conditions=(
                Condition(
                    premise="taken_m2",
                    relation=">",
                    bound=SMALLEST_STAND_M2,
                    basis="ours: half a hectare, as for a stand of forest",
                    met="That is more than half a hectare.",
                    unmet="That is less than half a hectare.",
                ),
            ),
            because="",
        ),
    ),
    verdict=("So there was land take.", "So there was no land take to speak of."),
    source=Source(
        text="European Environment Agency, Land take (indicator CSI 014, LSI 001)",
        url="https://www.eea.europa.eu/data-and-maps/indicators/land-take-3",
        checked="the indicator's page: 'the area of agricultural, forest and other semi-natural "
        "land taken for urban and other artificial land development'",
    ),
    caveat="The indicator has no bound; half a hectare is ours.",
    about="change",
)

DEFORESTATION = Rule(
    id="deforestation",
    version=1,
    title="Deforestation between two dates",
    questions=(
        "was there deforestation between {before} and {after}, half a hectare or more of trees "
        "turning into crops or built-up land?",
        "from {before} to {after}, did half a hectare or more of tree cover give way to cropland "
        "or built-up land, which is deforestation?",
    ),
    keywords=(("deforest",),),
    premises=(
        Premise(
            name="cleared_m2",
            marked="the tree cover that became cropland or built-up land",
            says="it covers {v}",
            mask=lambda at: _became(at, (TREES,), (CROPS, BUILT)),
            program=lambda at: _area(_became(at, (TREES,), (CROPS, BUILT))),
            unit="m2",
        ),
    ),
    levels=(
        Level(
            name="Yes",
            conditions=(
                Condition(
                    premise="cleared_m2",
                    relation=">",
                    bound=SMALLEST_STAND_M2,
                    basis="FAO (forest is a stand of more than half a hectare)",
                    met="That is more than half a hectare.",
                    unmet="That is less than half a hectare.",
                ),
            ),
            because="",
        ),
    ),
    verdict=("So there was deforestation.", "So there was no deforestation to speak of."),
    source=Source(
        text="FAO (2018), FRA 2020 Terms and Definitions, Forest Resources Assessment Working "
        "Paper 188",
        url="https://www.fao.org/3/I8661EN/i8661en.pdf",
        checked="the definitions as quoted elsewhere: 'land spanning more than 0.5 hectares', 'the "
        "conversion of forest to other land use'",
    ),
    caveat="The area is that of all places together. Trees that turn into grass or shrub may grow "
    "again and do not count.",
    about="change",
)

_EMS = "EMS-98, quantities, away from where they overlap"
DAMAGE = Rule(
    id="damage_quantity",
    version=1,
    title="How many buildings were destroyed, in the words of EMS-98",
    questions=(
        "in the sense of the EMS-98 scale, were few, many or most of the buildings in {before} "
        "destroyed by the time of {after}?",
        "comparing {before} with {after}, were few, many or most of the buildings destroyed, as "
        "EMS-98 uses these words?",
    ),
    keywords=(("few",), ("many",), ("most",), ("destroyed",)),
    premises=(
        Premise(
            name="destroyed_share",
            marked="the destroyed buildings",
            says="they are {v} of all buildings",
            mask=lambda at: at.destroyed,
            program=lambda at: Div(a=Count(of=at.destroyed), b=Count(of=at.before)),
        ),
    ),
    levels=(
        Level(
            name="few",
            conditions=(Condition(premise="destroyed_share", relation="<", bound=0.1, basis=_EMS),),
            because="Under 10 % is few.",
        ),
        Level(
            name="many",
            conditions=(
                Condition(premise="destroyed_share", relation=">", bound=0.2, basis=_EMS),
                Condition(premise="destroyed_share", relation="<", bound=0.5, basis=_EMS),
            ),
            because="Between 20 % and 50 % is many.",
        ),
        Level(
            name="most",
            conditions=(Condition(premise="destroyed_share", relation=">", bound=0.6, basis=_EMS),),
            because="Over 60 % is most.",
        ),
    ),
    applies=(
        Condition(
            premise="destroyed_share", relation=">", bound=0.0, basis="ours: none is not few"
        ),
    ),
    verdict=("So {level} of the buildings were destroyed.",),
    source=Source(
        text="G. Grünthal (ed.) (1998), European Macroseismic Scale 1998, Cahiers du Centre "
        "Européen de Géodynamique et de Séismologie 15, Luxembourg, definitions of quantity",
        url="https://doi.org/10.2312/EMS-98.full.en",
        checked="not in its own text; code that uses the scale has middle values that agree",
    ),
    caveat="Only the words for quantities are borrowed: EMS-98 is about earthquakes, and xBD's "
    "levels are not its grades. From 10 % to 20 % and from 50 % to 60 % the words overlap, and "
    "nothing is asked.",
    about="damage",
)

RULES: tuple[Rule, ...] = (
    IGBP_CHARACTER,
    URBAN_RURAL,
    RIPARIAN_BUFFER,
    STREAMS,
    CANOPY,
    WORKING_LAND,
    FOREST_MINIMUM,
    FRAGMENTATION,
    FARMING,
    SHORE_ZONE,
    SHORELAND,
    LAND_TAKE,
    DEFORESTATION,
    DAMAGE,
)
BY_NAME = {rule.name: rule for rule in RULES}
