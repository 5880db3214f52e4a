"""What lies on the ground: land use in mapping units, and the physical cover a sensor sees."""

from enum import IntEnum


class Land(IntEnum):
    """Land use, as a mapping agency draws it: towns, fields and woods as whole areas."""

    SEA = 0
    ESTUARY = 1
    RIVER = 2
    LAKE = 3
    BEACH = 4
    SALT_MARSH = 5
    TIDAL_FLAT = 6
    MARSH = 7
    PEATBOG = 8
    ARABLE = 9
    VINEYARD = 10
    ORCHARD = 11
    OLIVES = 12
    PASTURE = 13
    COMPLEX = 14  # small mixed plots
    AGRO_NATURAL = 15  # fields with much natural growth between them
    AGROFORESTRY = 16
    BROADLEAF = 17
    CONIFER = 18
    MIXED_FOREST = 19
    GRASSLAND = 20
    HEATH = 21
    SCRUB = 22  # young or felled woodland
    SPARSE = 23
    ROCK = 24
    TOWN_DENSE = 25
    TOWN = 26
    INDUSTRY = 27
    MOTORWAY = 28
    QUARRY = 29
    CONSTRUCTION = 30
    PARK = 31
    SPORT = 32


class Cover(IntEnum):
    """Physical cover of the ground at the scale of a metre: what gives a pixel its spectrum."""

    SEA_WATER = 0
    FRESH_WATER = 1
    TURBID_WATER = 2
    SAND = 3
    MUD = 4
    REED = 5
    PEAT = 6
    CROP_GREEN = 7
    CROP_DARK = 8
    CROP_RIPE = 9
    RAPESEED = 10
    STUBBLE = 11
    SOIL = 12
    MEADOW = 13
    DRY_GRASS = 14
    VINES = 15
    OLIVE_GROVE = 16
    BROADLEAF_TREE = 17
    CONIFER_TREE = 18
    SHRUB = 19
    HEATHER = 20
    ALPINE_GRASS = 21
    STONES = 22
    BARE_ROCK = 23
    RED_ROOF = 24
    GREY_ROOF = 25
    WHITE_ROOF = 26
    ASPHALT = 27
    PAVING = 28
    GARDEN = 29
    LAWN = 30
    BARE_EARTH = 31
    TRACK = 32
    SNOW = 33
    BURNT = 34
    RUBBLE = 35
    MOSS = 36
    MANGROVE = 37


ROOFS = (Cover.RED_ROOF, Cover.GREY_ROOF, Cover.WHITE_ROOF)
