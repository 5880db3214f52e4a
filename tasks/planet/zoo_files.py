"""Files that are broken on purpose, each tiny whatever it claims to hold."""

import json
import struct
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import rasterio
from numpy.typing import NDArray
from PIL import Image
from rasterio.crs import CRS
from rasterio.transform import Affine

HUGE_PX = 60_000
_TILE_PX = 16_384  # so that the index of the empty tiles is short


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """One broken record of the zoo.

    `scene` is the record's name in its archive; `reasons` are those that fit, any of which may be
    given; `file` is the broken file, relative to the planet. Where a JSON list holds the record,
    `record` is its place there (-1: the whole file); in TEOChatlas `images` are its images,
    relative to the archive.
    """

    source: str
    scene: str
    defect: str
    reasons: tuple[str, ...]
    file: str
    record: int = -1
    images: tuple[str, ...] = field(default=())

    def listed(self) -> dict[str, Any]:
        """Return the entry of zoo.json."""
        return asdict(self)


def truncate(path: Path, share: float = 0.6) -> None:
    """Cut a file off after a share of its bytes."""
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])


def edit_json(path: Path, change: Callable[[Any], None]) -> None:
    """Change a JSON file's content in place."""
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def edit_text(path: Path, old: str, new: str) -> None:
    """Replace the first occurrence of a text that must be there."""
    content = path.read_text()
    assert old in content, f"{path} has no {old!r}"
    path.write_text(content.replace(old, new, 1))


def huge_png(path: Path) -> None:
    """Write a PNG whose header claims 60,000 x 60,000 pixels and that has almost no data."""
    header = struct.pack(">IIBBBBB", HUGE_PX, HUGE_PX, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(64))), (b"IEND", b""))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks))


def huge_tiff(path: Path, dtype: str = "uint16", bands: int = 1) -> None:
    """Write a sparse TIFF of 60,000 x 60,000 pixels, none of which is stored."""
    path.unlink(missing_ok=True)
    with rasterio.open(
        path, "w", driver="GTiff", width=HUGE_PX, height=HUGE_PX, count=bands, dtype=dtype,
        tiled=True, blockxsize=_TILE_PX, blockysize=_TILE_PX, sparse_ok=True, bigtiff="yes",
        crs=CRS.from_epsg(32633), transform=Affine(10, 0, 300000, 0, -10, 5900000),
    ):  # fmt: skip
        pass


def vrt(path: Path, source: str, size_px: int) -> None:
    """Write a virtual raster, whatever the file's name, that reads its pixels from elsewhere.

    `source` is a name in the same folder, or begins with "/vsi".
    """
    beside = int(not source.startswith("/vsi"))
    path.write_text(
        f'<VRTDataset rasterXSize="{size_px}" rasterYSize="{size_px}">'
        '<VRTRasterBand dataType="UInt16" band="1"><SimpleSource>'
        f'<SourceFilename relativeToVRT="{beside}">{source}</SourceFilename>'
        "<SourceBand>1</SourceBand></SimpleSource></VRTRasterBand></VRTDataset>"
    )


def web_map(path: Path) -> None:
    """Write the description of a web map service, which a raster library would go and ask."""
    path.write_text(
        '<GDAL_WMS><Service name="TMS"><ServerUrl>http://tiles.invalid/${z}/${x}/${y}.png'
        "</ServerUrl></Service><DataWindow><SizeX>120</SizeX><SizeY>120</SizeY></DataWindow>"
        "<BandsCount>1</BandsCount></GDAL_WMS>"
    )


def link_out(path: Path, root: Path) -> None:
    """Replace a file by a symbolic link to a copy of it outside of every archive."""
    outside = root / "outside" / path.name
    outside.parent.mkdir(exist_ok=True)
    outside.write_bytes(path.read_bytes())
    path.unlink()
    upwards = [".."] * len(path.parent.relative_to(root).parts)
    path.symlink_to(Path(*upwards, "outside", path.name))


def blank(path: Path, value: int) -> None:
    """Overwrite a picture by one of its size that is black (0) or white (255) all over."""
    picture = _read(path)
    _write(path, np.full_like(picture, value))


def resized(path: Path, height: int, width: int) -> None:
    """Overwrite a picture by a smaller or larger one of the same kind."""
    picture = _read(path)
    _write(path, cv2.resize(picture, (width, height), interpolation=cv2.INTER_NEAREST))


def sixteen_bit(path: Path) -> None:
    """Overwrite a picture by one of 16 bits a channel."""
    picture = _read(path)
    _write(path, picture.astype(np.uint16) * 257)


def palette(path: Path) -> None:
    """Overwrite a PNG by one with a palette."""
    with Image.open(path) as picture:
        indexed = picture.convert("RGB").quantize(32)
    indexed.save(path)


def with_alpha(path: Path) -> None:
    """Overwrite a PNG by one with an alpha channel."""
    with Image.open(path) as picture:
        clear = picture.convert("RGBA")
    clear.save(path)


def set_code(path: Path, code: int) -> None:
    """Write a code into the upper left quarter of an 8-bit grey PNG."""
    raster_HW = _read(path)
    raster_HW[: raster_HW.shape[0] // 2, : raster_HW.shape[1] // 2] = code
    _write(path, raster_HW)


def _read(path: Path) -> NDArray[Any]:
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if picture is None:
        raise OSError(f"cannot read {path}")
    return np.asarray(picture)


def _write(path: Path, picture: NDArray[Any]) -> None:
    if not cv2.imwrite(str(path), picture):
        raise OSError(f"cannot write {path}")


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)
