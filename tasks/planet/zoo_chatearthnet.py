"""The zoo's ChatEarthNet: copies of a good patch on tiles of their own, each with one defect."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from tasks.planet.zoo_files import (
    Exhibit,
    blank,
    huge_png,
    link_out,
    palette,
    resized,
    set_code,
    sixteen_bit,
    truncate,
    vrt,
    with_alpha,
)

FOLDER = "chatearthnet"
RGB = "s2_rgb_images/s2_images"
BANDS = ("s2_band_5_6_7_images", "s2_band_8_11_12_images")
CAPTIONS = "json_files/ChatEarthNet_caps_35_train.json"
FIRST_COLUMN = 8000  # of tiles: mid-Pacific, where no good patch lies
LABEL_PX = 512
LABEL_IDS = (3, 5, 6, 2)  # tree, grass, crop, developed area: one a quarter of the tile


@dataclass(slots=True)
class Patch:
    """One patch of `root`/chatearthnet with its caption record, which a defect may change."""

    root: Path
    name: str
    record: Any
    named: bool = True  # false where nothing but its place in the list names it

    @property
    def picture(self) -> Path:
        """The RGB image."""
        return self.root / FOLDER / RGB / self.name

    @property
    def label(self) -> Path:
        """SatlasPretrain's land cover of the patch's tile."""
        tile = self.name.rsplit("_", 1)[0]
        return self.root / FOLDER / "satlas" / "static" / tile / "land_cover.png"

    def radar(self, polarisation: str) -> Path:
        """The Sentinel-1 image of "vv" or "vh"."""
        return self.root / FOLDER / "s1_images" / polarisation / self.name


Breaker = Callable[[Patch], Path | None]  # returns the broken file, None for the caption list


def add_chatearthnet(root: Path) -> list[Exhibit]:
    """Add every broken patch to the planet's ChatEarthNet and return what was added."""
    path = root / FOLDER / CAPTIONS
    records = json.loads(path.read_text())
    good = min((root / FOLDER / RGB).glob("*_patch00.png"))
    exhibits = []
    for column, (defect, reasons, breaker) in enumerate(CASES, start=FIRST_COLUMN):
        patch = _copy(root, good, column)
        broken = breaker(patch) or path
        place = len(records)
        scene = patch.name.removesuffix(".png") if patch.named else f"{path.stem}#{place}"
        records.append(patch.record)
        exhibits.append(
            Exhibit(
                source=FOLDER, scene=scene, defect=defect, reasons=reasons,
                file=broken.relative_to(root).as_posix(), record=place,
            )
        )  # fmt: skip
    path.write_text(json.dumps(records, indent=4) + "\n")
    return exhibits


