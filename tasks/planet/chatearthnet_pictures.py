"""The PNG files of a ChatEarthNet patch: band triples, Sentinel-1, SatlasPretrain's land cover."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasks.planet.noise import Floats
from tasks.planet.pictures import write_picture

BANDS = ("B04", "B03", "B02", "B05", "B06", "B07", "B08", "B11", "B12")
_FOLDERS = ("s2_rgb_images/s2_images", "s2_band_5_6_7_images", "s2_band_8_11_12_images")
# light scattered by the air, as reflectance, in BANDS: the scenes are top-of-atmosphere
_HAZE = np.array([0.022, 0.036, 0.06, 0.018, 0.015, 0.012, 0.01, 0.003, 0.001], dtype=np.float32)
_CLEARNESS = np.float32(0.94)  # the share of the ground's light that arrives
_WHITE_TCI = 0.3558  # reflectance that is 255 in ESA's true-colour image
_WHITE_BANDS = 255 * 32 / 10000  # the other bands are reflectance x 10000 / 32
_RADAR_STRETCH = {"vv": (-25.0, 3.0), "vh": (-32.0, -4.0)}  # dB that become 0 and 255


def write_triples(out: Path, name: str, light_HWB: Floats) -> None:
    """Write the true-colour image and two more triples from reflectance (H, W, 9) in `BANDS`."""
    arriving_HWB = light_HWB * _CLEARNESS + _HAZE
    for folder, first in zip(_FOLDERS, (0, 3, 6), strict=True):
        full = np.float32(_WHITE_TCI if first == 0 else _WHITE_BANDS)
        triple_HW3 = np.clip(arriving_HWB[..., first : first + 3] / full * 255, 0, 255)
        _write(out / folder / name, triple_HW3.astype(np.uint8))


def write_radar(out: Path, name: str, radar_HW2: Floats) -> None:
    """Write VV and VH, given in dB, as 8-bit grey PNGs."""
    for channel, (polarisation, (low, high)) in enumerate(_RADAR_STRETCH.items()):
        grey_HW = np.clip((radar_HW2[..., channel] - low) / (high - low) * 255, 0, 255)
        _write(out / "s1_images" / polarisation / name, grey_HW.astype(np.uint8))


def write_land_cover(out: Path, tile: str, ids_HW: NDArray[np.uint8]) -> None:
    """Write a tile's land cover as SatlasPretrain has it: grey, ids 0 to 11."""
    _write(out / "satlas" / "static" / tile / "land_cover.png", ids_HW)


def _write(path: Path, picture: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_picture(path, picture)
