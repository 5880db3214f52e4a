"""ChatEarthNet: Sentinel-2 patches with GPT captions; land cover from SatlasPretrain or WorldCover.

| what | value |
| --- | --- |
| sensor | Sentinel-2 L1C as 8-bit PNG triples: TCI; B05 B06 B07; B08 B11 B12. Optional S1 VV, VH |
| pixel size | 256 x 256 px of a Web-Mercator grid: 9.5546 cos(latitude) m, never 10 m |
| classes | 11 of WorldCover, by the names of the archive's prompts |
| size | 163,488 captions by GPT-3.5 and 10,000 by GPT-4V; train, val -> validation, test |
| licence | CC BY 4.0 |

Layout::

    json_files/ChatEarthNet_caps_{35,4v}_{train,val,test}.json   records with image and caption
    s2_rgb_images/s2_images/<column>_<row>_patch<ij>.png          RGB, uint8, no CRS
    s2_band_5_6_7_images/, s2_band_8_11_12_images/                the same names; may be left out
    s1_images/{vv,vh}/                                            8-bit grey, same names; optional
    satlas/static/<column>_<row>/land_cover.png                   512 x 512 grey, ids 0 to 11, or
    **/ESA_WorldCover_10m_<year>_v<n>_<corner>_Map.tif            tiles of 3 x 3 degrees

Traps, and what is done:

* The archive has neither CRS nor masks: the place is the file name, the labels are cut from one of
  the two sources, SatlasPretrain's before WorldCover's, since the captions were written from it.
* The zip's inner folder varies: folders are found by what lies in them.
* All-black and all-white placeholders stand under valid names in every split: BLANK_IMAGE.
* The other bands are shown by no picture: they are judged by their headers.
* Id 0 is "no data" and holds the open ocean: invalid, and unknown what lies there.
* One patch may stand in two lists: in two splits, the one held out further counts.
"""

import json
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from schemas.mask import Invalid
from schemas.rejection import Reason, Refusal, Rejected
from schemas.scene import (
    INVALID_ID,
    ArchiveCaption,
    LabelLayer,
    Modality,
    Scene,
    SceneImage,
    SceneRef,
    Unlabelled,
    unknown_layer,
)
from schemas.taxonomy import CHATEARTHNET_11
from tasks.render import encode_png, sar_mean_8bit, sar_ratio_8bit
from tasks.sources.chatearthnet_captions import (
    SPLITS,
    BadRecord,
    CaptionRecord,
    caption_lists,
    read_records,
)
from tasks.sources.chatearthnet_folders import Folders, find_folders
from tasks.sources.chatearthnet_grid import (
    PATCH_PX,
    TILE_PX,
    Patch,
    parse_patch_name,
    pixel_centres_lonlat,
)
from tasks.sources.faults import refusing_faults
from tasks.sources.image_files import refuse_blank, refuse_png
from tasks.sources.safe_files import Archive
from tasks.sources.worldcover import codes_at, corners_of, worldcover_to_11

NAME = "chatearthnet"
LICENCE = "CC-BY-4.0"
VERSION = 2

SATLAS_PRODUCT = "satlas_worldcover"
_SPLIT_RANK = {split: rank for rank, split in enumerate(SPLITS.values())}


def index(root: Path) -> Iterator[SceneRef | Rejected]:
    """List the patches that captions or images name, in the order of names.

    Rejections: a caption record that cannot be used, a caption without its image (MISSING_FILE),
    an image without a caption and so without a split (MISSING_METADATA), a folder that cannot be
    listed (UNREADABLE_FILE).

    Raises:
        ValueError: if there is no caption list, or as `find_folders`.
    """
    lists = caption_lists(root)
    folders = find_folders(root)
    for folder, cause in folders.closed:
        refusal = Refusal(Reason.UNREADABLE_FILE, f"{folder}: {cause}")
        yield _rejected(folder.replace("/", "."), refusal)
    records: dict[str, list[CaptionRecord]] = {}
    for path, writer, split in lists:
        for record in read_records(root, path, writer, split):
            if isinstance(record, BadRecord):
                yield _rejected(record.name, record.refusal)
            else:
                records.setdefault(record.image.removesuffix(".png"), []).append(record)
    in_folder = {name.removesuffix(".png") for name in folders.rgb.folder_of}
    for name in sorted(records.keys() | in_folder):
        try:
            with refusing_faults(name):
                ref = _scene_ref(root, name, records.get(name, []), folders)
            yield ref
        except Refusal as refusal:
            yield _rejected(name, refusal)


