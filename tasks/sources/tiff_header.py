"""What a TIFF says of itself, in microseconds: for bands that must be sound but are not shown.

GDAL takes half a millisecond to open a file, and BigEarthNet has nine such bands a patch.
"""

import struct
from dataclasses import dataclass

from schemas.rejection import Reason, Refusal
from tasks.sources.rasters import refuse_foreign_tiff

Values = tuple[float, ...]

_WIDTH, _HEIGHT, _BITS, _SAMPLE_FORMAT = 256, 257, 258, 339
_STRIPS, _TILES = (273, 279), (324, 325)  # where the pixels lie: offsets, byte counts
_PIXEL_SCALE, _TIEPOINT, _GEO_KEYS = 33550, 33922, 34735
_CODES = {3: "H", 4: "I", 12: "d", 16: "Q"}  # field types: SHORT, LONG, DOUBLE, LONG8
_KINDS = {1: "uint", 2: "int", 3: "float"}
# keys of OGC GeoTIFF 1.1, and the value that says that no code was given
_RASTER_TYPE, _GEODETIC_CRS, _PROJECTED_CRS, _USER_DEFINED = 1025, 2048, 3072, 32767
_PIXEL_IS_POINT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class TiffHeader:
    """Size in pixels, pixel type ("uint16"), and where the picture lies.

    `epsg` is 0 where no code is named; `bounds` (left, bottom, right, top in CRS units) is None
    without a place, and for a turned picture.
    """

    width: int
    height: int
    dtype: str
    epsg: int
    bounds: tuple[float, float, float, float] | None


def tiff_header(content: bytes, name: str) -> TiffHeader:
    """Return the header of a TIFF's first picture; no pixel is decoded.

    Raises:
        Refusal: EXTERNAL_REFERENCE by the first bytes; UNREADABLE_FILE where it is no TIFF, or ends
            before its pixels do.
    """
    refuse_foreign_tiff(content, name)
    try:
        fields = _fields(content)
        (width,), (height,) = fields[_WIDTH], fields[_HEIGHT]
        pixels_end = max(
            offset + size
            for offsets, sizes in (_STRIPS, _TILES)
            for offset, size in zip(fields.get(offsets, ()), fields.get(sizes, ()), strict=True)
        )
        kind = _KINDS.get(int(fields.get(_SAMPLE_FORMAT, (1,))[0]), "unknown")
        bits = int(fields[_BITS][0])
        geo_keys = _geo_keys(fields.get(_GEO_KEYS, ()))
    except (struct.error, LookupError, ValueError) as error:
        raise Refusal(Reason.UNREADABLE_FILE, f"{name}: broken TIFF header: {error}") from error
    if pixels_end > len(content):
        raise Refusal(
            Reason.UNREADABLE_FILE,
            f"{name}: {len(content)} bytes; expected {pixels_end:.0f}, where its pixels end",
        )
    epsg = geo_keys.get(_PROJECTED_CRS, geo_keys.get(_GEODETIC_CRS, 0))
    is_point = geo_keys.get(_RASTER_TYPE) == _PIXEL_IS_POINT
    return TiffHeader(
        width=int(width),
        height=int(height),
        dtype=f"{kind}{bits}",
        epsg=0 if epsg == _USER_DEFINED else epsg,
        bounds=_bounds(fields, width, height, is_point=is_point),
    )


def _fields(content: bytes) -> dict[int, Values]:
    """Return the numeric fields of the first directory of a classic TIFF or BigTIFF, by tag."""
    order = "<" if content.startswith(b"II") else ">"
    is_big = 43 in content[2:4]
    # offset of the first directory; how many fields; tag, type, count and value of each
    offset_at, offset, number, field = (8, "Q", "Q", "HHQ8s") if is_big else (4, "I", "H", "HHI4s")
    (start,) = struct.unpack_from(order + offset, content, offset_at)
    (num_fields,) = struct.unpack_from(order + number, content, start)
    start += struct.calcsize(order + number)
    step = struct.calcsize(order + field)
    fields: dict[int, Values] = {}
    for at in range(start, start + num_fields * step, step):
        tag, kind, count, inline = struct.unpack_from(order + field, content, at)
        if kind not in _CODES:
            continue
        code = f"{order}{count}{_CODES[kind]}"
        if struct.calcsize(code) <= len(inline):
            fields[tag] = struct.unpack_from(code, inline)
        else:
            (values_at,) = struct.unpack(order + offset, inline)
            fields[tag] = struct.unpack_from(code, content, values_at)
    return fields


def _geo_keys(values: Values) -> dict[int, int]:
    """Return the GeoTIFF keys that are plain numbers: after four of the table, four a key."""
    rows = zip(*(values[4 + part :: 4] for part in range(4)), strict=True)
    return {int(key): int(value) for key, location, _, value in rows if location == 0}


def _bounds(
    fields: dict[int, Values], width: float, height: float, *, is_point: bool
) -> tuple[float, float, float, float] | None:
    scale, tiepoint = fields.get(_PIXEL_SCALE, ()), fields.get(_TIEPOINT, ())
    if len(scale) < 2 or len(tiepoint) != 6:
        return None
    x_size, y_size = scale[:2]
    column, row, _, x, y, _ = tiepoint
    shift = 0.5 if is_point else 0.0  # the point is then the middle of a pixel
    left, top = x - (column + shift) * x_size, y + (row + shift) * y_size
    return (left, top - height * y_size, left + width * x_size, top)
