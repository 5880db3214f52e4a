import hashlib
import io
import json
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from shapely.geometry import MultiPolygon, box

from masks.rle import decode
from schemas.mask import Invalid, Origin
from schemas.rejection import Reason, Refusal, Rejected
from schemas.scene import BACKGROUND_ID, INVALID_ID
from tasks.sources.json_array import CHUNK_CHARS, iterate_array
from tasks.sources.teochatlas import index, read

SIZE = 64  # pixels a side
PAIR = "These are two satellite images capturing the same location at different times: <video> \n"
FORM = "Include a bounding box of the form [x_min, y_min, x_max, y_max] for each building."


def record(question, answer, images=("a_pre_disaster.png", "a_post_disaster.png"), **fields):
    return {
        "video": [f"TEOChatlas_images/{name}" for name in images],
        "conversations": [
            {"from": "human", "value": PAIR + question},
            {"from": "gpt", "value": answer},
        ],
        "timestamp": [f"2018-0{i + 1}-15" for i in range(len(images))],
        "task": "",
        "dataset": "xBD",
        "polygon": "",
    } | fields


def write(root, records, name="eval/xBD_SRE_QA_RQA.json", size=SIZE):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(records))
    for value in records:
        listed = value.get("video", [])
        for image in listed if isinstance(listed, list) else []:
            file = path.parent / image.removeprefix("TEOChatlas/eval/")
            if ".." not in image and not image.startswith("/") and not file.exists():
                file.parent.mkdir(parents=True, exist_ok=True)
                seed = int(hashlib.sha256(image.encode()).hexdigest()[:8], 16)
                noise = np.random.default_rng(seed).integers(0, 255, (size, size, 3), np.uint8)
                Image.fromarray(noise).save(file)


def only_scene(root):
    (ref,) = index(root)
    assert not isinstance(ref, Rejected), ref
    return read(root, ref)


def only_rejected(root):
    (entry,) = index(root)
    assert isinstance(entry, Rejected)
    return entry


def classes_at(scene, layer, date_index):
    """Return {class or "" for invalid: pixels} of a layer, background left out."""
    (found,) = [x for x in scene.layers if (x.layer, x.date_index) == (layer, date_index)]
    ids, counts = np.unique(found.ids_HW, return_counts=True)
    names = dict(enumerate(found.classes)) | {INVALID_ID: ""}
    pixels = {int(i): int(n) for i, n in zip(ids, counts, strict=True)}
    return {names[i]: n for i, n in pixels.items() if i != BACKGROUND_ID}, found


def test_boxes_of_an_answer_are_marked_as_boxes_and_list_all_there_is(tmp_path):
    question = f"Identify all buildings in Image 1. {FORM}"
    write(tmp_path, [record(question, "[0, 0, 25, 50], [75, 75, 100, 100].")])
    scene = only_scene(tmp_path)
    pixels, layer = classes_at(scene, "footprint", 0)
    assert pixels == {"building": 16 * 32 + 16 * 16}
    assert (layer.origin, layer.invalid) == (Origin.BOX, Invalid.OTHER)
    assert [(i.label, i.date_index, i.origin) for i in scene.instances] == [
        ("building", 0, Origin.BOX)
    ] * 2
    assert scene.grid.pixel_size_m is None
    assert [(i.role, i.date, i.path) for i in scene.images] == [
        ("pre", "2018-01-15", "eval/TEOChatlas_images/a_pre_disaster.png"),
        ("post", "2018-02-15", "eval/TEOChatlas_images/a_post_disaster.png"),
    ]


def test_polygons_replace_the_boxes_that_they_stand_for(tmp_path):
    outlines = MultiPolygon([box(0, 0, 64, 64), box(128, 128, 192, 256)])  # of 256 px
    answer = "[0, 0, 25, 25], [50, 50, 75, 100]."
    write(
        tmp_path, [record(f"Identify all changed buildings. {FORM}", answer, polygon=outlines.wkt)]
    )
    scene = only_scene(tmp_path)
    pixels, layer = classes_at(scene, "changed_building", 1)
    assert pixels == {"changed building": 16 * 16 + 16 * 32}
    assert layer.origin is Origin.ANNOTATED
    first = decode(scene.instances[0].counts, (SIZE, SIZE))
    assert first.sum() == 256
    assert first[:16, :16].all()


