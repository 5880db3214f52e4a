"""What Sentinel-1 sees: backscatter by cover in VV and VH, with the speckle of one pass."""

import numpy as np

from tasks.planet.classes import Cover
from tasks.planet.cover import cover
from tasks.planet.noise import Floats, fbm, mix
from tasks.planet.window import Window

_LOOKS = 4.4  # equivalent number of looks of an IW GRDH product
_SPLIT_M = 6.0

# mean backscatter in dB, VV and VH, of C-band IW products over such covers
_DECIBEL = {
    Cover.SEA_WATER: (-17.5, -26.5), Cover.FRESH_WATER: (-20.0, -28.0),
    Cover.TURBID_WATER: (-19.0, -27.0), Cover.SAND: (-17.0, -25.0), Cover.MUD: (-14.5, -23.0),
    Cover.REED: (-10.5, -18.0), Cover.PEAT: (-11.5, -18.5), Cover.CROP_GREEN: (-11.5, -17.5),
    Cover.CROP_DARK: (-9.8, -15.5), Cover.CROP_RIPE: (-13.5, -19.5),
    Cover.RAPESEED: (-9.6, -14.5), Cover.STUBBLE: (-12.5, -20.5), Cover.SOIL: (-11.0, -20.0),
    Cover.MEADOW: (-12.0, -18.6), Cover.DRY_GRASS: (-12.8, -19.8), Cover.VINES: (-11.0, -17.0),
    Cover.OLIVE_GROVE: (-10.5, -16.5), Cover.BROADLEAF_TREE: (-8.8, -14.0),
    Cover.CONIFER_TREE: (-9.6, -15.2), Cover.SHRUB: (-10.6, -16.8), Cover.HEATHER: (-12.2, -18.8),
    Cover.ALPINE_GRASS: (-12.0, -18.8), Cover.STONES: (-11.5, -20.0),
    Cover.BARE_ROCK: (-9.5, -17.8), Cover.RED_ROOF: (-1.0, -10.5), Cover.GREY_ROOF: (-1.0, -10.5),
    Cover.WHITE_ROOF: (1.5, -9.0), Cover.ASPHALT: (-14.5, -22.5), Cover.PAVING: (-8.5, -16.5),
    Cover.GARDEN: (-8.5, -14.8), Cover.LAWN: (-12.5, -19.2), Cover.BARE_EARTH: (-11.5, -20.5),
    Cover.TRACK: (-12.5, -20.5), Cover.SNOW: (-13.0, -20.5), Cover.BURNT: (-12.0, -20.0),
    Cover.RUBBLE: (-5.0, -13.0), Cover.MOSS: (-12.5, -20.0), Cover.MANGROVE: (-8.0, -13.5),
}  # fmt: skip
_POWER = np.array([_DECIBEL[c] for c in Cover], dtype=np.float32)
_POWER = np.float32(10) ** (_POWER / np.float32(10))


def backscatter(seed: int, window: Window, year: float, pass_seed: int) -> Floats:
    """Return backscatter in dB, (H, W, 2) float32: VV, VH.

    Powers of the covers within a pixel are averaged, then multiplied by gamma-distributed speckle.
    """
    split = int(np.ceil(window.pixel_m / _SPLIT_M))
    fine = window.split(split)
    height, width = window.shape_HW
    power = _POWER[cover(seed, fine, year)].reshape(height, split, width, split, 2)
    patches_HW = fbm(seed + 701, window.x_W, window.y_H, 220.0, 3)
    mean_HW2 = power.mean(axis=(1, 3)) * np.exp2(0.35 * patches_HW)[..., None]
    rng = np.random.default_rng(_pass_seed(seed, window, pass_seed))
    speckle_HW2 = rng.standard_gamma(_LOOKS, mean_HW2.shape, dtype=np.float32) / np.float32(_LOOKS)
    floor = np.float32(10 ** (-3.4))  # the sensor's own noise
    return np.asarray(10 * np.log10(mean_HW2 * speckle_HW2 + floor), dtype=np.float32)


def _pass_seed(seed: int, window: Window, pass_seed: int) -> int:
    """Return the seed of the speckle of one pass over one place."""
    place = mix(seed, round(float(window.x_W[0])), round(float(window.y_H[0])))
    return int(mix(pass_seed, int(place >> np.uint64(1))))
