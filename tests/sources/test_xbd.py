import json
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pyproj import Geod
from scipy import ndimage
from shapely.affinity import scale
from shapely.geometry import Polygon, box

from schemas.mask import Invalid
from schemas.rejection import Reason, Refusal, Rejected
from schemas.scene import BACKGROUND_ID, INVALID_ID
from tasks.sources.affine_fit import fit_georeference
from tasks.sources.xbd import index, read
from tasks.sources.xbd_label import fit_labels, read_label

TILE = "palu-tsunami_00000300"
SIZE = 32  # pixels a side; the archive has 1024
DEGREES_A_PX = 5e-6


def building(uid, polygon, subtype=None):
    lonlat = scale(polygon, DEGREES_A_PX, -DEGREES_A_PX, origin=(0, 0))
    lonlat = Polygon([(x + 120.0, y - 1.0) for x, y in lonlat.exterior.coords])
    properties = {"feature_type": "building", "uid": uid}
    if subtype is not None:
        properties["subtype"] = subtype
    return tuple({"properties": dict(properties), "wkt": shape.wkt} for shape in (polygon, lonlat))


def label_of(buildings, date="2018-10-01T02:30:00.000Z", size=SIZE):
    return {
        "features": {"xy": [b[0] for b in buildings], "lng_lat": [b[1] for b in buildings]},
        "metadata": {"capture_date": date, "width": size, "height": size, "gsd": 2.5},
    }


PRE = (building("a", box(2, 2, 12, 12)), building("b", box(8, 8, 20, 20)))
POST = (
    building("a", box(2, 2, 12, 12), "destroyed"),
    building("b", box(8, 8, 20, 20), "no-damage"),
)


def write_pair(root: Path, folder="train", tile=TILE, pre=PRE, post=POST, seed=1):
    pixels = np.random.default_rng(seed).integers(0, 255, (SIZE, SIZE, 3), dtype=np.uint8)
    for role, buildings in (("pre", pre), ("post", post)):
        for part in ("images", "labels", "targets"):
            (root / folder / part).mkdir(parents=True, exist_ok=True)
        stem = f"{tile}_{role}_disaster"
        Image.fromarray(pixels).save(root / folder / "images" / f"{stem}.png")
        target = Image.fromarray(np.zeros((SIZE, SIZE), dtype=np.uint8))
        target.save(root / folder / "targets" / f"{stem}_target.png")
        text = json.dumps(label_of(buildings))
        (root / folder / "labels" / f"{stem}.json").write_text(text)


def only_scene(root):
    (ref,) = index(root)
    return read(root, ref)


def refusal_of(root):
    with pytest.raises(Refusal) as caught:
        only_scene(root)
    return caught.value


def change_label(root, role, change):
    path = root / "train" / "labels" / f"{TILE}_{role}_disaster.json"
    label = json.loads(path.read_text())
    change(label)
    path.write_text(json.dumps(label))


def test_a_pair_becomes_a_scene_of_two_dates(tmp_path):
    write_pair(tmp_path)
    scene = only_scene(tmp_path)
    assert [(i.role, i.date_index, i.date) for i in scene.images] == [
        ("pre", 0, "2018-10-01"),
        ("post", 1, "2018-10-01"),
    ]
    assert [(x.layer, x.date_index) for x in scene.layers] == [
        ("footprint", 0),
        ("footprint", 1),
        ("damage", 1),
    ]
    assert (scene.ref.split, scene.ref.place, scene.ref.bucket) == (
        "train",
        TILE,
        "palu-tsunami-0001",
    )
    assert [file.path for file in scene.files] == sorted(scene.ref.files)
    assert len(scene.ref.files) == 6


def test_images_pass_through_byte_for_byte(tmp_path):
    write_pair(tmp_path)
    scene = only_scene(tmp_path)
    assert scene.images[0].encoded == (tmp_path / scene.images[0].path).read_bytes()


def test_where_buildings_overlap_the_higher_damage_wins_and_both_count(tmp_path):
    write_pair(tmp_path)  # "no-damage" stands later in the file and overlaps 4 x 4 pixels
    scene = only_scene(tmp_path)
    damage = scene.layers[2]
    assert (damage.ids_HW == damage.classes.index("destroyed")).sum() == 100
    assert (damage.ids_HW == damage.classes.index("no-damage")).sum() == 144 - 16
    assert (scene.layers[1].ids_HW == 0).sum() == 100 + 144 - 16
    after = [i for i in scene.instances if i.date_index == 1]
    assert {(i.instance_id, i.attribute) for i in after} == {("a", "destroyed"), ("b", "no-damage")}
    assert {i.attribute for i in scene.instances if i.date_index == 0} == {""}
    assert damage.invalid is Invalid.OTHER