@pytest.mark.parametrize("listed", [[box(0, 0, 64, 64).wkt], box(0, 0, 64, 64).wkt])
def test_polygons_come_as_one_text_or_as_a_list(tmp_path, listed):
    write(tmp_path, [record(f"Identify all buildings. {FORM}", "[0, 0, 25, 25].", polygon=listed)])
    assert classes_at(only_scene(tmp_path), "footprint", 0)[0] == {"building": 256}


@pytest.mark.parametrize("empty", ["", [""], [], None])
def test_an_answer_without_boxes_is_an_empty_layer(tmp_path, empty):
    question = f"Identify all changed buildings. {FORM}"
    write(tmp_path, [record(question, "There are no changed buildings.", polygon=empty)])
    scene = only_scene(tmp_path)
    pixels, layer = classes_at(scene, "changed_building", 1)
    assert pixels == {}
    assert (layer.invalid, layer.origin) == (Invalid.OTHER, Origin.ANNOTATED)
    assert scene.instances == ()


def test_reversed_corners_are_put_in_order(tmp_path):
    write(tmp_path, [record(f"Identify all buildings. {FORM}", "[25, 50, 0, 0].")])
    assert classes_at(only_scene(tmp_path), "footprint", 0)[0] == {"building": 16 * 32}


def test_a_box_of_no_width_stands_for_a_building_under_one_percent(tmp_path):
    write(tmp_path, [record(f"Identify all buildings. {FORM}", "[50, 10, 50, 10].")])
    assert classes_at(only_scene(tmp_path), "footprint", 0)[0] == {"building": 1}


@pytest.mark.parametrize(
    ("question", "layer", "date_index"),
    [
        ("Identify the location of all the buildings in the second image.", "footprint", 1),
        (
            "Identify the buildings in the first image which were severely damaged or destroyed "
            "in the second image.",
            "severely_damaged_building",
            1,
        ),
        (
            "Identify the buildings which were torn down in the second image.",
            "demolished_building",
            1,
        ),
        ("Identify the buildings constructed in the second image.", "constructed_building", 1),
        ("Identify all constructed or demolished buildings.", "changed_building", 1),
        ("Find all areas of change.", "changed_area", 1),
    ],
)
def test_the_question_says_what_its_boxes_show(tmp_path, question, layer, date_index):
    write(tmp_path, [record(f"{question} {FORM}", "[0, 0, 50, 50].")])
    (found,) = only_scene(tmp_path).layers
    assert (found.layer, found.date_index) == (layer, date_index)


def damage_question(region):
    return (
        f"Classify the level of damage experienced by the building at location {region} in the "
        "second image. Choose from: No damage, Minor Damage, Major Damage, Destroyed."
    )


ONE, TWO = box(0, 0, 64, 64), box(128, 128, 192, 192)  # 16 x 16 of the 64 x 64 pixels each
WHERE = ("[0, 0, 25, 25]", "[50, 50, 75, 75]")
LOCATED = record(
    f"Identify all buildings in Image 1. {FORM}",
    ", ".join(WHERE) + ".",
    polygon=MultiPolygon([ONE, TWO]).wkt,
)


def test_records_of_two_files_on_one_pair_are_one_scene(tmp_path):
    damaged = [
        record(damage_question(WHERE[0]), "Destroyed.", polygon=ONE.wkt),
        record(damage_question(WHERE[1]), "Minor damage.", polygon=TWO.wkt),
    ]
    write(tmp_path, [LOCATED], name="eval/xBD_Change_Detection_Localization.json")
    write(tmp_path, damaged, name="eval/xBD_Change_Detection_Classification.json")
    scene = only_scene(tmp_path)
    assert classes_at(scene, "footprint", 0)[0] == {"building": 512}
    pixels, layer = classes_at(scene, "damage", 1)
    assert pixels == {"minor-damage": 256, "destroyed": 256}
    assert layer.invalid is Invalid.OTHER
    assert [(i.layer, i.instance_id) for i in scene.instances] == [
        ("footprint", "region-000"),
        ("footprint", "region-001"),
        ("damage", "region-000"),
        ("damage", "region-001"),
    ]


