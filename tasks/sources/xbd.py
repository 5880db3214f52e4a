"""xBD (xView2): building polygons before and after a disaster, with a damage level.

| what | value |
| --- | --- |
| sensor | WorldView, QuickBird, GeoEye; RGB PNG, uint8, 1024 x 1024, no CRS |
| pixel size | from the affine fit of `xy` to `lng_lat`; never `gsd`, that of the spectral bands |
| classes | no-damage, minor-damage, major-damage, destroyed; un-classified is no class |
| splits | train (2,799 pairs), tier3 (6,369) -> train; hold (933) -> validation; test (933) |
| licence | CC BY-NC-SA 4.0 |

Layout (DIUx-xView/xView2_baseline, torchgeo `xview.py`)::

    {train,test,hold}/images/<event>_<8 digits>_{pre,post}_disaster.png
                      labels/<event>_<8 digits>_{pre,post}_disaster.json
                      targets/<event>_<8 digits>_{pre,post}_disaster_target.png
    tier3/images, tier3/labels                                             no targets

Traps, and what is done:

* The JSON is the truth. Targets must be there and fit in size and codes (0 to 4; 5 is how some
  tools write un-classified), and are not used further: they were drawn half a pixel larger.
* Buildings overlap: in the damage layer the higher level wins, whatever the order, and
  un-classified loses to any level. Objects keep their whole masks, and all of them count.
* Un-classified buildings are invalid pixels of the damage layer and forbid counts, shares and
  absence by level; as footprints they are buildings like any other.
* Both dates must list the same uids: a building of one date alone has no partner to compare with
  (MISSING_PAIR), and would pass for one that was built or that vanished.
* A pair has no pixel size where too few vertices, or contradicting ones, place it: the polygons
  stand, and no metres are asked.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from schemas.rejection import Reason, Refusal, Rejected
from schemas.scene import Grid, Modality, Scene, SceneImage, SceneRef
from tasks.sources.safe_files import Archive, is_there, list_folder
from tasks.sources.xbd_label import TileLabel, fit_labels, read_label
from tasks.sources.xbd_masks import (
    Drawn,
    damage_layer,
    draw_buildings,
    footprint_layer,
    instances,
)

NAME = "xbd"
LICENCE = "CC-BY-NC-SA-4.0"
VERSION = 1

SPLIT_OF_FOLDER = {"train": "train", "tier3": "train", "hold": "validation", "test": "test"}
FOLDERS_WITH_TARGETS = ("train", "hold", "test")
PARTS = {"images": ".png", "labels": ".json", "targets": "_target.png"}  # and how names end
ROLES = ("pre", "post")
TILES_A_BUCKET = 256
MAX_TARGET_CODE = 5

_FILE = re.compile(r"[a-z0-9]+/[a-z]+/([A-Za-z0-9-]+_\d{8})_(?:pre|post)_disaster(?:_target)?\.\w+")


def index(root: Path) -> Iterator[SceneRef | Rejected]:
    """List the archive's pairs by folder, event and number; only file names are looked at.

    A pair that lacks a file is a rejection: MISSING_PAIR (one of its images), MISSING_FILE (a
    label), MISSING_TARGET; so is a tile that a second folder holds (DUPLICATE_ID), a file whose
    name places it nowhere (MISSING_METADATA), and a folder that cannot be listed (UNREADABLE_FILE).

    Raises:
        ValueError: if the folder holds none of train, tier3, hold and test with images.
    """
    folders = [name for name in SPLIT_OF_FOLDER if is_there(root / name / "images")]
    if not folders:
        looked_for = ", ".join(f"{name}/images" for name in SPLIT_OF_FOLDER)
        raise ValueError(f"{root} is no xBD archive: looked for {looked_for}")
    seen: set[str] = set()
    for folder in folders:
        try:
            paths = _listed(root, folder)
        except Refusal as refusal:
            yield _rejected(folder, refusal.reason, refusal.detail)
            continue
        found = {path: _FILE.fullmatch(path) for path in sorted(paths)}
        for path in (path for path, match in found.items() if match is None):
            detail = f"{path}: expected <event>_<8 digits>_<pre or post>_disaster"
            yield _rejected(path.replace("/", "."), Reason.MISSING_METADATA, detail)
        tiles = sorted({match[1] for match in found.values() if match})
        yield from (_placed(folder, tile, paths, seen) for tile in tiles)
        seen.update(tiles)


def read(root: Path, ref: SceneRef) -> Scene:
    """Read one pair: both images as they are, footprints at both dates, damage at the second.

    Raises:
        Refusal: with every reason of the file readers, `read_label` and `draw_polygon`, and
            SIZE_MISMATCH, MISSING_PAIR (a building of one date alone), UNKNOWN_LABEL_CODE.
    """
    archive = Archive(root)
    pre, post = (_read_date(archive, ref, date_index) for date_index in range(len(ROLES)))
    _refuse_unlike(pre, post, _path(ref.facts["folder"], "labels", ref.place, "post"))
    place = fit_labels(pre.label, post.label)
    height, width = pre.label.size_HW
    grid = Grid(
        height=height,
        width=width,
        pixel_size_m=place.pixel_size_m if place else None,
        bounds_lonlat=place.bounds_lonlat if place else None,
        north_up=place.north_up if place else False,
    )
    return Scene(
        ref=ref,
        licence=LICENCE,
        grid=grid,
        images=(pre.image, post.image),
        layers=(
            footprint_layer(pre.drawn, pre.label.size_HW, date_index=0),
            footprint_layer(post.drawn, post.label.size_HW, date_index=1),
            damage_layer(post.drawn, post.label.size_HW),
        ),
        instances=(
            *instances(pre.drawn, pre.label.size_HW, date_index=0),
            *instances(post.drawn, post.label.size_HW, date_index=1),
        ),
        files=archive.files,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Date:
    image: SceneImage
    label: TileLabel
    drawn: Drawn


def _read_date(archive: Archive, ref: SceneRef, date_index: int) -> _Date:
    folder, role = ref.facts["folder"], ROLES[date_index]
    image_path = _path(folder, "images", ref.place, role)
    label_path = _path(folder, "labels", ref.place, role)
    rgb_HW3, encoded = archive.read_png_rgb(image_path)
    label = read_label(archive.read_json(label_path), label_path, after_event=role == "post")
    _refuse_size(image_path, rgb_HW3.shape[:2], label)
    if folder in FOLDERS_WITH_TARGETS:
        target_path = _path(folder, "targets", ref.place, role)
        target_HW = archive.read_png_grey(target_path)
        _refuse_size(target_path, target_HW.shape, label)
        if target_HW.max() > MAX_TARGET_CODE:
            raise Refusal(
                Reason.UNKNOWN_LABEL_CODE,
                f"{target_path}: code {target_HW.max()}, expected 0 to {MAX_TARGET_CODE}",
            )
    image = SceneImage(
        role=role,
        modality=Modality.OPTICAL,
        rendering="rgb_uint8_as_is",
        date=label.date,
        date_index=date_index,
        encoded=encoded,
        path=image_path,
    )
    return _Date(image=image, label=label, drawn=draw_buildings(label, label_path))


def _refuse_size(path: str, size_HW: tuple[int, ...], label: TileLabel) -> None:
    if size_HW != label.size_HW:
        raise Refusal(
            Reason.SIZE_MISMATCH,
            f"{path}: {size_HW[1]} x {size_HW[0]} px, expected the label's "
            f"{label.size_HW[1]} x {label.size_HW[0]}",
        )


def _refuse_unlike(pre: _Date, post: _Date, post_path: str) -> None:
    _refuse_size(post_path, post.label.size_HW, pre.label)
    pre_uids = {building.uid for building in pre.label.buildings}
    post_uids = {building.uid for building in post.label.buildings}
    if pre_uids != post_uids:
        lone = min(pre_uids ^ post_uids)
        raise Refusal(
            Reason.MISSING_PAIR,
            f"{post_path}: building {lone} is listed at one date only; {len(pre_uids)} buildings "
            f"before and {len(post_uids)} after, expected the same uids",
        )


def _placed(folder: str, tile: str, names: set[str], seen: set[str]) -> SceneRef | Rejected:
    """Return the pair, or why it cannot be one."""
    due = [(_path(folder, "images", tile, role), Reason.MISSING_PAIR) for role in ROLES]
    due += [(_path(folder, "labels", tile, role), Reason.MISSING_FILE) for role in ROLES]
    if folder in FOLDERS_WITH_TARGETS:
        due += [(_path(folder, "targets", tile, role), Reason.MISSING_TARGET) for role in ROLES]
    if tile in seen:
        return _rejected(tile, Reason.DUPLICATE_ID, f"{folder}: {tile} is in another folder too")
    for path, reason in due:
        if path not in names:
            return _rejected(tile, reason, f"{path}: not there, expected beside the pair's others")
    event, number = tile.rsplit("_", 1)
    return SceneRef(
        source=NAME,
        scene_id=tile,
        split=SPLIT_OF_FOLDER[folder],
        place=tile,
        bucket=f"{event}-{int(number) // TILES_A_BUCKET:04d}",
        locality=f"xBD-{event}",
        files=tuple(path for path, _ in due),
        facts={"folder": folder},
    )


def _listed(root: Path, folder: str) -> set[str]:
    """Return the paths of all PNG and JSON files of a folder's parts."""
    return {
        f"{folder}/{part}/{file.name}"
        for part in PARTS
        if is_there(root / folder / part)
        for file in list_folder(root / folder / part, f"{folder}/{part}")
        if file.name.endswith((".png", ".json"))
    }


def _path(folder: str, part: str, tile: str, role: str) -> str:
    return f"{folder}/{part}/{tile}_{role}_disaster{PARTS[part]}"


def _rejected(sample_id: str, reason: Reason, detail: str) -> Rejected:
    return Rejected(sample_id=sample_id, source=NAME, stage="index", reason=reason, detail=detail)