def read(root: Path, ref: SceneRef) -> Scene:
    """Read one patch: the archive's own RGB bytes, SAR renderings where it has them, land cover.

    Raises:
        Unlabelled: there is no land cover of its place.
        Refusal: SIZE_MISMATCH, UNKNOWN_LABEL_CODE, BLANK_IMAGE, MISSING_FILE (a band's or a
            polarisation's file), and the reasons of `Archive`.
    """
    archive = Archive(root)
    patch = parse_patch_name(ref.scene_id)
    for name in json.loads(ref.facts["bands"]):
        refuse_png(archive.read_bytes(name), name, "RGB", PATCH_PX)
    rgb_HW3, encoded = archive.read_png_rgb(ref.facts["rgb"])
    _refuse_size(rgb_HW3, ref.facts["rgb"], PATCH_PX)
    optical = SceneImage(
        role="single",
        modality=Modality.OPTICAL,
        rendering="b04_b03_b02_tci_uint8_as_is",
        date="",  # mosaics of SatlasPretrain: the archive gives no date
        date_index=0,
        encoded=encoded,
        path=ref.facts["rgb"],
    )
    land_cover, missing = _land_cover(archive, patch, ref)
    scene = Scene(
        ref=ref,
        licence=LICENCE,
        grid=patch.grid,
        images=(optical, *_sar_images(archive, ref.facts)),
        layers=(land_cover,),
        captions=tuple(
            ArchiveCaption(writer=writer, text=text)
            for writer, text in json.loads(ref.facts["captions"])
        ),
        files=archive.files,
    )
    if missing:
        raise Unlabelled(missing, scene)
    return scene


def _rejected(name: str, refusal: Refusal) -> Rejected:
    return Rejected(
        sample_id=name, source=NAME, stage="index", reason=refusal.reason, detail=refusal.detail
    )


def _scene_ref(root: Path, name: str, records: list[CaptionRecord], folders: Folders) -> SceneRef:
    patch = parse_patch_name(name)
    file = f"{name}.png"
    rgb = folders.rgb.path(file)
    if not records:
        raise Refusal(Reason.MISSING_METADATA, f"{rgb}: no caption list names it, so no split")
    if file not in folders.rgb.folder_of:
        raise Refusal(Reason.MISSING_FILE, f"{rgb}: no such image, and a caption list names it")
    kinds = {"vv": folders.vv, "vh": folders.vh}
    has_sar = any(file in kind.folder_of for kind in kinds.values())
    sar = {key: kind.path(file) if kind.first and has_sar else "" for key, kind in kinds.items()}
    product, labels = _label_source(root, patch, folders)
    bands = tuple(kind.path(file) for kind in folders.bands)
    captions = [(c.writer, c.text) for record in records for c in record.captions]
    return SceneRef(
        source=NAME,
        scene_id=name,
        split=max((record.split for record in records), key=_SPLIT_RANK.__getitem__),
        place=f"z13-{patch.column}-{patch.row}",
        bucket=patch.bucket,
        locality=patch.bucket,
        files=(rgb, *bands, *filter(None, sar.values()), *labels),
        facts={
            "rgb": rgb,
            **sar,
            "bands": json.dumps(bands),
            "product": product,
            "labels": json.dumps(labels),
            "captions": json.dumps(captions, ensure_ascii=False),
        },
    )


def _label_source(root: Path, patch: Patch, folders: Folders) -> tuple[str, tuple[str, ...]]:
    """Return the label product and its files for a patch; ("", ()) where there is none."""
    satlas = f"{folders.satlas}/{patch.tile}/land_cover.png"
    if folders.satlas and _is_file(root, satlas):
        return SATLAS_PRODUCT, (satlas,)
    lons_W, lats_H = pixel_centres_lonlat(patch)
    corners = corners_of(lons_W[0], lats_H[-1], lons_W[-1], lats_H[0])
    tiles = [folders.worldcover[corner] for corner in corners if corner in folders.worldcover]
    if not tiles:
        return "", ()
    return f"worldcover_v{tiles[0].version}", tuple(tile.name for tile in tiles)