def test_a_located_building_without_a_level_is_invalid_and_forbids(tmp_path):
    write(tmp_path, [LOCATED, record(damage_question(WHERE[0]), "Destroyed.", polygon=ONE.wkt)])
    pixels, layer = classes_at(only_scene(tmp_path), "damage", 1)
    assert pixels == {"destroyed": 256, "": 256}
    assert layer.invalid is Invalid.FORBIDS


def test_levels_without_all_buildings_located_forbid(tmp_path):
    write(tmp_path, [record(damage_question(WHERE[0]), "Destroyed.", polygon=ONE.wkt)])
    pixels, layer = classes_at(only_scene(tmp_path), "damage", 1)
    assert pixels == {"destroyed": 256}
    assert layer.invalid is Invalid.FORBIDS


def test_touching_buildings_that_share_a_polygon_count_by_their_boxes(tmp_path):
    answer = "[0, 0, 25, 25], [25, 0, 50, 25]."
    outline = box(0, 0, 128, 64).wkt
    write(tmp_path, [record(f"Identify all buildings. {FORM}", answer, polygon=outline)])
    scene = only_scene(tmp_path)
    pixels, layer = classes_at(scene, "footprint", 0)
    assert pixels == {"building": 512}
    assert layer.origin is Origin.ANNOTATED
    assert [i.origin for i in scene.instances] == [Origin.BOX] * 2


def test_an_unclassified_building_is_invalid_and_forbids(tmp_path):
    records = [
        record(damage_question("[0, 0, 25, 25]"), "Unclassified.", polygon=box(0, 0, 64, 64).wkt),
        record(damage_question("[50, 0, 75, 25]"), "Destroyed.", polygon=box(128, 0, 192, 64).wkt),
    ]
    write(tmp_path, records)
    scene = only_scene(tmp_path)
    pixels, layer = classes_at(scene, "damage", 1)
    assert pixels == {"destroyed": 256, "": 256}
    assert layer.invalid is Invalid.FORBIDS
    assert [i.label for i in scene.instances] == ["destroyed"]


def test_a_region_with_two_answers_is_not_known(tmp_path):
    question, shape = damage_question("[0, 0, 25, 25]"), box(0, 0, 64, 64).wkt
    records = [record(question, answer, polygon=shape) for answer in ("Destroyed.", "No damage.")]
    write(tmp_path, records)
    pixels, layer = classes_at(only_scene(tmp_path), "damage", 1)
    assert pixels == {"": 256}
    assert layer.invalid is Invalid.FORBIDS


def test_boxed_regions_do_not_say_what_lies_elsewhere(tmp_path):
    records = [record(damage_question("[0, 0, 25, 25]"), "Destroyed.")]
    write(tmp_path, records, name="train/instruct.json")
    scene = only_scene(tmp_path)
    pixels, layer = classes_at(scene, "damage", 1)
    assert pixels == {"destroyed": 256}
    assert (layer.origin, layer.invalid) == (Origin.BOX, Invalid.FORBIDS)
    assert scene.ref.split == "train"


def test_an_answer_that_repeats_the_region_is_read_without_it(tmp_path):
    write(tmp_path, [record(damage_question("[0, 0, 25, 25]"), "Destroyed [0, 0, 25, 25]")])
    assert classes_at(only_scene(tmp_path), "damage", 1)[0] == {"destroyed": 256}


QFABRIC = tuple(f"7.d{n}.0{n}01201{n}_256_512.png" for n in (1, 2, 3))


def status(region, image, answer, shape, **fields):
    question = f"What is the development status in this region {region} in Image {image}?"
    fields = {"dataset": "QFabric", "timestamp": [], "polygon": shape} | fields
    return record(question, answer, QFABRIC, **fields)


