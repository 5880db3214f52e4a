"""BigEarthNet v2 (reBEN), and v1 images where v2's labels are there.

| what | value |
| --- | --- |
| sensor | Sentinel-2 L2A, 12 bands (no B10), reflectance x 10000; Sentinel-1 IW GRD, VV and VH |
| pixel size | 10 m (B02 B03 B04 B08, S1, map), 20 m, 60 m (B01 B09); patches of 1200 m, UTM |
| labels | CLC2018 level-3 codes a pixel, to 19 classes; only v2 has them |
| size | 480,038 pairs and 69,450 with snow, cloud or shadow; train, validation, test in the table |
| licence | CDLA-Permissive-1.0 |

Layout, v2::

    BigEarthNet-S2/<tile product>/<patch_id>/<patch_id>_B01.tif ...       uint16, nodata 0
    BigEarthNet-S1/<scene>/<s1_name>/<s1_name>_{VV,VH}.tif                float32, dB
    Reference_Maps/<tile product>/<patch_id>/<patch_id>_reference_map.tif uint16, nodata 0
    metadata.parquet, metadata_for_patches_with_snow_cloud_or_shadow.parquet

v1 (BigEarthNet-v1.0, BigEarthNet-S1-v1.0) is flat: `<patch>/<patch>_B01.tif`.

Traps, and what is done:

* The two sensors of a pair carry different names and dates: paired by the row alone.
* v1 has no pixel labels: a v1 patch is read with the v2 map of its row, or is unlabelled.
* v1 names cannot be rewritten to v2 names (padding, times off by seconds): joined by `s2v1_name`.
* S1 values are dB and stay floating point; read as integers they lose what tells classes apart.
* 12 CLC codes have no class among the 19, and 999 is outside CLC: invalid pixels, not class 19.
* An archive may be held in part: a row without a folder is no fault, a folder without a row is.
* Nine of the twelve bands are shown by no picture: they are judged by their headers.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from schemas.rejection import Reason, Refusal, Rejected
from schemas.scene import (
    INVALID_ID,
    Grid,
    LabelLayer,
    Modality,
    Scene,
    SceneImage,
    SceneRef,
    Unlabelled,
    unknown_layer,
)
from schemas.taxonomy import BIGEARTHNET_19
from tasks.render import (
    Picture,
    encode_png,
    reflectance_rgb,
    sar_mean_db,
    sar_ratio_db,
)
from tasks.sources.bigearthnet_bands import (
    BANDS,
    RGB_BANDS,
    refuse_hidden_bands,
    refuse_side,
)
from tasks.sources.bigearthnet_metadata import (
    MetadataRow,
    join_v1,
    join_v2,
    read_metadata,
)
from tasks.sources.bigearthnet_names import parse_patch_id, parse_s1_name, parse_v1_time
from tasks.sources.clc import PRODUCT, clc_invalid, clc_to_19
from tasks.sources.faults import refusing_faults
from tasks.sources.grids import grid_of, refuse_other_grid
from tasks.sources.image_files import refuse_blank, refuse_size
from tasks.sources.json_fields import has_half_letters
from tasks.sources.rasters import Raster
from tasks.sources.safe_files import Archive, list_folder, refuse_unsafe_name

NAME = "bigearthnet"
LICENCE = "CDLA-Permissive-1.0"
VERSION = 2

POLARISATIONS = ("VV", "VH")
SPLITS = ("train", "validation", "test")
V2_FOLDER = "BigEarthNet-S2"
# (optical, SAR) folders of v1: as released, and as bigearthnet_common's examples name them
V1_FOLDERS = (
    ("BigEarthNet-v1.0", "BigEarthNet-S1-v1.0"),
    ("BigEarthNet-S2-Example", "BigEarthNet-S1-Example"),
)


def index(root: Path) -> Iterator[SceneRef | Rejected]:
    """List the patches whose folder is there, v2 before v1, each in the order of names.

    Rejections: a folder that cannot be listed (UNREADABLE_FILE), a name that is no text
    (UNSAFE_PATH), a patch in the folder of another product (DUPLICATE_ID where it is in its own
    too, else UNKNOWN_VALUE), one without a row (MISSING_METADATA), with two (DUPLICATE_ID), or with
    a row that cannot be used.

    Raises:
        ValueError: if there is no metadata.parquet, or no folder of optical patches.
    """
    metadata = read_metadata(root)
    v1_folders = [pair for pair in V1_FOLDERS if (root / pair[0]).is_dir()]
    if not (root / V2_FOLDER).is_dir() and not v1_folders:
        looked_for = ", ".join([V2_FOLDER, *(pair[0] for pair in V1_FOLDERS)])
        raise ValueError(f"{root} is no BigEarthNet archive: looked for the folders {looked_for}")
    rejected: list[Rejected] = []
    folders = list(_v2_folders(root, rejected))
    v1_names = {pair: _folders(root, pair[0], rejected) for pair in v1_folders}
    yield from rejected
    yield from _index_v2(metadata, folders)
    v2_patches = {patch for patch, _ in folders}
    for (optical, sar), names in v1_names.items():
        v1_rows = join_v1(metadata, names)
        for name in names:
            rows = v1_rows.get(name, ())
            if any(row.patch_id in v2_patches for row in rows):
                yield _rejected(name, Reason.DUPLICATE_ID, "its v2 patch is in the archive too")
            else:
                yield _listed(name, rows, f"{optical}/{name}", v1_sar_folder=sar)


def read(root: Path, ref: SceneRef) -> Scene:
    """Read one pair: true colour, both SAR renderings, and the land-cover map of 19 classes.

    Raises:
        Unlabelled: v1 without its map, or a map that holds none of the 19 classes.
        Refusal: MISSING_FILE (a band, the map), MISSING_PAIR (the SAR folder), SIZE_MISMATCH,
            CRS_MISMATCH, NODATA_IMAGE, BLANK_IMAGE, WRONG_PIXEL_FORMAT, UNKNOWN_LABEL_CODE, and
            the reasons of `Archive`.
    """
    archive = Archive(root)
    facts = ref.facts
    red, green, blue = (_optical(archive, facts["s2"], band) for band in RGB_BANDS)
    refuse_hidden_bands(archive, facts["s2"], red)
    codes = _codes(archive, facts)
    vv, vh = _sar(archive, facts["s1"])
    named = {"B04": red, "B03": green, "B02": blue, "VV": vv, "VH": vh}
    grid = grid_of(red.height, red.width, red.crs, red.transform)
    if codes is not None:
        named["reference map"] = codes
    for name, raster in named.items():
        refuse_other_grid(raster, f"{ref.scene_id} {name}", red, "B04")
    optical_path = f"{facts['s2']}_B04.tif"
    optical = reflectance_rgb(red.values_HW, green.values_HW, blue.values_HW)
    refuse_blank(optical[0], optical_path)
    land_cover, missing = _land_cover(codes, facts["map"], grid)
    scene = Scene(
        ref=ref,
        licence=LICENCE,
        grid=grid,
        images=(
            _image(optical, Modality.OPTICAL, facts["s2_date"], optical_path, facts["cloudy"]),
            *(
                # radar sees through cloud: the flag is the optical image's alone
                _image(picture, Modality.SAR, facts["s1_date"], f"{facts['s1']}_VV.tif", "")
                for picture in (
                    sar_mean_db(vv.values_HW, vh.values_HW),
                    sar_ratio_db(vv.values_HW, vh.values_HW),
                )
            ),
        ),
        layers=(land_cover,),
        files=archive.files,
    )
    if missing:
        raise Unlabelled(missing, scene)
    return scene


def _folders(root: Path, name: str, rejected: list[Rejected]) -> list[str]:
    """Return the names of the folders in a folder; what is no name, or closed, is rejected."""
    try:
        # entries tell folders without a stat each: 549,488 patches
        found = [entry.name for entry in list_folder(root / name, name) if entry.is_dir()]
    except Refusal as refusal:
        rejected.append(_rejected(name.replace("/", "."), refusal.reason, refusal.detail))
        return []
    for bad in filter(has_half_letters, found):
        detail = f"in {name}: expected a name in UTF-8"
        rejected.append(_rejected(bad, Reason.UNSAFE_PATH, detail))
    return [name for name in found if not has_half_letters(name)]


def _v2_folders(root: Path, rejected: list[Rejected]) -> Iterator[tuple[str, str]]:
    """Yield (patch, product) of each patch folder."""
    if (root / V2_FOLDER).is_dir():
        for product in _folders(root, V2_FOLDER, rejected):
            for patch in _folders(root, f"{V2_FOLDER}/{product}", rejected):
                yield patch, product


def _index_v2(metadata: pa.Table, folders: list[tuple[str, str]]) -> Iterator[SceneRef | Rejected]:
    rows = join_v2(metadata, {patch for patch, _ in folders})
    in_their_own = {patch for patch, product in folders if product == _product_of(patch)}
    for patch, product in sorted(folders):
        if patch not in rows or product == _product_of(patch):
            yield _listed(patch, rows.get(patch, ()), f"{V2_FOLDER}/{product}/{patch}")
        elif patch in in_their_own:
            detail = f"in {product} too; the one in {_product_of(patch)} is kept"
            yield _rejected(patch, Reason.DUPLICATE_ID, detail)
        else:
            detail = f"in {product}; expected in {_product_of(patch)}"
            yield _rejected(patch, Reason.UNKNOWN_VALUE, detail)


def _product_of(patch: str) -> str:
    return patch.rsplit("_", 2)[0]  # without column and row


def _rejected(name: str, reason: Reason, detail: str) -> Rejected:
    return Rejected(
        sample_id=name, source=NAME, stage="index", reason=reason, detail=f"{name}: {detail}"
    )


def _listed(
    name: str, rows: tuple[MetadataRow, ...], s2_folder: str, v1_sar_folder: str = ""
) -> SceneRef | Rejected:
    """Return the patch of a folder with its row, or why it cannot be placed."""
    if not rows:
        return _rejected(name, Reason.MISSING_METADATA, "no row in the metadata tables")
    if len(rows) > 1:
        return _rejected(name, Reason.DUPLICATE_ID, f"{len(rows)} rows in the metadata tables")
    if rows[0].split not in SPLITS:
        detail = f"split {rows[0].split!r}; expected one of {', '.join(SPLITS)}"
        return _rejected(name, Reason.UNKNOWN_VALUE, detail)
    try:
        with refusing_faults(name):
            return _scene_ref(name, rows[0], s2_folder, v1_sar_folder)
    except Refusal as refusal:
        return _rejected(name, refusal.reason, refusal.detail)


def _scene_ref(name: str, row: MetadataRow, s2_folder: str, v1_sar_folder: str) -> SceneRef:
    refuse_unsafe_name(row.s1_name or name)  # an empty one has its own reason
    patch = parse_patch_id(row.patch_id)
    sar = parse_s1_name(row.s1_name)
    s1_folder = v1_sar_folder or f"BigEarthNet-S1/{sar.scene}"
    s2, s1 = f"{s2_folder}/{name}", f"{s1_folder}/{sar.name}/{sar.name}"
    label = f"Reference_Maps/{patch.product}/{patch.patch_id}/{patch.patch_id}_reference_map.tif"
    s2_date = parse_v1_time(name).date().isoformat() if v1_sar_folder else patch.date
    return SceneRef(
        source=NAME,
        scene_id=name,
        split=row.split,
        place=patch.place,
        bucket=patch.bucket,
        locality=patch.square,
        files=(
            *(f"{s2}_{band}.tif" for band in BANDS),
            *(f"{s1}_{polarisation}.tif" for polarisation in POLARISATIONS),
            label,
        ),
        facts={
            "layout": "v1" if v1_sar_folder else "v2",
            "s2": s2,
            "s1": s1,
            "map": label,
            "s2_date": s2_date,
            "s1_date": sar.date,
            "cloudy": "yes" if row.cloudy else "",
        },
    )


def _optical(archive: Archive, stem: str, band: str) -> Raster:
    name = f"{stem}_{band}.tif"
    raster = archive.read_band(name)
    _refuse_kind(raster, name, "u")
    refuse_size(raster.width, raster.height, name)
    refuse_side(raster.width, raster.height, band, name)
    if not raster.values_HW.any():  # 0 is nodata in v2, and no surface's reflectance in v1
        raise Refusal(Reason.NODATA_IMAGE, f"{name}: every pixel is 0, the nodata value")
    return raster


def _sar(archive: Archive, stem: str) -> tuple[Raster, Raster]:
    names = [f"{stem}_{polarisation}.tif" for polarisation in POLARISATIONS]
    if not any(archive.has(name) for name in names):
        raise Refusal(Reason.MISSING_PAIR, f"{stem}: the Sentinel-1 patch of the row is not there")
    vv, vh = (archive.read_band(name) for name in names)
    for raster, name in ((vv, names[0]), (vh, names[1])):
        _refuse_kind(raster, name, "f")
        values_HW = raster.values_HW
        if not np.isfinite(values_HW).all() or (values_HW == values_HW.flat[0]).all():
            raise Refusal(
                Reason.NODATA_IMAGE, f"{name}: holds NaN or infinity, or one value everywhere"
            )
    return vv, vh


def _codes(archive: Archive, facts: Mapping[str, str]) -> Raster | None:
    """Return the reference map, None of a v1 patch without one."""
    name = facts["map"]
    if facts["layout"] == "v1" and not archive.has(name):
        return None
    codes = archive.read_band(name)
    _refuse_kind(codes, name, "ui")
    return codes


def _refuse_kind(raster: Raster, name: str, kinds: str) -> None:
    if raster.values_HW.dtype.kind not in kinds:
        due = " or ".join({"u": "unsigned", "i": "integer", "f": "floating"}[k] for k in kinds)
        raise Refusal(
            Reason.WRONG_PIXEL_FORMAT, f"{name}: {raster.values_HW.dtype} pixels; expected {due}"
        )


def _image(picture: Picture, modality: Modality, date: str, path: str, cloudy: str) -> SceneImage:
    rgb_HW3, rendering = picture
    return SceneImage(
        role="single",
        modality=modality,
        rendering=rendering,
        date=date,
        date_index=0,
        encoded=encode_png(rgb_HW3),
        path=path,
        cloudy=bool(cloudy),
    )


def _land_cover(codes: Raster | None, name: str, grid: Grid) -> tuple[LabelLayer, str]:
    """Return the land cover, and what is missing where no pixel of it is known."""
    unknown = unknown_layer("land_cover", 0, BIGEARTHNET_19, grid)
    if codes is None:
        return unknown, f"{name}: v1 has no pixel labels; expected the v2 reference map"
    ids_HW = clc_to_19(codes.values_HW, name)
    if (ids_HW == INVALID_ID).all():
        return unknown, f"{name}: no pixel has one of the 19 classes"
    land_cover = LabelLayer(
        layer="land_cover",
        date_index=0,
        product=PRODUCT,
        taxonomy=BIGEARTHNET_19,
        ids_HW=ids_HW,
        invalid=clc_invalid(codes.values_HW),
    )
    return land_cover, ""
