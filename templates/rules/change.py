"""What changed between two dates: land take, deforestation, the extent of destruction."""

from schemas.program import Count, Div
from templates.land_groups import (
    BUILT,
    CROPS,
    FARMED,
    NATURAL,
    TREES,
)
from templates.rule import Condition, Level, Premise, Rule, Source
from templates.rules.measures import area_of, became

SMALLEST_STAND_M2 = 5000.0  # half a hectare

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
    premises=(
        Premise(
            name="taken_m2",
            marked="the farmed or natural land that became built-up",
            says="it covers {v}",
            mask=lambda at: became(at, (FARMED, NATURAL), (BUILT,)),
            program=lambda at: area_of(became(at, (FARMED, NATURAL), (BUILT,))),
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
    premises=(
        Premise(
            name="cleared_m2",
            marked="the tree cover that became cropland or built-up land",
            says="it covers {v}",
            mask=lambda at: became(at, (TREES,), (CROPS, BUILT)),
            program=lambda at: area_of(became(at, (TREES,), (CROPS, BUILT))),
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
    version=2,
    title="How many buildings were destroyed, in the words of EMS-98",
    questions=(
        "in the sense of the EMS-98 scale, were few, many or most of the buildings in {before} "
        "destroyed by the time of {after}?",
        "comparing {before} with {after}, were few, many or most of the buildings destroyed, as "
        "EMS-98 uses these words?",
    ),
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
            because="Under 10 % of all buildings is few.",
        ),
        Level(
            name="many",
            conditions=(
                Condition(premise="destroyed_share", relation=">", bound=0.2, basis=_EMS),
                Condition(premise="destroyed_share", relation="<", bound=0.5, basis=_EMS),
            ),
            because="Between 20 % and 50 % of all buildings is many.",
        ),
        Level(
            name="most",
            conditions=(Condition(premise="destroyed_share", relation=">", bound=0.6, basis=_EMS),),
            because="Over 60 % of all buildings is most.",
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
        checked="its own text could not be read; the middle values in programs that use the scale "
        "agree",
    ),
    caveat="Only the words for quantities are borrowed: EMS-98 is about earthquakes, and xBD's "
    "levels are not its grades. From 10 % to 20 % and from 50 % to 60 % the words overlap, and "
    "nothing is asked.",
    about="damage",
)