def test_a_site_carries_the_stage_of_every_date(tmp_path):
    shape = box(0, 0, 64, 64).wkt
    stages = ("Greenland.", "Land Cleared.", "Construction Done.")
    records = [status("[0, 0, 25, 25]", n, s, shape) for n, s in enumerate(stages, start=1)]
    write(tmp_path, records, name="eval/QFabric_RQA5_RTQA5.json")
    scene = only_scene(tmp_path)
    assert [classes_at(scene, "construction_status", date)[0] for date in range(3)] == [
        {"greenland": 256},
        {"land cleared": 256},
        {"construction done": 256},
    ]
    assert [(i.instance_id, i.label, i.date_index) for i in scene.instances] == [
        ("region-000", "greenland", 0),
        ("region-000", "land cleared", 1),
        ("region-000", "construction done", 2),
    ]
    assert [(i.role, i.date) for i in scene.images] == [
        ("sequence", "2011-01-01"),
        ("sequence", "2012-02-01"),
        ("sequence", "2013-03-01"),
    ]
    assert scene.ref.place == "QFabric_7"


def test_a_site_without_a_stage_at_a_date_is_unknown_there(tmp_path):
    one, two = box(0, 0, 64, 64).wkt, box(128, 0, 192, 64).wkt
    records = [
        status("[0, 0, 25, 25]", 1, "Greenland.", one),
        status("[50, 0, 75, 25]", 1, "Excavation.", two),
        status("[0, 0, 25, 25]", 2, "Excavation.", one),
    ]
    write(tmp_path, records, name="eval/QFabric_RQA5_RTQA5.json")
    scene = only_scene(tmp_path)
    first, second = (classes_at(scene, "construction_status", date) for date in (0, 1))
    assert first[0] == {"greenland": 256, "excavation": 256}
    assert first[1].invalid is Invalid.OTHER
    assert second[0] == {"excavation": 256, "": 256}
    assert second[1].invalid is Invalid.UNKNOWN


def test_pixels_of_two_sites_with_different_stages_are_unknown(tmp_path):
    records = [
        status("[0, 0, 25, 25]", 1, "Greenland.", box(0, 0, 64, 64).wkt),
        status("[0, 0, 50, 25]", 1, "Excavation.", box(32, 0, 128, 64).wkt),
    ]
    write(tmp_path, records, name="eval/QFabric_RQA5_RTQA5.json")
    pixels, layer = classes_at(only_scene(tmp_path), "construction_status", 0)
    assert pixels == {"greenland": 128, "excavation": 16 * 16, "": 128}
    assert layer.invalid is Invalid.UNKNOWN


def test_a_layer_known_over_too_little_is_left_out(tmp_path):
    whole = box(0, 0, 256, 256).wkt
    records = [
        status("[0, 0, 100, 100]", 1, "Greenland.", whole),
        status("[0, 0, 25, 25]", 2, "Excavation.", box(0, 0, 64, 64).wkt),
    ]
    write(tmp_path, records, name="eval/QFabric_RQA5_RTQA5.json")
    assert [x.date_index for x in only_scene(tmp_path).layers] == [0]


@pytest.mark.parametrize(
    "answer",
    [
        "Image 1: Greenland, Image 2: Excavation, Image 3: Operational.",
        "Greenland in image 1, excavation in the second image, operational in the last image.",
    ],
)
def test_one_answer_may_name_the_stage_of_every_image(tmp_path, answer):
    question = "What is the development status of the region [0, 0, 25, 25] over time?"
    write(
        tmp_path,
        [record(question, answer, QFABRIC, dataset="QFabric", polygon=box(0, 0, 64, 64).wkt)],
    )
    assert [(i.label, i.date_index) for i in only_scene(tmp_path).instances] == [
        ("greenland", 0),
        ("excavation", 1),
        ("operational", 2),
    ]


def test_image_n_counts_by_date_not_as_listed(tmp_path):
    images = ("late.png", "early.png")
    write(
        tmp_path,
        [
            record(
                f"Identify all buildings in Image 1. {FORM}",
                "[0, 0, 25, 25].",
                images,
                timestamp=["2020-05-01", "2019-05-01"],
            )
        ],
    )
    scene = only_scene(tmp_path)
    assert [i.path.rsplit("/", 1)[1] for i in scene.images] == ["early.png", "late.png"]
    assert scene.layers[0].date_index == 0


