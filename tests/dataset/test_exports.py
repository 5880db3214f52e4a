"""Every export is opened by the tool that it is for, and holds what the shards hold."""

import base64
import hashlib
import importlib.util
import json
import sys
import typing
from collections import Counter

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from typer.testing import CliRunner

import cli
from commands.keep import export as command
from schemas.trace import SEG
from tasks.errors import ConfigError, UserError
from tasks.exports.choice import Choice
from tasks.exports.export import export, export_lines
from tasks.exports.registry import FORMATS
from tasks.manifest import read_manifest
from tasks.rows import open_shard, row_groups
from tasks.verify import verify

ALL = Choice()
# webdataset leaves it to the garbage collector to close its files
of_webdataset = pytest.mark.filterwarnings(
    "ignore:unclosed file:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


@pytest.fixture(scope="session")
def rows(finished):
    """All rows of the finished dataset, by sample id."""
    read = [
        group.read(at)
        for file in read_manifest(finished).files
        for group in row_groups(open_shard(finished / file.path))
        for at in range(len(group))
    ]
    return {row.sample_id: row for row in read}


@pytest.fixture(scope="session")
def exported(finished, tmp_path_factory):
    """Return (folder, what became of it) of a format, written once."""
    made = {}

    def of(name):
        if name not in made:
            out = tmp_path_factory.mktemp("exports") / name
            made[name] = out, export(finished, name, out, ALL)
        return made[name]

    return of


def digests_of(rows):
    return {hashlib.sha256(i.bytes).hexdigest() for row in rows.values() for i in row.images}


def decoded(rle):
    return coco_mask.decode(rle).astype(bool)


def step_masks(row):
    return [decoded({"size": list(m.size), "counts": m.counts}) for m in row.masks]


def entries(folder, name):
    return json.loads((folder / name).read_text(encoding="utf-8"))


def test_the_command_offers_the_formats_that_there_are():
    hints = typing.get_type_hints(command, include_extras=False)
    assert set(typing.get_args(hints["to"])) == set(FORMATS)


def test_the_command_says_what_was_written_and_what_was_left_out(finished, tmp_path):
    options = ["--to", "vlmevalkit", "--out", str(tmp_path / "out"), "--source", "xbd"]
    done = CliRunner().invoke(cli.app, ["export", str(finished), *options, "--limit", "3"])
    assert done.exit_code == 0, done.output
    assert done.output.splitlines() == [
        f"export   {tmp_path / 'out'}",
        "written  3 samples",
        "left out 1 open questions",
        "left out 4 step masks",
    ]
    told = entries(tmp_path / "out", "export.json")
    assert told["choice"]["sources"] == ["xbd"]
    assert told["left_out"] == {"open questions": 1, "step masks": 4}


@pytest.mark.parametrize("name", ["coco", "llava", "terracot"])
def test_each_image_is_one_file_with_the_bytes_of_the_shard(exported, rows, name):
    folder, done = exported(name)
    files = list((folder / "images").iterdir())
    assert {hashlib.sha256(f.read_bytes()).hexdigest() for f in files} == digests_of(rows)
    assert len(files) == done.made["images"] == len(digests_of(rows))


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_every_sample_is_held_or_counted_as_left_out(exported, rows, name):
    _, done = exported(name)
    left = sum(n for what, n in done.left_out.items() if what.startswith(("open q", "captions")))
    assert done.samples + left == len(rows)
    assert f"written  {done.samples:,} samples" in list(export_lines(done))


@pytest.mark.parametrize("name", sorted(set(FORMATS) - {"hf"}))
def test_an_export_made_again_is_the_same_bytes(exported, finished, tmp_path, name):
    folder, _ = exported(name)
    export(finished, name, tmp_path / name, ALL)
    for path in (path for path in folder.rglob("*") if path.is_file()):
        again = tmp_path / name / path.relative_to(folder)
        if path.suffix != ".yaml":  # names the folder that it lies in
            assert again.read_bytes() == path.read_bytes(), path


def test_terracot_single_images_have_a_list_of_masks_for_every_seg(exported, rows):
    folder, _ = exported("terracot")
    singles = entries(folder, "train/single_image.json")
    assert len(singles) == sum(len(row.images) == 1 for row in rows.values()) > 0
    for entry in singles:
        row = rows[entry["id"]]
        human, gpt = entry["conversations"]
        assert human["value"].startswith(f"<image>\n{row.question}\nA. {row.options[0]}")
        assert gpt == {"from": "gpt", "value": row.trace}
        assert len(entry["masks"]) == row.trace.count(SEG) == len(entry["labels"])
        for (mask,), due in zip(entry["masks"], step_masks(row), strict=True):
            assert (decoded(mask) == due).all()


def test_terracot_two_dates_have_every_mask_before_and_then_after(exported, rows):
    folder, _ = exported("terracot")
    pairs = entries(folder, "train/bitemporal.json")
    assert len(pairs) == sum(row.source == "xbd" for row in rows.values())
    for entry in pairs:
        row = rows[entry["id"]]
        number = row.trace.count(SEG)
        assert len(entry["masks"]) == 2 * number
        for at, (mask, due) in enumerate(zip(row.masks, step_masks(row), strict=True)):
            here, other = (entry["masks"][at + number * date] for date in (0, 1))
            if mask.image_index == 1:
                here, other = other, here
            assert (decoded(here) == due).all()
            assert other is None
        pre = (folder / "images" / entry["pre_image"]).read_bytes()
        assert pre == row.images[0].bytes


def test_terracot_radar_has_the_name_of_its_optical_image_in_every_folder(
    finished, rows, tmp_path, monkeypatch
):
    row = next(row for row in rows.values() if len({i.modality for i in row.image_info}) == 2)
    sar = row.image_info[1].model_copy(update={"rendering": "vv_vh_difference"})
    row = row.model_copy(update={"image_info": (row.image_info[0], sar)})
    give(monkeypatch, [row])
    export(finished, "terracot", tmp_path / "out", ALL)
    (entry,) = entries(tmp_path / "out", "train/sar_rgb.json")
    folder = tmp_path / "out" / "images-sar-rgb"
    assert (folder / "rgb" / entry["image"]).read_bytes() == row.images[0].bytes
    assert (folder / "sar" / entry["image"]).read_bytes() == row.images[1].bytes
    red, green, _ = Image.open(folder / "sar" / entry["image"]).split()
    for name, channel in (("vv", red), ("vh", green)):
        assert (np.asarray(Image.open(folder / name / entry["image"])) == np.asarray(channel)).all()


def test_terracot_leaves_out_and_counts_what_has_more_images(finished, rows, tmp_path, monkeypatch):
    row = next(iter(rows.values()))
    many = row.model_copy(
        update={"images": row.images[:1] * 3, "image_info": row.image_info[:1] * 3}
    )
    give(monkeypatch, [row, many])
    done = export(finished, "terracot", tmp_path / "out", ALL)
    assert done.samples == 1
    assert done.left_out == {"samples of more than two images": 1}


def give(monkeypatch, given):
    """Let these rows be what a dataset holds."""
    monkeypatch.setattr("tasks.exports.target.chosen_rows", lambda *_: iter([iter(given)]))


def test_llava_conversations_load_with_an_image_for_every_mark(exported, rows, tmp_path):
    datasets = pytest.importorskip("datasets")
    folder, done = exported("llava")
    for name in ("train.json", "train-several.json"):
        loaded = datasets.load_dataset(
            "json", data_files=str(folder / name), cache_dir=str(tmp_path), split="train"
        )
        for entry in loaded:
            row = rows[entry["id"]]
            images = [entry["image"]] if name == "train.json" else entry["image"]
            bytes_of = [(folder / "images" / image).read_bytes() for image in images]
            assert bytes_of == [image.bytes for image in row.images]
            human, gpt = entry["conversations"]
            assert human["value"].count("<image>") == len(images)
            assert SEG not in gpt["value"]
            assert gpt["value"].endswith(row.trace[row.trace.index("<answer>") :])
    assert done.left_out == {"step masks": sum(len(row.masks) for row in rows.values())}


def test_coco_scenes_open_with_pycocotools_and_give_the_masks_back(exported, rows, capsys):
    folder, _ = exported("coco")
    read = COCO(str(folder / "scenes_train.json"))
    found = Counter()
    for annotation in read.loadAnns(read.getAnnIds()):
        image = read.loadImgs(annotation["image_id"])[0]
        mask_HW = read.annToMask(annotation).astype(bool)
        row = next(row for row in rows.values() if row.scene_id == image["scene_id"])
        category = read.loadCats(annotation["category_id"])[0]
        assert category["supercategory"] == row.source
        due = [
            mask
            for mask in row.evidence.masks
            if (mask.label, mask.instance_id) == (category["name"], annotation["instance_id"])
        ]
        counts = annotation["segmentation"]["counts"]
        assert counts.encode() in {mask.counts for mask in due}
        assert annotation["area"] == mask_HW.sum()
        assert annotation["bbox"] == coco_mask.toBbox(annotation["segmentation"]).tolist()
        found[image["scene_id"]] += 1
    assert found["storm-000"] == 24  # twelve buildings on either date
    assert found["land-000"] == 8  # four classes on the optical image and on radar


def test_coco_steps_name_their_sample(exported, rows, capsys):
    folder, done = exported("coco")
    read = COCO(str(folder / "steps_train.json"))
    seen = set()
    for annotation in read.loadAnns(read.getAnnIds()):
        row = rows[annotation["sample_id"]]
        due = step_masks(row)[annotation["mask_index"]]
        assert (read.annToMask(annotation).astype(bool) == due).all()
        seen.add((row.sample_id, annotation["mask_index"]))
    empty = done.left_out["step masks without a pixel"]
    assert empty == 7  # no snow in any scene
    assert len(seen) + empty == sum(len(row.masks) for row in rows.values())


@of_webdataset
def test_webdataset_reads_a_sample_under_every_key(exported, rows):
    webdataset = pytest.importorskip("webdataset")
    folder, _ = exported("webdataset")
    read = webdataset.WebDataset(str(folder / "train-000000.tar"), shardshuffle=False)
    seen = []
    for sample in read:
        row = rows[sample["__key__"]]
        told = json.loads(sample["json"])
        assert [sample[name] for name in told["images"]] == [image.bytes for image in row.images]
        assert told["trace"] == row.trace
        assert [decoded(m).tolist() for m in told["masks"]] == [m.tolist() for m in step_masks(row)]
        seen.append(row.sample_id)
    assert sorted(seen) == sorted(rows)


@of_webdataset
def test_webdataset_decodes_the_first_image_of_every_sample(exported):
    webdataset = pytest.importorskip("webdataset")
    folder, done = exported("webdataset")
    read = webdataset.WebDataset(str(folder / "train-000000.tar"), shardshuffle=False)
    images = list(read.decode("pil").to_tuple("png;jpg", "json"))
    assert len(images) == done.samples
    assert {image.size for image, _ in images} == {(120, 120)}


def test_webdataset_begins_a_new_tar_when_one_is_large_enough(finished, tmp_path, monkeypatch):
    monkeypatch.setattr("tasks.exports.webdataset.SHARD_BYTES", 1_000_000)
    done = export(finished, "webdataset", tmp_path / "out", ALL)
    tars = sorted(path.name for path in (tmp_path / "out").glob("*.tar"))
    assert len(tars) == done.made["tar shards"] > 1
    assert tars[:2] == ["train-000000.tar", "train-000001.tar"]


def test_vlmevalkit_holds_the_choices_with_their_images(exported, rows):
    folder, done = exported("vlmevalkit")
    table = pd.read_csv(folder / "small.tsv", sep="\t")
    choices = {key: row for key, row in rows.items() if row.options}
    assert done.left_out["open questions"] == len(rows) - len(choices)
    assert list(table["index"]) == list(range(len(choices)))
    shown = dict(zip(table["index"], table["image"], strict=True))
    for line in table.to_dict("records"):
        row = choices[line["sample_id"]]
        image = line["image"] if len(line["image"]) > 64 else shown[int(line["image"])]
        codes = json.loads(image.replace("'", '"')) if image.startswith("[") else [image]
        assert [base64.b64decode(code) for code in codes] == [i.bytes for i in row.images]
        assert line[row.answer.letter] == row.options[ord(row.answer.letter) - ord("A")]
        assert line["answer"] == row.answer.letter
        assert (line["category"], line["l2-category"]) == (row.task, row.tier)
    assert (table["image"].str.len() > 64).sum() == 11 + 4  # once for the images of each scene


def test_vlmevalkit_leaves_out_an_option_that_pandas_would_lose(
    finished, rows, tmp_path, monkeypatch
):
    row = next(row for row in rows.values() if row.options)
    lost = row.model_copy(update={"options": ("None", *row.options[1:])})
    caption = row.model_copy(update={"tier": "cap", "options": ()})
    give(monkeypatch, [row, lost, caption])
    done = export(finished, "vlmevalkit", tmp_path / "out", ALL)
    assert done.samples == 1
    assert done.left_out["questions with an option that pandas reads as nothing"] == 1
    assert done.left_out["captions"] == 1


@pytest.fixture
def task_of(exported, monkeypatch):
    """The functions that an lmms-eval task names, loaded from the file beside it."""
    folder, _ = exported("lmms-eval")
    spec = importlib.util.spec_from_file_location("task_of_export", folder / "utils.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "task_of_export", module)
    spec.loader.exec_module(module)
    return module


class FunctionLoader(yaml.SafeLoader):
    """Reads lmms-eval's `!function utils.name` as that name."""


FunctionLoader.add_constructor("!function", lambda loader, node: loader.construct_scalar(node))


def test_lmms_eval_task_asks_and_scores_what_the_shards_hold(exported, rows, task_of, tmp_path):
    datasets = pytest.importorskip("datasets")
    folder, done = exported("lmms-eval")
    task = yaml.load((folder / "small_train.yaml").read_text(), FunctionLoader)
    for name in ("doc_to_visual", "doc_to_text", "doc_to_target", "process_results"):
        assert hasattr(task_of, task[name].removeprefix("utils."))
    assert {metric["metric"] for metric in task["metric_list"]} == {
        "accuracy",
        *(row.task for row in rows.values()),
    }
    loaded = datasets.load_dataset(
        task["dataset_path"], cache_dir=str(tmp_path), **task["dataset_kwargs"]
    )[task["test_split"]]
    assert len(loaded) == done.samples
    for doc in loaded:
        row = rows[doc["sample_id"]]
        assert [image.size for image in task_of.doc_to_visual(doc)] == [(120, 120)] * len(
            row.images
        )
        text = task_of.doc_to_text(doc, task["lmms_eval_specific_kwargs"]["default"])
        assert text.startswith(row.question)
        assert all(f"\n{chr(65 + at)}. {option}\n" in text for at, option in enumerate(row.options))
        assert task_of.process_results(doc, [row.trace]) == {"accuracy": 1.0, row.task: 1.0}
        assert task_of.is_right(doc, task_of.doc_to_target(doc))
        assert not task_of.is_right(doc, "I cannot tell.")


@pytest.mark.parametrize(
    ("reply", "right"),
    [
        ("B", True),
        ("(B)", True),
        ("B. 31 ha", True),
        ("31 ha", True),
        ("The answer is B.", True),
        ("<think>A. B. C.</think><answer>B</answer>", True),
        ("A", False),
        ("Both", False),
        ("", False),
    ],
)
def test_lmms_eval_reads_the_letter_of_a_reply(task_of, reply, right):
    doc = {"letter": "B", "options": ["0.5 ha", "31 ha"], "answer": "31 ha", "value": 310_000.0}
    assert task_of.is_right(doc, reply) is right


@pytest.mark.parametrize(
    ("reply", "right"),
    [
        ("31 ha", True),
        ("310,000 m²", True),
        ("0.31 km²", True),
        ("It is about 30 ha.", True),
        ("31", True),
        ("31 %", False),
        ("31 m²", False),
        ("40 ha", False),
    ],
)
def test_lmms_eval_takes_a_number_within_the_margin(task_of, reply, right):
    doc = {
        **{"letter": "", "options": [], "answer": "31 ha", "unit": "m2"},
        **{"value": 308_000.0, "low": 290_000.0, "high": 320_000.0},
    }
    assert task_of.is_right(doc, reply) is right


def test_geoparquet_footprints_open_in_geopandas(exported, rows):
    geopandas = pytest.importorskip("geopandas")
    folder, done = exported("geoparquet")
    scenes = geopandas.read_parquet(folder / "scenes.parquet")
    assert scenes.crs == "OGC:CRS84"
    assert sorted(scenes["id"]) == sorted({row.scene_id for row in rows.values()})
    assert scenes.total_bounds.tolist() == [12.0, 48.0, 12.01, 48.01]
    assert scenes["samples"].sum() == len(rows)
    storm = scenes.set_index("id").loc["storm-000"]
    assert (storm["date"], list(storm["dates"])) == ("2018-06-01", ["2018-06-01", "2018-06-02"])
    assert (storm["source"], storm["split"], storm["place"]) == ("xbd", "train", "33UUP")
    assert done.made["scenes"] == 11


def test_geoparquet_counts_a_scene_without_bounds_once(finished, rows, tmp_path, monkeypatch):
    row = next(iter(rows.values()))
    nowhere = row.grid.model_copy(update={"west": None, "south": None, "east": None, "north": None})
    lost = row.model_copy(update={"scene_id": "nowhere", "grid": nowhere})
    give(monkeypatch, [row, lost, lost])
    done = export(finished, "geoparquet", tmp_path / "out", ALL)
    assert done.left_out == {
        "samples on scenes whose bounds are not known": 2,
        "scenes whose bounds are not known": 1,
    }


def test_hf_folder_loads_by_its_card_and_is_proved(exported, rows, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    folder, _ = exported("hf")
    loaded = datasets.load_dataset(str(folder), "l1", cache_dir=str(tmp_path / "cache"))
    assert {name: len(split) for name, split in loaded.items()} == {"train": len(rows)}
    assert loaded["train"][0]["images"][0].size == (120, 120)
    assert not verify(folder).failures


def test_hf_folder_of_one_source_has_the_card_of_just_that(finished, tmp_path):
    done = export(finished, "hf", tmp_path / "out", Choice(sources=("xbd",)))
    assert done.samples == 12
    assert "bigearthnet-train" not in (tmp_path / "out" / "README.md").read_text()
    assert [file.source for file in read_manifest(tmp_path / "out").files] == ["xbd"]


@pytest.mark.parametrize("choice", [Choice(limit=3), Choice(tasks=("area",))])
def test_hf_cannot_cut_a_shard(finished, tmp_path, choice):
    with pytest.raises(ConfigError, match="whole shards"):
        export(finished, "hf", tmp_path / "out", choice)
    assert list(tmp_path.iterdir()) == []


def test_samples_are_chosen_by_task_and_source_and_limit(finished, rows, tmp_path):
    choice = Choice(tasks=("area", "existence"), sources=("bigearthnet",), limit=5)
    done = export(finished, "llava", tmp_path / "out", choice)
    assert done.samples == 5
    found = [
        entry["id"]
        for name in ("train.json", "train-several.json")
        if (tmp_path / "out" / name).exists()
        for entry in entries(tmp_path / "out", name)
    ]
    assert {rows[key].task for key in found} == {"area", "existence"}
    assert len(found) == 5


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        (Choice(tiers=("cap",)), "--tier cap: .* its tiers are l1"),
        (Choice(splits=("test",)), "--split test: .* its splits are train"),
        (Choice(sources=("own",)), "--source own: .* its sources are bigearthnet, xbd"),
        (Choice(tasks=("arae",)), "--task arae: .* its tasks are area, border"),
    ],
)
def test_what_is_not_there_is_named_with_what_is(finished, tmp_path, choice, told):
    with pytest.raises(UserError, match=told):
        export(finished, "llava", tmp_path / "out", choice)


def test_an_export_that_would_be_empty_says_why_and_leaves_nothing(finished, tmp_path):
    with pytest.raises(UserError, match="left out are 7 open questions"):
        export(finished, "vlmevalkit", tmp_path / "out", Choice(tasks=("distance",)))
    assert list(tmp_path.iterdir()) == []


def test_only_the_same_export_replaces_what_is_in_a_folder(finished, tmp_path):
    out = tmp_path / "out"
    export(finished, "llava", out, Choice(limit=2))
    (out / "stray.json").write_text("{}")
    export(finished, "llava", out, Choice(limit=2))
    assert not (out / "stray.json").exists()
    with pytest.raises(ConfigError, match="another export, of small to llava"):
        export(finished, "llava", out, Choice(limit=3))
    with pytest.raises(ConfigError, match="choose an empty folder, or remove it"):
        export(finished, "coco", out, Choice(limit=2))
    (out / "export.json").write_text("{")
    with pytest.raises(ConfigError, match="is damaged"):
        export(finished, "llava", out, Choice(limit=2))


def test_a_folder_of_other_files_is_refused(finished, tmp_path):
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(ConfigError, match="no export of this program"):
        export(finished, "llava", tmp_path, ALL)
    with pytest.raises(ConfigError, match="lies in the dataset itself"):
        export(finished, "llava", finished / "llava", ALL)
    with pytest.raises(ConfigError, match="is a file"):
        export(finished, "llava", tmp_path / "thesis.tex", ALL)
