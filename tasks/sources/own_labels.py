"""Label rasters of your own dataset: codes of a class table to ids."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.mask import Invalid
from schemas.rejection import Reason, Refusal
from schemas.scene import BACKGROUND_ID, INVALID_ID
from tasks.sources.grids import refuse_other_grid
from tasks.sources.image_files import png_grey
from tasks.sources.own_config import Code, LabelFiles
from tasks.sources.own_images import NPY_ENDINGS, TIFF_ENDINGS, Placing, place_array
from tasks.sources.rasters import Raster
from tasks.sources.safe_files import Archive


def read_raster_ids(
    archive: Archive, name: str, layer: LabelFiles, image: Raster, placing: Placing | None
) -> NDArray[np.uint8]:
    """Return the ids of a label raster that lies on the image's grid.

    Raises:
        Refusal: SIZE_MISMATCH or CRS_MISMATCH against the image, WRONG_PIXEL_FORMAT for values
            that are not whole numbers, UNKNOWN_LABEL_CODE, and the reasons of `Archive`.
    """
    labels = _read(archive, name, layer, placing)
    if labels.crs is None:  # nothing says where it lies: it is taken to lie on the image
        labels = Raster(
            values_HW=labels.values_HW,
            crs=image.crs,
            transform=image.transform,
            nodata=labels.nodata,
        )
    refuse_other_grid(labels, name, image, "its image")
    codes_HW = labels.values_HW
    nodata_HW = np.zeros(codes_HW.shape, dtype=np.bool_)
    if codes_HW.dtype.kind == "f":
        nodata_HW = ~np.isfinite(codes_HW)
        codes_HW = np.where(nodata_HW, 0, codes_HW)
        if (codes_HW != np.rint(codes_HW)).any():
            raise Refusal(Reason.WRONG_PIXEL_FORMAT, f"{name}: codes that are not whole numbers")
    if labels.nodata is not None:
        nodata_HW = nodata_HW | (codes_HW == labels.nodata)
    ids_HW = np.full(codes_HW.shape, INVALID_ID, dtype=np.uint8)
    codes, inverse = np.unique(codes_HW[~nodata_HW], return_inverse=True)
    table = id_of_code(layer)
    ids = [checked_id(table, int(code), name) for code in codes]
    ids_HW[~nodata_HW] = np.array(ids, dtype=np.uint8)[inverse]
    return ids_HW


def invalid_of(layer: LabelFiles, ids_HW: NDArray[np.uint8]) -> Invalid:
    """Return what is known of the invalid pixels: what the description says, if there are any."""
    if layer.under_ignored == "other" or not (ids_HW == INVALID_ID).any():
        return Invalid.OTHER
    return Invalid.UNKNOWN


def id_of_code(layer: LabelFiles) -> dict[Code, int]:
    """Return the id of every code that the description lists."""
    return {
        **{entry.code: class_id for class_id, entry in enumerate(layer.classes)},
        **dict.fromkeys(layer.ignore, INVALID_ID),
        **dict.fromkeys(layer.background, BACKGROUND_ID),
    }


def checked_id(table: dict[Code, int], code: Code, name: str) -> int:
    """Return the id of a code; Refusal UNKNOWN_LABEL_CODE where the table lacks it."""
    if code not in table:
        listed = ", ".join(str(known) for known in list(table)[:20])
        raise Refusal(Reason.UNKNOWN_LABEL_CODE, f"{name}: code {code!r}; expected {listed}")
    return table[code]


def _read(archive: Archive, name: str, layer: LabelFiles, placing: Placing | None) -> Raster:
    if name.lower().endswith(TIFF_ENDINGS):
        return archive.read_band(name, layer.band)
    if name.lower().endswith(NPY_ENDINGS):
        return place_array(_plane(archive.read_npy(name), name), placing)
    return place_array(png_grey(archive.read_bytes(name), name), placing)


def _plane(array: NDArray[Any], name: str) -> NDArray[Any]:
    """Return (H, W) of an array of (H, W) or (H, W, 1)."""
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if array.ndim != 2 or 0 in array.shape:
        raise Refusal(
            Reason.WRONG_PIXEL_FORMAT, f"{name}: shape {array.shape}; expected (H, W) or (H, W, 1)"
        )
    return array