def test_the_type_of_a_development_belongs_to_the_last_image(tmp_path):
    question = (
        "Identify the type of urban development that has occurred in this area [0, 0, 25, 25]."
    )
    write(
        tmp_path,
        [record(question, "Mega Projects.", QFABRIC, polygon=box(0, 0, 64, 64).wkt)],
    )
    assert classes_at(only_scene(tmp_path), "change_type", 2)[0] == {"mega projects": 256}


def test_a_confirmed_change_of_a_region_is_a_changed_area(tmp_path):
    question = "Has this region [0, 0, 50, 50] changed between the images?"
    write(tmp_path, [record(question, "Yes.")])
    assert classes_at(only_scene(tmp_path), "changed_area", 1)[0] == {"changed area": 1024}


@pytest.mark.parametrize("prefix", ["TEOChatlas/eval/", "eval/", "./", ""])
def test_prefixes_of_image_paths_are_understood(tmp_path, prefix):
    value = record(f"Identify all buildings. {FORM}", "[0, 0, 25, 25].")
    write(tmp_path, [value])
    value["video"] = [prefix + path for path in value["video"]]
    (tmp_path / "eval" / "xBD_SRE_QA_RQA.json").write_text(json.dumps([value]))
    assert only_scene(tmp_path).images[0].path == "eval/TEOChatlas_images/a_pre_disaster.png"


@pytest.mark.parametrize(
    ("images", "roles"),
    [(1, ["single"]), (2, ["pre", "post"]), (3, ["sequence"] * 3)],
)
def test_the_number_of_images_gives_their_roles(tmp_path, images, roles):
    names = tuple(f"t{i}.png" for i in range(images))
    write(tmp_path, [record(f"Identify all buildings. {FORM}", "[0, 0, 25, 25].", names)])
    scene = only_scene(tmp_path)
    assert [i.role for i in scene.images] == roles
    assert [i.date_index for i in scene.images] == list(range(images))


def test_tiff_crops_become_png(tmp_path):
    names = tuple(name.replace(".png", ".tif") for name in QFABRIC)
    write(tmp_path, [record(f"Identify all buildings. {FORM}", "[0, 0, 25, 25].", names)])
    scene = only_scene(tmp_path)
    shown = np.array(Image.open(io.BytesIO(scene.images[0].encoded)))
    original = np.array(Image.open(tmp_path / scene.images[0].path))
    assert scene.images[0].encoded.startswith(b"\x89PNG")
    assert (shown == original).all()


def without_from(value):
    del value["conversations"][1]["from"]