def test_an_unclassified_building_is_invalid_in_the_damage_layer_and_forbids_counts(tmp_path):
    post = (POST[0], building("b", box(8, 8, 20, 20), "un-classified"))
    write_pair(tmp_path, post=post)
    footprint, damage = only_scene(tmp_path).layers[1:]
    assert damage.invalid is Invalid.FORBIDS
    assert (damage.ids_HW == INVALID_ID).sum() == 144 - 16
    assert (damage.ids_HW == BACKGROUND_ID).sum() == SIZE * SIZE - 228
    assert (footprint.ids_HW == INVALID_ID).sum() == 0


def test_pixel_size_follows_the_polygons_and_never_gsd(tmp_path):
    write_pair(tmp_path)
    grid = only_scene(tmp_path).grid
    _, _, east_m = Geod(ellps="WGS84").inv(120.0, -1.00006, 120.0 + DEGREES_A_PX, -1.00006)
    assert grid.pixel_size_m == pytest.approx((east_m, 0.5529), rel=1e-3)
    assert grid.north_up
    assert grid.bounds_lonlat == pytest.approx((120.0, -1.00016, 120.00016, -1.0), abs=1e-9)


def test_a_pair_without_buildings_is_kept_without_a_pixel_size(tmp_path):
    write_pair(tmp_path, pre=(), post=())
    scene = only_scene(tmp_path)
    assert scene.grid.pixel_size_m is None
    assert not scene.grid.north_up
    assert scene.instances == ()
    assert (scene.layers[0].ids_HW == BACKGROUND_ID).all()


def test_pixels_and_degrees_that_disagree_give_no_pixel_size(tmp_path):
    write_pair(tmp_path)

    def shift(label):
        label["features"]["lng_lat"][1]["wkt"] = box(120, -1, 120.00002, -0.9999).wkt

    change_label(tmp_path, "pre", shift)
    assert only_scene(tmp_path).grid.pixel_size_m is None


def test_a_building_without_degrees_takes_no_part_in_the_fit(tmp_path):
    write_pair(tmp_path)
    for role in ("pre", "post"):
        change_label(tmp_path, role, lambda label: label["features"]["lng_lat"].pop())
    assert only_scene(tmp_path).grid.pixel_size_m is not None


@pytest.mark.parametrize(
    ("degrees", "north_up"), [(0, True), (4.9, True), (5.1, False), (-90, False)]
)
def test_north_up_follows_the_rotation(degrees, north_up):
    xy = np.array([[0, 0], [100, 0], [0, 100], [100, 100], [30, 60]], dtype=float)
    turn = np.radians(degrees)
    east = xy[:, 0] * np.cos(turn) - xy[:, 1] * np.sin(turn)
    south = xy[:, 0] * np.sin(turn) + xy[:, 1] * np.cos(turn)
    lonlat = np.column_stack([10 + east * 4e-6, -south * 4e-6])  # near the equator
    place = fit_georeference(xy, lonlat, (100, 100))
    assert place is not None
    assert place.north_up is north_up
    assert place.pixel_size_m == pytest.approx((0.4442, 0.4442), rel=0.01)


def test_a_mirrored_image_is_not_north_up():
    xy = np.array([[0, 0], [100, 0], [0, 100], [100, 100]], dtype=float)
    lonlat = np.column_stack([10 - xy[:, 0] * 4e-6, -xy[:, 1] * 4e-6])
    place = fit_georeference(xy, lonlat, (100, 100))
    assert place is not None
    assert not place.north_up


def test_points_in_a_line_place_nothing():
    xy = np.column_stack([np.arange(0.0, 90.0, 10.0)] * 2)
    assert fit_georeference(xy, xy * 1e-6, (100, 100)) is None


@pytest.mark.parametrize(
    ("folder", "split", "files"),
    [("train", "train", 6), ("tier3", "train", 4), ("hold", "validation", 6), ("test", "test", 6)],
)
def test_folders_are_splits_and_tier3_has_no_targets(tmp_path, folder, split, files):
    write_pair(tmp_path, folder=folder)
    scene = only_scene(tmp_path)
    assert (scene.ref.split, len(scene.ref.files)) == (split, files)


@pytest.mark.parametrize(
    ("missing", "reason"),
    [
        ("images/{}_post_disaster.png", Reason.MISSING_PAIR),
        ("images/{}_pre_disaster.png", Reason.MISSING_PAIR),
        ("labels/{}_pre_disaster.json", Reason.MISSING_FILE),
        ("targets/{}_post_disaster_target.png", Reason.MISSING_TARGET),
    ],
)
def test_a_pair_that_lacks_a_file_is_rejected_by_name(tmp_path, missing, reason):
    write_pair(tmp_path)
    path = missing.format(TILE)
    (tmp_path / "train" / path).unlink()
    (entry,) = index(tmp_path)
    assert isinstance(entry, Rejected)
    assert (entry.sample_id, entry.stage, entry.reason) == (TILE, "index", reason)
    assert f"train/{path}" in entry.detail


