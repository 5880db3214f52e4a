"""What lies beside water: vegetated banks, the shore zone, built-up cover, urban pressure."""

from templates.land_groups import BUILT, UNNATURAL
from templates.rule import Condition, Level, Premise, Rule, Source
from templates.rules.measures import (
    BUILT_LAND_SHARE,
    BUILT_SHARE,
    HAS_WATER,
    SEEN,
    WATER_SHARE,
    area_of,
    near_water,
    share_near,
)

BANK_M = 30.0

SHORE_M = 100.0

SHORELAND_M = 91.0  # 300 feet

SMALL_WATER = Condition(
    premise="water_share",
    relation="<",
    bound=0.3,
    basis="ours: where water is most of a scene it is no stream",
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
    premises=(
        WATER_SHARE,
        Premise(
            name="unnatural_bank_share",
            marked="the land without natural vegetation within 30 m of the water",
            says="it makes up {v} of the land there",
            mask=lambda at: near_water(at, at.of(UNNATURAL), BANK_M),
            # not what is under vegetation: its edge at the water is within every margin
            program=lambda at: share_near(at, at.of(UNNATURAL), at.land, BANK_M),
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
    applies=(HAS_WATER, SMALL_WATER),
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
    version=2,
    title="Urban pressure on streams by the impervious cover model",
    questions=(
        "going by the impervious cover model, with built-up land as the cover, how strong is the "
        "urban pressure on the water in {place}: low, marked or severe?",
        "is the urban pressure on the water in {place} low, marked or severe, by the bounds of the "
        "impervious cover model?",
    ),
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
            because="Under 10 % built-up cover, sensitive stream life can persist.",
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
            because="From 10 % built-up cover on, sensitive stream life is lost, and up to 25 % "
            "the state is not yet poor.",
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
            because="Above 30 % built-up cover, most streams are in a poor state.",
        ),
    ),
    applies=(HAS_WATER, SMALL_WATER),
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

SHORE_ZONE = Rule(
    id="shore_zone",
    version=1,
    title="Built-up land at the water's edge",
    questions=(
        "does built-up land in {place} reach into the zone of 100 m along the water's edge?",
        "does any built-up land in {place} lie in the 100 m shore zone, by the water?",
    ),
    premises=(
        WATER_SHARE,
        BUILT_SHARE,
        Premise(
            name="built_in_zone_m2",
            marked="the built-up land within 100 m of the water",
            says="it covers {v}",
            mask=lambda at: near_water(at, at.of(BUILT), SHORE_M),
            program=lambda at: area_of(near_water(at, at.of(BUILT), SHORE_M)),
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
    version=2,
    title="Built-up cover of land beside water",
    questions=(
        "by the bounds of Wisconsin's shoreland standard, applied to the land within 91 m of the "
        "water in {place}, is its built-up cover low, raised or high?",
        "is the built-up cover of the shoreland in {place}, the land within 91 m of the water, "
        "low, raised or high by Wisconsin's standard?",
    ),
    premises=(
        WATER_SHARE,
        Premise(
            name="shoreland_built",
            marked="the built-up land within 91 m of the water",
            says="it makes up {v} of the land there",
            mask=lambda at: near_water(at, at.of(BUILT), SHORELAND_M),
            program=lambda at: share_near(at, at.of(BUILT), at.land, SHORELAND_M),
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
            because="Up to 15 % built-up cover is within the standard.",
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
            because="Between 15 % and 30 % built-up cover, the standard asks for mitigation.",
        ),
        Level(
            name="high",
            conditions=(
                Condition(
                    premise="shoreland_built", relation=">", bound=0.3, basis="NR 115.05 (30 %)"
                ),
            ),
            because="More than 30 % built-up cover is over the standard's maximum.",
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