def with_field(key, field):
    return lambda value: value.__setitem__(key, field)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (without_from, Reason.BAD_CONVERSATION),
        (lambda value: value["conversations"].reverse(), Reason.BAD_CONVERSATION),
        (lambda value: value["conversations"].pop(), Reason.BAD_CONVERSATION),
        (
            lambda value: value["conversations"][1].__setitem__("value", " "),
            Reason.BAD_CONVERSATION,
        ),
        (with_field("conversations", "hello"), Reason.WRONG_TYPE),
        (lambda value: value.pop("conversations"), Reason.MISSING_METADATA),
        (with_field("timestamp", ["2018-02-30", "2018-03-01"]), Reason.BAD_DATE),
        (with_field("timestamp", ["2018-02-03"]), Reason.BAD_DATE),
        (with_field("timestamp", [2018, 2019]), Reason.WRONG_TYPE),
        (with_field("video", 7), Reason.WRONG_TYPE),
        (with_field("video", []), Reason.MISSING_METADATA),
        (lambda value: value.pop("video"), Reason.MISSING_METADATA),
        (with_field("video", ["../a.png", "b.png"]), Reason.UNSAFE_PATH),
        (with_field("video", ["/etc/a.png", "b.png"]), Reason.UNSAFE_PATH),
        (with_field("polygon", "POLYGON ((0 0, 9 9, 9 0, 0 9, 0 0))"), Reason.POLYGON_CROSSING),
        (with_field("polygon", "POLYGON EMPTY"), Reason.POLYGON_EMPTY),
        (with_field("polygon", 7), Reason.WRONG_TYPE),
        (
            lambda value: value["conversations"][1].__setitem__("value", "[0, 0, 25, 101]."),
            Reason.UNKNOWN_VALUE,
        ),
        (
            lambda value: value["conversations"][0].__setitem__(
                "value", f"Identify all buildings in Image 3. {FORM}"
            ),
            Reason.UNKNOWN_VALUE,
        ),
        (
            lambda value: value["conversations"][1].__setitem__("value", "No [x]"),
            None,
        ),
    ],
)
def test_every_defect_of_a_record_has_its_reason_and_its_number(tmp_path, change, reason):
    good = record(f"Identify all buildings. {FORM}", "[0, 0, 25, 25].", ("g1.png", "g2.png"))
    bad = record(f"Identify all buildings. {FORM}", "[0, 0, 25, 25].")
    change(bad)
    write(tmp_path, [good, bad])
    entries = list(index(tmp_path))
    rejected = [entry for entry in entries if isinstance(entry, Rejected)]
    assert len(entries) == 2
    assert [entry.reason for entry in rejected] == ([reason] if reason else [])
    assert all("xBD_SRE_QA_RQA.json: record 1" in entry.detail for entry in rejected)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Have any buildings been constructed in the area?", "Yes."),
        ("What disaster has occurred in the area?", "A wildfire."),
        (f"Identify the largest building. {FORM}", "[0, 0, 25, 25]."),
        ("In which image was construction finished in this region [0, 0, 25, 25]?", "Image 2."),
        ("Has this region [0, 0, 50, 50] changed between the images?", "No."),
        ("Identify the type of this scene.", "Residential."),
    ],
)
def test_answers_that_name_no_mask_are_counted_as_such(tmp_path, question, answer):
    write(tmp_path, [record(question, answer)])
    assert only_rejected(tmp_path).reason is Reason.NO_LABEL


def test_the_same_record_twice_counts_once(tmp_path):
    value = record(f"Identify all buildings. {FORM}", "[0, 0, 25, 25].")
    write(tmp_path, [value, value])
    twice, kept = index(tmp_path)
    assert (twice.reason, twice.sample_id) == (Reason.DUPLICATE_ID, "xBD_SRE_QA_RQA-000001")
    assert kept.scene_id.startswith("xBD_a-")


def test_a_truncated_file_is_one_rejection_and_the_next_file_goes_on(tmp_path):
    write(tmp_path, [record(f"Identify all buildings. {FORM}", "[0, 0, 25, 25].")])
    cut = (tmp_path / "eval" / "xBD_SRE_QA_RQA.json").read_text()[:-30]
    (tmp_path / "eval" / "A.json").write_text(cut)
    (tmp_path / "eval" / "B.json").write_text('{"not": "a list"}')
    truncated, wrong, kept = index(tmp_path)
    assert (truncated.sample_id, truncated.reason) == ("A", Reason.UNREADABLE_FILE)
    assert (wrong.sample_id, wrong.reason) == ("B", Reason.WRONG_TYPE)
    assert not isinstance(kept, Rejected)


def test_images_of_different_size_are_refused(tmp_path):
    write(tmp_path, [record(f"Identify all buildings. {FORM}", "[0, 0, 25, 25].")])
    path = tmp_path / "eval" / "TEOChatlas_images" / "a_post_disaster.png"
    Image.open(path).resize((32, 32)).save(path)
    (ref,) = index(tmp_path)
    with pytest.raises(Refusal, match="size_mismatch"):
        read(tmp_path, ref)


def test_a_polygon_outside_the_image_is_refused_when_read(tmp_path):
    shape = box(300, 300, 320, 320).wkt
    write(tmp_path, [record(f"Identify all buildings. {FORM}", "[0, 0, 25, 25].", polygon=shape)])
    (ref,) = index(tmp_path)
    with pytest.raises(Refusal, match="polygon_outside"):
        read(tmp_path, ref)


def test_a_folder_that_is_no_teochatlas_stops_at_once(tmp_path):
    with pytest.raises(ValueError, match=r"looked for train/instruct.json and eval/\*.json"):
        next(index(tmp_path))