def test_a_tile_of_two_folders_counts_once(tmp_path):
    write_pair(tmp_path, folder="train")
    write_pair(tmp_path, folder="tier3")
    kept, twice = index(tmp_path)
    assert kept.split == "train"
    assert twice.reason is Reason.DUPLICATE_ID


def test_a_file_that_no_name_places_is_rejected(tmp_path):
    write_pair(tmp_path)
    (tmp_path / "train" / "images" / "holiday.png").write_bytes(b"")
    stray, _ = index(tmp_path)
    assert (stray.reason, stray.sample_id) == (Reason.MISSING_METADATA, "train.images.holiday.png")


def test_a_name_that_is_no_text_is_rejected_with_its_bytes(tmp_path):
    write_pair(tmp_path)
    (tmp_path / "train" / "images" / os.fsdecode(b"bad\xff.png")).write_bytes(b"")
    stray, kept = index(tmp_path)
    assert (stray.reason, stray.sample_id) == (
        Reason.MISSING_METADATA,
        "train.images.bad\\udcff.png",
    )
    assert kept.place == TILE


@pytest.mark.parametrize("part", ["tier3", "tier3/labels"])
def test_a_closed_folder_is_one_rejection_and_the_others_go_on(tmp_path, close, part):
    write_pair(tmp_path / "xbd")
    write_pair(tmp_path / "xbd", folder="tier3", tile="palu-tsunami_00000301")
    close(tmp_path / "xbd" / part)
    kept, closed = index(tmp_path / "xbd")
    assert kept.place == TILE
    assert (closed.sample_id, closed.reason) == ("tier3", Reason.UNREADABLE_FILE)
    assert "Permission denied" in closed.detail


def test_a_folder_that_is_no_xbd_stops_at_once(tmp_path):
    with pytest.raises(ValueError, match="is no xBD archive: looked for train/images"):
        next(index(tmp_path))


def test_listing_is_in_order_and_buckets_follow_the_tile_alone(tmp_path):
    for number in (511, 3, 256):
        write_pair(tmp_path, tile=f"palu-tsunami_{number:08d}")
    assert [(ref.place[-3:], ref.bucket) for ref in index(tmp_path)] == [
        ("003", "palu-tsunami-0000"),
        ("256", "palu-tsunami-0001"),
        ("511", "palu-tsunami-0001"),
    ]


def set_wkt(text):
    return lambda label: label["features"]["xy"][0].__setitem__("wkt", text)


def set_metadata(key, value):
    return lambda label: label["metadata"].__setitem__(key, value)


def set_property(key, value):
    return lambda label: label["features"]["xy"][0]["properties"].__setitem__(key, value)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (set_wkt("POLYGON ((0 0, 9 9, 9 0, 0 9, 0 0))"), Reason.POLYGON_CROSSING),
        (set_wkt("POLYGON EMPTY"), Reason.POLYGON_EMPTY),
        (set_wkt("MULTIPOLYGON (((0 0, 9 0, 9 9, 0 0)))"), Reason.POLYGON_KIND),
        (set_wkt("POLYGON ((0 0 1, 9 0 1, 9 9 1, 0 0 1))"), Reason.POLYGON_VERTEX),
        (set_wkt("POLYGON ((40 40, 50 40, 50 50, 40 40))"), Reason.POLYGON_OUTSIDE),
        (set_wkt(7), Reason.WRONG_TYPE),
        (set_property("uid", "b"), Reason.DUPLICATE_ID),
        (set_property("uid", 3), Reason.WRONG_TYPE),
        (set_property("uid", "a\ud800"), Reason.WRONG_TYPE),
        (set_property("uid", "c"), Reason.MISSING_PAIR),
        (set_property("feature_type", "road"), Reason.UNKNOWN_VALUE),
        (set_property("subtype", "ruined"), Reason.UNKNOWN_VALUE),
        (set_property("subtype", ["destroyed"]), Reason.UNKNOWN_VALUE),
        (lambda label: label["features"].__setitem__("xy", {}), Reason.WRONG_TYPE),
        (lambda label: label.pop("features"), Reason.MISSING_METADATA),
        (lambda label: label["features"]["xy"][0].pop("properties"), Reason.MISSING_METADATA),
        (set_metadata("capture_date", "2018-13-45T00:00:00Z"), Reason.BAD_DATE),
        (set_metadata("capture_date", 20180101), Reason.WRONG_TYPE),
        (set_metadata("width", "32"), Reason.WRONG_TYPE),
        (set_metadata("width", True), Reason.WRONG_TYPE),
        (set_metadata("width", 1024), Reason.SIZE_MISMATCH),
    ],
)
def test_every_defect_of_a_label_has_its_reason_and_names_the_file(tmp_path, change, reason):
    write_pair(tmp_path)
    change_label(tmp_path, "post", change)
    refusal = refusal_of(tmp_path)
    assert refusal.reason is reason
    assert f"{TILE}_post_disaster" in refusal.detail


