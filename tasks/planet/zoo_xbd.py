"""The zoo's xBD: copies of a good pair under new numbers, each with one defect."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.planet.zoo_files import (
    Exhibit,
    blank,
    edit_json,
    edit_text,
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

FOLDER = "xbd"
FIRST_NUMBER = 900  # of the copies; the good scenes of a disaster have small numbers


@dataclass(frozen=True, slots=True)
class Pair:
    """The files of one scene in `root`/xbd/`split`."""

    root: Path
    split: str
    name: str

    def image(self, date: str) -> Path:
        """The picture of "pre" or "post"."""
        return self._path("images", date, ".png")

    def label(self, date: str) -> Path:
        """The label JSON of "pre" or "post"."""
        return self._path("labels", date, ".json")

    def target(self, date: str) -> Path:
        """The target raster of "pre" or "post"."""
        return self._path("targets", date, "_target.png")

    def files(self) -> list[Path]:
        """All six files."""
        return [part(date) for part in (self.image, self.label, self.target) for date in DATES]

    def _path(self, kind: str, date: str, end: str) -> Path:
        folder = self.root / FOLDER / self.split / kind
        return folder / f"{self.name}_{date}_disaster{end}"


DATES = ("pre", "post")
Breaker = Callable[[Pair], Path]


def add_xbd(root: Path) -> list[Exhibit]:
    """Add every broken pair to the planet's xBD and return what was added.

    Raises:
        ValueError: if no scene with targets has two buildings or more.
    """
    good = _good_pair(root)
    exhibits = []
    for number, (defect, reasons, breaker) in enumerate(CASES, start=FIRST_NUMBER):
        pair = _copy(good, number)
        broken = breaker(pair)
        exhibits.append(
            Exhibit(
                source=FOLDER, scene=pair.name, defect=defect, reasons=reasons,
                file=broken.relative_to(root).as_posix(),
            )
        )  # fmt: skip
    return exhibits


def _good_pair(root: Path) -> Pair:
    """Return the pair with targets and buildings whose files are smallest."""
    pairs = []
    for split in ("train", "test", "hold"):
        for path in sorted((root / FOLDER / split / "labels").glob("*_post_disaster.json")):
            if path.read_text().count("POLYGON") >= 4:
                pairs.append(Pair(root, split, path.name.removesuffix("_post_disaster.json")))
    if not pairs:
        raise ValueError(f"{root / FOLDER} has no scene with targets and two buildings")
    return min(pairs, key=lambda pair: sum(path.stat().st_size for path in pair.files()))


def _copy(good: Pair, number: int) -> Pair:
    pair = Pair(good.root, good.split, f"{good.name.rsplit('_', 1)[0]}_{number:08}")
    for source, copy in zip(good.files(), pair.files(), strict=True):
        shutil.copy(source, copy)
    for date in DATES:
        edit_text(pair.label(date), f"{good.name}_{date}", f"{pair.name}_{date}")
    return pair


def _on(part: str, date: str, change: Callable[[Path], object]) -> Breaker:
    """Return what changes one file of a pair; `part` is image, label or target."""

    def breaker(pair: Pair) -> Path:
        path: Path = getattr(pair, part)(date)
        change(path)
        return path

    return breaker


def _label(change: Callable[[Any], None]) -> Breaker:
    return _on("label", "post", lambda path: edit_json(path, change))


def _first(change: Callable[[dict[str, Any], dict[str, Any]], None]) -> Breaker:
    """Return what changes the first building: its entries in `xy` and in `lng_lat`."""
    return _label(lambda c: change(c["features"]["xy"][0], c["features"]["lng_lat"][0]))


def _wkt(wkt: str) -> Breaker:
    return _first(lambda xy, _: xy.update(wkt=wkt))


def _third_number(xy: dict[str, Any], _: dict[str, Any]) -> None:
    deep = xy["wkt"].replace(",", " 0.0,").replace("))", " 0.0))")
    xy["wkt"] = deep.replace("POLYGON", "POLYGON Z")


def _several(xy: dict[str, Any], _: dict[str, Any]) -> None:
    ring = xy["wkt"].removeprefix("POLYGON ")
    xy["wkt"] = f"MULTIPOLYGON ({ring}, ((10 10, 20 10, 20 20, 10 10)))"


def _ruined(xy: dict[str, Any], lng_lat: dict[str, Any]) -> None:
    for entry in (xy, lng_lat):
        entry["properties"]["subtype"] = "ruined"


def _same_uid(content: dict[str, Any]) -> None:
    for entries in content["features"].values():
        entries[1]["properties"]["uid"] = entries[0]["properties"]["uid"]


def _other_uid(content: dict[str, Any]) -> None:
    for entries in content["features"].values():
        entries[0]["properties"]["uid"] = "00000000-0000-4000-8000-000000000000"


def _link(pair: Pair) -> Path:
    link_out(pair.image("post"), pair.root)
    return pair.image("post")


def _size(height: int, width: int) -> Callable[[Path], None]:
    return lambda path: resized(path, height, width)


def _metadata(**changes: object) -> Breaker:
    return _label(lambda content: content["metadata"].update(changes))


CASES: tuple[tuple[str, tuple[str, ...], Breaker], ...] = (
    ("truncated image", ("unreadable_file",), _on("image", "post", truncate)),
    ("truncated label JSON", ("unreadable_file",), _on("label", "pre", truncate)),
    ("truncated target", ("unreadable_file",), _on("target", "post", truncate)),
    ("no post image", ("missing_pair", "missing_file"), _on("image", "post", Path.unlink)),
    ("no pre label", ("missing_pair", "missing_file"), _on("label", "pre", Path.unlink)),
    ("no target", ("missing_target",), _on("target", "post", Path.unlink)),
    ("image of another size", ("size_mismatch",), _on("image", "post", _size(512, 512))),
    ("target of another size", ("size_mismatch",), _on("target", "post", _size(1023, 1024))),
    ("target code 9", ("unknown_label_code",), _on("target", "post", lambda p: set_code(p, 9))),
    ("all-black image", ("blank_image",), _on("image", "pre", lambda p: blank(p, 0))),
    ("all-white image", ("blank_image",), _on("image", "post", lambda p: blank(p, 255))),
    ("1-pixel image", ("too_small", "size_mismatch"), _on("image", "post", _size(1, 1))),
    ("palette PNG", ("wrong_pixel_format",), _on("image", "pre", palette)),
    ("16-bit PNG", ("wrong_pixel_format",), _on("image", "post", sixteen_bit)),
    ("PNG with alpha", ("wrong_pixel_format",), _on("image", "post", with_alpha)),
    ("header of 60,000 x 60,000", ("too_large",), _on("image", "post", huge_png)),
    ("VRT under a .png name", ("external_reference", "unreadable_file"),
     _on("image", "post", lambda p: vrt(p, "/vsicurl/http://tiles.invalid/post.png", 1024))),
    ("link out of the archive", ("unsafe_path",), _link),
    ("polygon outside the image", ("polygon_outside",),
     _wkt("POLYGON ((2000 2000, 2040 2000, 2040 2040, 2000 2040, 2000 2000))")),
    ("self-crossing polygon", ("polygon_crossing",),
     _wkt("POLYGON ((100 100, 200 200, 200 100, 100 200, 100 100))")),
    ("empty polygon", ("polygon_empty",), _wkt("POLYGON EMPTY")),
    ("MultiPolygon", ("polygon_kind",), _first(_several)),
    ("point for a polygon", ("polygon_kind",), _wkt("POINT (100 100)")),
    ("three numbers a vertex", ("polygon_vertex",), _first(_third_number)),
    ("vertex that is no number", ("polygon_vertex",),
     _wkt("POLYGON ((nan 100, 200 100, 200 200, nan 100))")),
    ("duplicate uid", ("duplicate_id",), _label(_same_uid)),
    ("uid of one date only", ("missing_pair",), _label(_other_uid)),
    ("features are a list", ("wrong_type",), _label(lambda c: c.update(features=[]))),
    ("WKT is a number", ("wrong_type",), _first(lambda xy, _: xy.update(wkt=12.5))),
    ("uid is a number", ("wrong_type",), _first(lambda xy, _: xy["properties"].update(uid=7))),
    ("width is a string", ("wrong_type",), _metadata(width="wide")),
    ("unknown damage level", ("unknown_value",), _first(_ruined)),
    ("no metadata", ("missing_metadata", "wrong_type"), _label(lambda c: c.pop("metadata"))),
    ("date that does not parse", ("bad_date",), _metadata(capture_date="2018-13-45T17:29:25.433Z")),
)  # fmt: skip