def test_the_bucket_follows_the_place_alone(tmp_path):
    first = record(f"Identify all buildings. {FORM}", "[0, 0, 25, 25].")
    second = record(f"Identify all buildings. {FORM}", "[0, 0, 99, 99].")
    for root, value in ((tmp_path / "x", first), (tmp_path / "y", second)):
        write(root, [value])
    (one,), (other,) = index(tmp_path / "x"), index(tmp_path / "y")
    assert (one.place, one.bucket, one.scene_id) == (other.place, other.bucket, other.scene_id)
    assert one.facts["sha256"] != other.facts["sha256"]


@pytest.mark.parametrize(
    ("dataset", "names", "place", "bucket"),
    [
        ("QFabric", "7.d{}.01012015_{}.tif", "QFabric_7", "QFabric-0007"),
        ("QFabric", "7_{1}.d{0}.01012015.tif", "QFabric_7", "QFabric-0007"),
        ("xBD", "socal-fire_00000031_pre_disaster_{1}.png", "xBD_socal-fire_00000031",
         "xBD-socal-fire-0001"),
        ("S2Looking", "12_A_{1}.png", "S2Looking_12_A", None),
        ("GeoChat", "P0003_{2}.jpg", "GeoChat_P0003", None),
    ],
)  # fmt: skip
def test_crops_of_a_location_are_scenes_of_one_place(tmp_path, dataset, names, place, bucket):
    shown = [names.format(1, crop, piece) for crop, piece in (("0_1", "0001"), ("0_2", "0002"))]
    write(
        tmp_path,
        [
            record(f"Identify all buildings. {FORM}", "[0, 0, 25, 25].", images=(name,),
                   dataset=dataset)
            for name in shown
        ],
    )  # fmt: skip
    one, other = index(tmp_path)
    assert (one.place, one.bucket) == (other.place, other.bucket)
    assert one.scene_id != other.scene_id
    assert one.place == place
    assert bucket is None or one.bucket == bucket


def test_sixteen_tiles_of_a_disaster_make_a_bucket(tmp_path):
    names = [f"socal-fire_{number:08}_pre_disaster_0_0.png" for number in (0, 15, 16, 40)]
    write(
        tmp_path,
        [record(f"Identify all buildings. {FORM}", "[0, 0, 9, 9].", images=(n,)) for n in names],
    )
    buckets = [ref.bucket for ref in index(tmp_path)]
    assert buckets == [f"xBD-socal-fire-{k:04}" for k in (0, 0, 1, 2)]


def test_reading_needs_the_images_only(tmp_path):
    write(tmp_path, [record(f"Identify all buildings. {FORM}", "[0, 0, 25, 25].")])
    (ref,) = index(tmp_path)
    (tmp_path / "eval" / "xBD_SRE_QA_RQA.json").unlink()
    scene = read(tmp_path, ref)
    digests = {file.path: file.sha256 for file in scene.files}
    assert set(ref.files) < set(digests)
    records = f"eval/xBD_SRE_QA_RQA.json#{ref.scene_id}"
    assert digests[records] == hashlib.sha256(ref.facts["records"].encode()).hexdigest()


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@settings(max_examples=50)
@given(st.lists(values, max_size=6), st.sampled_from([None, 1, "\t"]), st.integers(1, 9))
def test_an_array_is_read_alike_in_pieces_of_any_size(elements, indent, piece):
    class Trickle(io.StringIO):
        def read(self, size=-1):
            return super().read(min(size, piece))

    text = json.dumps(elements, indent=indent)
    assert list(iterate_array(Trickle(text), "x.json")) == elements


@pytest.mark.parametrize("broken", ["[1 2]", "[1,]x", "[1", "[{]", "[1] 2", "", "[1, nope]"])
def test_a_broken_array_is_refused(broken):
    with pytest.raises(Refusal):
        list(iterate_array(io.StringIO(broken), "x.json"))