def test_a_truncated_label_is_unreadable(tmp_path):
    write_pair(tmp_path)
    path = tmp_path / "train" / "labels" / f"{TILE}_pre_disaster.json"
    path.write_text(path.read_text()[:-20])
    assert refusal_of(tmp_path).reason is Reason.UNREADABLE_FILE


def test_a_target_of_another_size_is_refused(tmp_path):
    write_pair(tmp_path)
    path = tmp_path / "train" / "targets" / f"{TILE}_pre_disaster_target.png"
    Image.fromarray(np.zeros((SIZE, SIZE * 2), dtype=np.uint8)).save(path)
    refusal = refusal_of(tmp_path)
    assert refusal.reason is Reason.SIZE_MISMATCH
    assert "64 x 32 px, expected the label's 32 x 32" in refusal.detail


def test_a_target_code_outside_the_scale_is_refused(tmp_path):
    write_pair(tmp_path)
    path = tmp_path / "train" / "targets" / f"{TILE}_post_disaster_target.png"
    Image.fromarray(np.full((SIZE, SIZE), 9, dtype=np.uint8)).save(path)
    assert refusal_of(tmp_path).reason is Reason.UNKNOWN_LABEL_CODE


def test_a_link_out_of_the_archive_is_refused(tmp_path):
    root = tmp_path / "archive"
    write_pair(root)
    path = root / "train" / "images" / f"{TILE}_pre_disaster.png"
    path.rename(tmp_path / "elsewhere.png")
    path.symlink_to(tmp_path / "elsewhere.png")
    assert refusal_of(root).reason is Reason.UNSAFE_PATH


def test_a_file_that_vanishes_after_the_listing_is_missing(tmp_path):
    write_pair(tmp_path)
    (ref,) = index(tmp_path)
    (tmp_path / ref.files[1]).unlink()
    with pytest.raises(Refusal, match="missing_file"):
        read(tmp_path, ref)


@pytest.fixture
def real_xbd():
    root = os.environ.get("TERRASCOPE_REALDATA")
    if not root:
        pytest.skip("TERRASCOPE_REALDATA is not set: no real xBD files to read")
    return Path(root) / "xbd"


def real_label(root, role):
    name = f"joplin-tornado_00000050_{role}_disaster.json"
    value = json.loads((root / "labels" / name).read_text())
    return read_label(value, name, after_event=role == "post")


def test_real_joplin_tile_has_15_buildings_11_of_them_destroyed(real_xbd):
    pre, post = (real_label(real_xbd, role) for role in ("pre", "post"))
    assert Counter(b.subtype for b in post.buildings) == {
        "destroyed": 11,
        "major-damage": 3,
        "un-classified": 1,
    }
    assert Counter(b.subtype for b in pre.buildings) == {"": 15}
    assert (pre.date, post.date) == ("2009-08-08", "2011-05-29")
    assert [b.uid for b in pre.buildings] == [b.uid for b in post.buildings]


def test_real_joplin_pixel_is_0_451_m_where_gsd_says_2_36(real_xbd):
    pre, post = (real_label(real_xbd, role) for role in ("pre", "post"))
    for labels in ((pre,), (post,), (pre, post)):
        place = fit_labels(*labels)
        assert place is not None
        assert place.pixel_size_m == pytest.approx((0.451, 0.451), abs=0.001)
        assert place.north_up
        assert place.max_residual_px < 0.01


def test_real_joplin_polygons_cover_the_public_mask(real_xbd):
    post = real_label(real_xbd, "post")
    name = "joplin-tornado_00000050_post_disaster_b1.png"
    public_HW = np.array(Image.open(real_xbd / "masks_b1" / name))
    from_json = Counter(b.subtype for b in post.buildings)
    codes = {"major-damage": 3, "destroyed": 4, "un-classified": 5}  # as Microsoft's tools write
    for subtype, code in codes.items():
        _, num_components = ndimage.label(public_HW == code, np.ones((3, 3)))
        assert num_components == from_json[subtype]


def test_real_guatemala_mask_has_9_components_where_the_label_has_10_polygons(real_xbd):
    folder = real_xbd / "guatemala-volcano_00000000"
    mask_HW = np.array(Image.open(folder / "guatemala-volcano_00000000_mask.png"))
    rows = (folder / "guatemala-volcano_00000000_bounding_boxes.csv").read_text().split()[1:]
    assert ndimage.label(mask_HW > 0)[1] == 9
    assert ndimage.label(mask_HW > 0, np.ones((3, 3)))[1] == 9
    assert len(rows) == 10
