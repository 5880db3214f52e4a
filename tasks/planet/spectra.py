"""Reflectance of every cover in the Sentinel-2 bands, and how uneven it looks.

Typical summer surface reflectance of each cover, set by hand from the published shapes of such
spectra: chlorophyll dips in blue and red, the red edge, water absorption in the short-wave bands.
"""

import numpy as np

from tasks.planet.classes import Cover

BANDS = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B11", "B12")

# reflectance x 10000, in the order of BANDS
_TABLE = {
    Cover.SEA_WATER: (260, 240, 210, 110, 90, 80, 80, 70, 65, 60, 40, 30),
    Cover.FRESH_WATER: (230, 250, 300, 200, 170, 130, 130, 110, 100, 90, 60, 45),
    Cover.TURBID_WATER: (420, 520, 760, 720, 620, 400, 370, 330, 260, 200, 90, 60),
    Cover.SAND: (1500, 1800, 2300, 2700, 2850, 2950, 3050, 3150, 3200, 3200, 3900, 3500),
    Cover.MUD: (700, 800, 1000, 1150, 1220, 1280, 1320, 1350, 1380, 1300, 1100, 850),
    Cover.REED: (330, 400, 680, 560, 1000, 1850, 2150, 2250, 2400, 2350, 1500, 850),
    Cover.PEAT: (300, 360, 580, 600, 950, 1500, 1700, 1800, 1950, 1900, 1800, 1150),
    Cover.CROP_GREEN: (230, 300, 680, 340, 1050, 3500, 4400, 4600, 4750, 4600, 1850, 850),
    Cover.CROP_DARK: (200, 240, 500, 280, 850, 2800, 3500, 3650, 3850, 3700, 1700, 750),
    Cover.CROP_RIPE: (700, 900, 1350, 1650, 2000, 2350, 2550, 2700, 2850, 2850, 3300, 2350),
    Cover.RAPESEED: (350, 480, 1300, 1150, 1700, 3400, 3900, 4000, 4150, 4000, 2200, 1150),
    Cover.STUBBLE: (900, 1100, 1450, 1800, 2050, 2250, 2400, 2550, 2700, 2750, 3600, 2800),
    Cover.SOIL: (650, 780, 1000, 1250, 1430, 1560, 1670, 1780, 1900, 1950, 2500, 2150),
    Cover.MEADOW: (240, 320, 680, 400, 1100, 3000, 3700, 3900, 4050, 3950, 2100, 1050),
    Cover.DRY_GRASS: (520, 680, 1050, 1150, 1600, 2200, 2450, 2600, 2750, 2750, 2900, 1900),
    Cover.VINES: (430, 540, 820, 850, 1250, 2050, 2350, 2500, 2650, 2600, 2550, 1700),
    Cover.OLIVE_GROVE: (480, 600, 860, 950, 1300, 1850, 2050, 2200, 2350, 2350, 2600, 1800),
    Cover.BROADLEAF_TREE: (150, 190, 410, 220, 720, 2500, 3200, 3300, 3500, 3450, 1600, 680),
    Cover.CONIFER_TREE: (130, 150, 290, 180, 480, 1350, 1700, 1800, 1900, 1900, 900, 400),
    Cover.SHRUB: (230, 290, 540, 430, 900, 2000, 2400, 2550, 2700, 2650, 1950, 1050),
    Cover.HEATHER: (280, 340, 500, 560, 850, 1350, 1550, 1650, 1800, 1800, 1900, 1200),
    Cover.ALPINE_GRASS: (330, 430, 760, 680, 1150, 2150, 2500, 2650, 2800, 2750, 2300, 1350),
    Cover.STONES: (900, 1080, 1350, 1550, 1700, 1900, 2000, 2100, 2200, 2250, 2600, 2200),
    Cover.BARE_ROCK: (1050, 1230, 1450, 1600, 1680, 1750, 1800, 1850, 1900, 1900, 2200, 2000),
    Cover.RED_ROOF: (600, 720, 920, 1500, 1900, 2050, 2150, 2250, 2300, 2300, 2500, 2150),
    Cover.GREY_ROOF: (700, 800, 880, 940, 1000, 1080, 1120, 1180, 1220, 1250, 1500, 1400),
    Cover.WHITE_ROOF: (2000, 2200, 2350, 2450, 2500, 2560, 2600, 2650, 2650, 2600, 2600, 2400),
    Cover.ASPHALT: (720, 820, 920, 1000, 1080, 1150, 1200, 1280, 1320, 1350, 1550, 1450),
    Cover.PAVING: (1050, 1200, 1380, 1520, 1600, 1700, 1770, 1850, 1900, 1900, 2150, 1950),
    Cover.GARDEN: (350, 450, 720, 620, 1080, 2250, 2650, 2800, 2900, 2850, 1950, 1200),
    Cover.LAWN: (260, 350, 750, 450, 1150, 2900, 3500, 3700, 3850, 3700, 2150, 1150),
    Cover.BARE_EARTH: (1000, 1250, 1650, 2100, 2250, 2400, 2500, 2600, 2700, 2700, 3300, 2900),
    Cover.TRACK: (850, 1030, 1320, 1600, 1750, 1950, 2100, 2200, 2300, 2300, 2750, 2300),
    Cover.SNOW: (3900, 3750, 3600, 3500, 3600, 3750, 3800, 3900, 3750, 3700, 450, 500),
    Cover.BURNT: (330, 370, 430, 500, 560, 650, 700, 760, 850, 900, 1700, 1900),
    Cover.RUBBLE: (1150, 1350, 1600, 1800, 1880, 1980, 2050, 2100, 2150, 2150, 2500, 2300),
    Cover.MOSS: (420, 520, 780, 760, 1050, 1600, 1800, 1900, 2000, 2000, 2100, 1400),
    Cover.MANGROVE: (170, 210, 400, 230, 650, 2100, 2650, 2800, 2950, 2850, 1150, 480),
}
REFLECTANCE = np.array([_TABLE[cover] for cover in Cover], dtype=np.float32) / np.float32(10000)