def test_an_array_longer_than_a_piece_is_read_whole():
    elements = [{"value": "x" * 1000, "n": n} for n in range(2 * CHUNK_CHARS // 1000)]
    assert list(iterate_array(io.StringIO(json.dumps(elements)), "x.json")) == elements


@pytest.mark.parametrize("name", ["a\0b.png", "\ud800.png", "C:/a.png"])
def test_a_path_that_no_file_can_have_rejects_its_record_alone(tmp_path, name):
    good = record(f"Identify all buildings. {FORM}", "[0, 0, 25, 25].")
    write(tmp_path, [good])
    path = tmp_path / "eval/xBD_SRE_QA_RQA.json"
    path.write_text(json.dumps([good | {"video": [name], "timestamp": []}, good]))
    bad, kept = index(tmp_path)
    assert bad.sample_id == "xBD_SRE_QA_RQA-000000"
    assert bad.reason in (Reason.UNSAFE_PATH, Reason.WRONG_TYPE)
    assert kept.scene_id.startswith("xBD_")


@pytest.mark.parametrize(
    ("dataset", "image"),
    [
        ("d" * 240, "a.png"),
        ("QFabric", f"{'1' * 220}.d1.01012020_0_0.tif"),
        ("xBD", f"{'e' * 220}_00000001.png"),
    ],
)
def test_long_names_make_buckets_that_a_file_can_be_named_after(tmp_path, dataset, image):
    question = f"Identify all buildings. {FORM}"
    records = [record(question, "[0, 0, 25, 25].", images=(image,), dataset=dataset)]
    path = tmp_path / "eval/a.json"
    path.parent.mkdir()
    path.write_text(json.dumps(records))
    (ref,) = index(tmp_path)
    assert len(ref.bucket) < 128


def test_names_that_are_long_and_alike_stay_apart(tmp_path):
    question = f"Identify all buildings. {FORM}"
    records = [record(question, "[0, 0, 25, 25].", dataset="d" * 100 + letter) for letter in "ab"]
    write(tmp_path, [records[0] | {"video": ["a/a.png"], "timestamp": []}, records[1]])
    first, second = index(tmp_path)
    assert first.bucket.rsplit("-", 1)[0] != second.bucket.rsplit("-", 1)[0]


def test_an_image_number_of_thousands_of_digits_rejects_its_record_alone(tmp_path):
    question = f"Identify all buildings in image {'9' * 4400}. {FORM}"
    good = record(f"Identify all buildings. {FORM}", "[0, 0, 25, 25].")
    write(tmp_path, [record(question, "[0, 0, 25, 25]."), good])
    bad, _ = index(tmp_path)
    assert bad.reason is Reason.UNKNOWN_VALUE
    assert len(bad.detail) < 200


def test_a_byte_order_mark_is_no_fault(tmp_path):
    write(tmp_path, [record(f"Identify all buildings. {FORM}", "[0, 0, 25, 25].")])
    path = tmp_path / "eval/xBD_SRE_QA_RQA.json"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert only_scene(tmp_path).images


def test_a_folder_named_as_a_list_and_a_closed_list_are_rejected_by_name(tmp_path, close):
    root = tmp_path / "archive"
    (root / "train/instruct.json").mkdir(parents=True)
    for name in ("eval/a.json", "eval/b.json"):
        write(root, [record(f"Identify all buildings. {FORM}", "[0, 0, 25, 25].")], name)
    close(root / "eval/a.json")
    folder, closed, kept = index(root)
    assert (folder.sample_id, folder.reason) == ("instruct", Reason.UNREADABLE_FILE)
    assert (closed.sample_id, closed.reason) == ("a", Reason.UNREADABLE_FILE)
    assert kept.split == "test"
    close(root / "eval")
    assert [entry.sample_id for entry in index(root)] == ["eval", "instruct"]


def test_eight_thousand_records_of_one_place_are_listed_in_seconds(tmp_path):
    records = [
        record("What damage has the building at [0, 0, 25, 25]?", f"Destroyed. {number}")
        for number in range(8000)
    ]
    write(tmp_path, records[:1])
    (tmp_path / "eval/xBD_SRE_QA_RQA.json").write_text(json.dumps(records))
    start = time.process_time()
    (ref,) = index(tmp_path)
    assert len(json.loads(ref.facts["records"])) == 8000
    assert time.process_time() - start < 5
