"""Writing one-band GeoTIFFs."""

from functools import lru_cache
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.transform import Affine


@lru_cache(maxsize=16)
def crs_of(epsg: int) -> CRS:
    """Return a coordinate reference system; kept, as looking one up is slow."""
    return CRS.from_epsg(epsg)


def write_band(
    path: Path,
    band_HW: NDArray[np.generic],
    *,
    epsg: int,
    transform: Affine,
    nodata: float | None,
    **options: str | int,
) -> None:
    """Write one band with the driver's default strips; `options` are GeoTIFF creation options."""
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        dtype=band_HW.dtype,
        height=band_HW.shape[0],
        width=band_HW.shape[1],
        count=1,
        crs=crs_of(epsg),
        transform=transform,
        nodata=nodata,
        **options,
    ) as raster:
        raster.write(band_HW, 1)