# how much brightness varies over patches of 10 to 160 m (a share of the mean), and over crowns
_UNEVEN = {
    Cover.SEA_WATER: (0.04, 0.05), Cover.FRESH_WATER: (0.04, 0.03),
    Cover.TURBID_WATER: (0.08, 0.03), Cover.SAND: (0.08, 0.03), Cover.REED: (0.14, 0.1),
    Cover.PEAT: (0.16, 0.1), Cover.BROADLEAF_TREE: (0.13, 0.34), Cover.CONIFER_TREE: (0.12, 0.36),
    Cover.SHRUB: (0.15, 0.28), Cover.HEATHER: (0.17, 0.12), Cover.ALPINE_GRASS: (0.12, 0.07),
    Cover.STONES: (0.14, 0.15), Cover.BARE_ROCK: (0.16, 0.16), Cover.GARDEN: (0.18, 0.2),
    Cover.PAVING: (0.12, 0.06), Cover.ASPHALT: (0.06, 0.02), Cover.RED_ROOF: (0.12, 0.04),
    Cover.GREY_ROOF: (0.14, 0.04), Cover.WHITE_ROOF: (0.1, 0.03), Cover.RUBBLE: (0.18, 0.26),
    Cover.BURNT: (0.2, 0.15), Cover.MANGROVE: (0.1, 0.3), Cover.OLIVE_GROVE: (0.1, 0.45),
    Cover.VINES: (0.1, 0.25), Cover.SNOW: (0.28, 0.05),
}  # fmt: skip
_EVEN_ENOUGH = (0.09, 0.06)  # crops, meadows, soil: patches of growth, little grain
_PAIRS = np.array([_UNEVEN.get(cover, _EVEN_ENOUGH) for cover in Cover], dtype=np.float32)
ROUGHNESS = _PAIRS[:, 0].copy()
GRAIN = _PAIRS[:, 1].copy()