def _is_file(root: Path, name: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(root / name).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise Refusal(Reason.UNREADABLE_FILE, f"{name}: {error.strerror}") from error


def _land_cover(archive: Archive, patch: Patch, ref: SceneRef) -> tuple[LabelLayer, str]:
    """Return the land cover, and what is missing where no pixel of it is known."""
    product, labels = ref.facts["product"], tuple(json.loads(ref.facts["labels"]))
    unknown = unknown_layer("land_cover", 0, CHATEARTHNET_11, patch.grid)
    if not product:
        return unknown, (
            f"{ref.scene_id}: expected satlas/static/{patch.tile}/land_cover.png or the "
            "ESA_WorldCover_10m_*_Map.tif of its place"
        )
    if product == SATLAS_PRODUCT:
        ids_HW = _satlas_ids(archive, labels[0], patch)
    else:
        lons_W, lats_H = pixel_centres_lonlat(patch)
        ids_HW = worldcover_to_11(codes_at(archive, labels, lons_W, lats_H), ", ".join(labels))
    invalid_HW = ids_HW == INVALID_ID
    if invalid_HW.all():
        return unknown, f"{', '.join(labels)}: no data under {ref.scene_id}"
    land_cover = LabelLayer(
        layer="land_cover",
        date_index=0,
        product=product,
        taxonomy=CHATEARTHNET_11,
        ids_HW=ids_HW,
        invalid=Invalid.UNKNOWN if invalid_HW.any() else Invalid.OTHER,
    )
    return land_cover, ""


def _satlas_ids(archive: Archive, name: str, patch: Patch) -> NDArray[np.uint8]:
    tile_HW = archive.read_png_grey(name)
    _refuse_size(tile_HW, name, TILE_PX)
    top, left = patch.down * PATCH_PX, patch.right * PATCH_PX
    satlas_HW = tile_HW[top : top + PATCH_PX, left : left + PATCH_PX]
    if satlas_HW.max() > len(CHATEARTHNET_11.names):
        raise Refusal(
            Reason.UNKNOWN_LABEL_CODE,
            f"{name}: id {satlas_HW.max()}; expected 0 to {len(CHATEARTHNET_11.names)}",
        )
    # their 0 is background, their 1 our 0
    return np.where(satlas_HW == 0, np.uint8(INVALID_ID), satlas_HW - np.uint8(1))


def _sar_images(archive: Archive, facts: Mapping[str, str]) -> tuple[SceneImage, ...]:
    if not facts["vv"] and not facts["vh"]:
        return ()  # 4,140 patches have no Sentinel-1 partner
    for polarisation in ("vv", "vh"):
        if not facts[polarisation]:
            raise Refusal(
                Reason.MISSING_FILE, f"{facts['rgb']}: expected {polarisation} beside the other"
            )
    vv_HW, vh_HW = (archive.read_png_grey(facts[name]) for name in ("vv", "vh"))
    for name, values_HW in (("vv", vv_HW), ("vh", vh_HW)):
        _refuse_size(values_HW, facts[name], PATCH_PX)
        refuse_blank(values_HW, facts[name])
    return tuple(
        SceneImage(
            role="single",
            modality=Modality.SAR,
            rendering=rendering,
            date="",
            date_index=0,
            encoded=encode_png(rgb_HW3),
            path=facts["vv"],
        )
        for rgb_HW3, rendering in (sar_mean_8bit(vv_HW, vh_HW), sar_ratio_8bit(vv_HW, vh_HW))
    )


def _refuse_size(image: NDArray[np.uint8], name: str, side_px: int) -> None:
    if image.shape[:2] != (side_px, side_px):
        raise Refusal(
            Reason.SIZE_MISMATCH,
            f"{name}: {image.shape[1]} x {image.shape[0]} px; expected {side_px} x {side_px}",
        )
