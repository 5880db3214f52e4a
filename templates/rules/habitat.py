"""What a scene offers to trees and wildlife: canopy, natural land, forest, fragmentation."""

from schemas.mask import MIN_COMPONENT_PX
from schemas.program import Count
from templates.land_groups import TREES
from templates.rule import Condition, Level, Premise, Rule, Source
from templates.rules.character import ATLAS
from templates.rules.measures import (
    BUILT_SHARE,
    CROP_LAND_SHARE,
    NATURAL_LAND_SHARE,
    SEEN,
    TREE_LAND_SHARE,
    TREE_SHARE,
)

ENOUGH_HABITAT = Source(
    text="Environment Canada (2013), How Much Habitat is Enough?, third edition, Toronto, "
    "ISBN 978-1-100-21922-6",
    url="https://publications.gc.ca/site/eng/9.694114/publication.html",
    checked="the publisher's page: '30% to 50% minimum forest cover', '75% of the length of a "
    "stream naturally vegetated', 'less than 10% impervious cover in a watershed'",
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
        Condition(premise="built_share", relation=">", bound=0.25, basis=f"{ATLAS} (suburban)"),
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
    caveat="The threshold is that of random maps with 4 neighbours; with 8, as areas are counted, "
    "it is some 40.7 %. Where share and number of areas point apart nothing is asked.",
)
