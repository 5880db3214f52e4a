"""CORINE Land Cover 2018 level-3 codes, as BigEarthNet's reference maps hold them, to 19 classes.

The pairs are those of BigEarthNet v2's own pipeline (`clc_code_18_to_ben19_name`); mind 241 under
permanent crops and 333 under natural grassland.
"""

import numpy as np
from numpy.typing import NDArray

from schemas.mask import Invalid
from schemas.rejection import Reason, Refusal
from schemas.scene import INVALID_ID
from schemas.taxonomy import BIGEARTHNET_19

PRODUCT = "clc2018"
NODATA_CODES = (0, 999)  # the raster's nodata value, and "outside CORINE"

CLC_CODES_OF_CLASS = {
    "Urban fabric": (111, 112),
    "Industrial or commercial units": (121,),
    "Arable land": (211, 212, 213),
    "Permanent crops": (221, 222, 223, 241),
    "Pastures": (231,),
    "Complex cultivation patterns": (242,),
    "Land principally occupied by agriculture, with significant areas of natural vegetation": (
        243,
    ),
    "Agro-forestry areas": (244,),
    "Broad-leaved forest": (311,),
    "Coniferous forest": (312,),
    "Mixed forest": (313,),
    "Natural grassland and sparsely vegetated areas": (321, 333),
    "Moors, heathland and sclerophyllous vegetation": (322, 323),
    "Transitional woodland, shrub": (324,),
    "Beaches, dunes, sands": (331,),
    "Inland wetlands": (411, 412),
    "Coastal wetlands": (421, 422),
    "Inland waters": (511, 512),
    "Marine waters": (521, 522, 523),
}
# the 12 codes of the nomenclature that belong to none of the 19 classes
UNMAPPED_CODES = (122, 123, 124, 131, 132, 133, 141, 142, 332, 334, 335, 423)

_UNKNOWN = 254  # only inside the table: neither a class nor a known code without one


def _table() -> NDArray[np.uint8]:
    table = np.full(1000, _UNKNOWN, dtype=np.uint8)
    table[[*UNMAPPED_CODES, *NODATA_CODES]] = INVALID_ID
    for class_id, name in enumerate(BIGEARTHNET_19.names):
        table[list(CLC_CODES_OF_CLASS[name])] = class_id
    return table


_ID_OF_CODE = _table()


def clc_to_19(codes_HW: NDArray[np.integer], name: str = "reference map") -> NDArray[np.uint8]:
    """Return ids of `BIGEARTHNET_19`, `INVALID_ID` where a code has no class, 0 or 999.

    Raises:
        Refusal: UNKNOWN_LABEL_CODE naming `name` and the codes outside the nomenclature.
    """
    in_table = (codes_HW >= 0) & (codes_HW < len(_ID_OF_CODE))
    ids_HW = np.where(in_table, _ID_OF_CODE[np.where(in_table, codes_HW, 1)], np.uint8(_UNKNOWN))
    if (ids_HW == _UNKNOWN).any():
        codes = np.unique(codes_HW[ids_HW == _UNKNOWN])[:5].tolist()
        raise Refusal(
            Reason.UNKNOWN_LABEL_CODE, f"{name}: codes {codes}; expected CLC level-3 codes or 999"
        )
    return ids_HW


def clc_invalid(codes_HW: NDArray[np.integer]) -> Invalid:
    """Return what is known of the pixels without a class.

    CORINE is a partition, so a known code outside the 19 classes means that none of them lies
    there; 999 and 0 say nothing.
    """
    return Invalid.UNKNOWN if np.isin(codes_HW, NODATA_CODES).any() else Invalid.OTHER
