"""The rule book: judgements on scenes, each from a published source; docs/rulebook.md shows it.

A bound is its source's unless its basis begins with "ours". Shares are of labelled pixels. Raise a
rule's version with every change to it.
"""

from templates.rule import Rule
from templates.rules.change import DAMAGE, DEFORESTATION, LAND_TAKE
from templates.rules.character import IGBP_CHARACTER, URBAN_RURAL
from templates.rules.farming import FARMING
from templates.rules.habitat import CANOPY, FOREST_MINIMUM, FRAGMENTATION, WORKING_LAND
from templates.rules.water import RIPARIAN_BUFFER, SHORE_ZONE, SHORELAND, STREAMS

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