def _copy(root: Path, good: Path, column: int) -> Patch:
    name = f"{column}_{good.name.split('_', 1)[1]}"
    caption = "The image shows fields and woods around a small town."
    patch = Patch(root, name, {"image": name, "caption": caption})
    for folder in (RGB, *BANDS):
        shutil.copy(root / FOLDER / folder / good.name, root / FOLDER / folder / name)
    with Image.open(good) as picture:
        grey = picture.convert("L")
    for polarisation in ("vv", "vh"):
        patch.radar(polarisation).parent.mkdir(parents=True, exist_ok=True)
        grey.save(patch.radar(polarisation))
    quarters = np.array(LABEL_IDS, np.uint8).reshape(2, 2)
    patch.label.parent.mkdir(parents=True)
    cv2.imwrite(str(patch.label), quarters.repeat(LABEL_PX // 2, 0).repeat(LABEL_PX // 2, 1))
    return patch


def _picture(change: Callable[[Path], object]) -> Breaker:
    def breaker(patch: Patch) -> Path:
        change(patch.picture)
        return patch.picture

    return breaker


def _label(change: Callable[[Path], object]) -> Breaker:
    def breaker(patch: Patch) -> Path:
        change(patch.label)
        return patch.label

    return breaker


def _without_files(change: Callable[[Patch], None]) -> Breaker:
    """Return what breaks the record; its images go, as nothing else in the archive names them."""

    def breaker(patch: Patch) -> None:
        for folder in (RGB, *BANDS, "s1_images/vv", "s1_images/vh"):
            (patch.root / FOLDER / folder / patch.name).unlink()
        patch.named = False
        change(patch)

    return breaker


def _record(**changes: object) -> Breaker:
    return _without_files(lambda patch: patch.record.update(changes))


def _renamed(stem: str) -> Breaker:
    """Return what gives the patch another name, in the record and on disk."""

    def breaker(patch: Patch) -> None:
        for folder in (RGB, *BANDS, "s1_images/vv", "s1_images/vh"):
            path = patch.root / FOLDER / folder / patch.name
            path.rename(path.with_name(f"{stem}.png"))
        patch.name = f"{stem}.png"
        patch.record["image"] = patch.name

    return breaker


def _climb(patch: Patch) -> Path:
    """Name a picture beside the archive, which is there."""
    outside = patch.root / "outside" / patch.name
    outside.parent.mkdir(exist_ok=True)
    shutil.move(patch.picture, outside)
    patch.named = False
    patch.record["image"] = f"../../../outside/{patch.name}"
    return outside


def _no_vh(patch: Patch) -> Path:
    patch.radar("vh").unlink()
    return patch.radar("vh")


def _link(patch: Patch) -> Path:
    link_out(patch.picture, patch.root)
    return patch.picture


def _nameless(patch: Patch) -> None:
    del patch.record["image"]


def _listed(patch: Patch) -> None:
    patch.record = [patch.name, "a caption"]


CASES: tuple[tuple[str, tuple[str, ...], Breaker], ...] = (
    ("truncated image", ("unreadable_file",), _picture(truncate)),
    ("truncated land cover", ("unreadable_file",), _label(truncate)),
    ("missing image", ("missing_file",), _picture(Path.unlink)),
    ("missing land cover", ("missing_file", "no_label"), _label(Path.unlink)),
    ("missing VH", ("missing_pair", "missing_file"), _no_vh),
    ("all-black image", ("blank_image",), _picture(lambda p: blank(p, 0))),
    ("all-white image", ("blank_image",), _picture(lambda p: blank(p, 255))),
    ("1-pixel image", ("too_small", "size_mismatch"), _picture(lambda p: resized(p, 1, 1))),
    ("image of another size", ("size_mismatch",), _picture(lambda p: resized(p, 200, 256))),
    ("land cover of another size", ("size_mismatch",), _label(lambda p: resized(p, 300, 300))),
    ("palette PNG", ("wrong_pixel_format",), _picture(palette)),
    ("16-bit PNG", ("wrong_pixel_format",), _picture(sixteen_bit)),
    ("PNG with alpha", ("wrong_pixel_format",), _picture(with_alpha)),
    ("header of 60,000 x 60,000", ("too_large",), _picture(huge_png)),
    ("land cover of 60,000 x 60,000", ("too_large", "size_mismatch"), _label(huge_png)),
    ("VRT under a .png name", ("external_reference", "unreadable_file"),
     _picture(lambda p: vrt(p, "/vsicurl/http://tiles.invalid/a.png", 256))),
    ("land cover id 77", ("unknown_label_code",), _label(lambda p: set_code(p, 77))),
    ("land cover all no data", ("low_valid_share", "no_label"), _label(lambda p: blank(p, 0))),
    ("link out of the archive", ("unsafe_path",), _link),
    ('name with ".."', ("unsafe_path",), _climb),
    ("absolute path for a name", ("unsafe_path",), _record(image="/etc/hostname.png")),
    ("name that is no place", ("missing_metadata", "unknown_value"), _renamed("forest")),
    ("caption is a number", ("wrong_type",), _record(caption=7)),
    ("image is a number", ("wrong_type",), _record(image=3886)),
    ("record without image", ("missing_metadata", "wrong_type"), _without_files(_nameless)),
    ("record is a list", ("wrong_type",), _without_files(_listed)),
)  # fmt: skip
