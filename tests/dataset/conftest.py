"""Two small granules made by hand: land cover on one date, buildings before and after a storm."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray
from PIL import Image
from pycocotools import mask as coco

from masks.reference import evaluate
from masks.reference_regions import forms_of
from masks.reference_scene import ReferenceScene
from schemas.mask import Evidence, Invalid, LayerInfo, MaskKind, SceneMask
from schemas.parquet import CANDIDATE_SCHEMA, SCENE_SCHEMA
from schemas.program import (
    Area,
    ArgMax,
    Border,
    BorderLength,
    CellOf,
    ClassMask,
    Compare,
    Count,
    Distance,
    Exists,
    Instances,
    Minus,
    NamedNumber,
    Number,
    Share,
    Valid,
    dump_program,
)
from schemas.rejection import Reason, Rejected
from schemas.trace import SEG, Fact, build_trace, pixels_text, value_text
from schemas.value import Name, Quantity, Truth
from tasks.manifest import DataFile, Manifest, QuarantineFile, StageCount, write_manifest
from tasks.shards import Provenance, ShardFile, write_rejects, write_shard

SIZE = 120
CLASSES = ("water", "forest", "crop", "town", "snow")
PROVENANCE = Provenance(config_digest="c" * 64, stages=json.dumps({"ask": 1, "ingest": 1}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Granule:
    source: str
    scenes: pa.Table
    selected: pa.Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question to be made into a candidate row."""

    task: str
    program: Any
    marked: tuple[tuple[Any, int], ...]  # (mask expression, index of the image it is seen on)
    options: tuple[str, ...] = ()
    image_indices: tuple[int, ...] = (0, 1)


def rle(mask_HW: NDArray[np.bool_]) -> str:
    return coco.encode(np.asfortranarray(mask_HW, dtype=np.uint8))["counts"].decode()


def png(rgb_HW3: NDArray[np.uint8]) -> bytes:
    file = BytesIO()
    Image.fromarray(rgb_HW3).save(file, "PNG")
    return file.getvalue()


def land_cover_ids(number: int) -> NDArray[np.uint8]:
    """A river on the left, a forest beside it, two towns, crop between; no snow."""
    ids_HW = np.full((SIZE, SIZE), 2, dtype=np.uint8)
    ids_HW[:, : 14 + number] = 0
    ids_HW[4:40, 14 + number : 44] = 1
    ids_HW[70 - number : 100, 80:108] = 3
    ids_HW[8:24, 96:112] = 3
    return ids_HW


def noisy_picture(ids_HW: NDArray[np.uint8], seed: int) -> bytes:
    colours = np.array([[30, 60, 120], [20, 90, 40], [170, 160, 90], [150, 150, 150]])
    noise = np.random.default_rng(seed).integers(-12, 12, (*ids_HW.shape, 3))
    return png((colours[ids_HW] + noise).clip(0, 255).astype(np.uint8))


def scene_row(scene_id: str, source: str, images: list[bytes], **columns: Any) -> dict[str, Any]:
    return {
        "scene_id": scene_id,
        "source": source,
        "split": "train",
        "place": "33UUP",
        "licence": "CDLA-Permissive-1.0",
        "images": [{"bytes": b, "path": f"{scene_id}/{i}.png"} for i, b in enumerate(images)],
        "grid": {
            "height": SIZE,
            "width": SIZE,
            "pixel_size_x_m": 10.0,
            "pixel_size_y_m": 10.0,
            "west": 12.0,
            "south": 48.0,
            "east": 12.01,
            "north": 48.01,
            "north_up": True,
        },
        "words": "{}",
        "archive_captions": [{"writer": "archive", "text": "A <b>river</b> & fields."}],
        "files": [{"path": f"{scene_id}/B04.tif", "sha256": "f" * 64}],
        **columns,
    }


def image_info(role: str, modality: str, date_index: int) -> dict[str, Any]:
    return {
        "role": role,
        "modality": modality,
        "rendering": "rgb 2-98 %",
        "date": f"2018-06-0{date_index + 1}",
        "date_index": date_index,
        "cloudy": False,
    }


def stored(kind: str, layer: str, label: str, date: int, mask: Any, **more: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "layer": layer,
        "label": label,
        "date_index": date,
        "counts": rle(mask),
        "origin": "annotated",
        "instance_id": "",
        "attribute": "",
        **more,
    }


def layer_row(layer: str, date: int, classes: tuple[str, ...]) -> dict[str, Any]:
    return {
        "layer": layer,
        "date_index": date,
        "product": f"{layer} v1",
        "invalid": "other",
        "classes": list(classes),
    }


def land_cover_scene(number: int) -> dict[str, Any]:
    ids_HW = land_cover_ids(number)
    masks = [
        stored("class", "land", name, 0, ids_HW == i)
        for i, name in enumerate(CLASSES)
        if (ids_HW == i).any()
    ]
    masks.append(stored("valid", "land", "land", 0, np.ones_like(ids_HW, dtype=np.bool_)))
    return scene_row(
        f"land-{number:03}",
        "bigearthnet",
        [noisy_picture(ids_HW, number), noisy_picture(ids_HW, 1000 + number)],
        image_info=[image_info("single", "optical", 0), image_info("single", "sar", 0)],
        scene_masks=masks,
        layers=[layer_row("land", 0, CLASSES)],
    )


def building_scene(number: int) -> dict[str, Any]:
    """Twelve buildings of 8 x 8 pixels, `number` + 2 of them destroyed at the second date."""
    masks, ids_HW = [], np.full((SIZE, SIZE), 2, dtype=np.uint8)
    for k in range(12):
        box_HW = np.zeros((SIZE, SIZE), dtype=np.bool_)
        top, left = 6 + 28 * (k // 4), 5 + 22 * (k % 4)
        box_HW[top : top + 8, left : left + 8] = True
        ids_HW[box_HW] = 3
        state = "destroyed" if k < number + 2 else "no-damage"
        for date in (0, 1):
            masks.append(
                stored(
                    "instance", "buildings", "building", date, box_HW,
                    instance_id=f"b{k}", attribute=state if date else "",
                )
            )  # fmt: skip
    return scene_row(
        f"storm-{number:03}",
        "xbd",
        [noisy_picture(ids_HW, 2000 + number), noisy_picture(ids_HW, 3000 + number)],
        image_info=[image_info("pre", "optical", 0), image_info("post", "optical", 1)],
        scene_masks=masks,
        layers=[layer_row("buildings", date, ("building",)) for date in (0, 1)],
    )


def land(label: str) -> ClassMask:
    return ClassMask(layer="land", label=label, date=0)


def land_cover_questions(number: int) -> Iterator[Asked]:
    valid = Valid(layer="land", date=0)
    water, forest, town = land("water"), land("forest"), land("town")
    yes_no = ("Yes", "No")
    yield Asked(task="existence", program=Exists(of=water), marked=((water, 0),), options=yes_no)
    yield Asked(
        task="existence", program=Exists(of=land("snow")), marked=((land("snow"), 0),),
        options=("No", "Yes"),
    )  # fmt: skip
    yield Asked(task="area", program=Area(of=forest), marked=((forest, 1),))
    if number % 2 == 0:
        yield Asked(
            task="area", program=Area(of=forest), marked=((forest, 0),),
            options=("0.5 ha", "@", "31 ha", "200 ha"), image_indices=(0,),
        )  # fmt: skip
    yield Asked(
        task="coverage", program=Share(of=water, within=valid), marked=((water, 0),),
        options=("60 %", "90 %", "@"),
    )  # fmt: skip
    yield Asked(
        task="count_areas", program=Count(of=town), marked=((town, 0),),
        options=("5", "1", "@", "9"),
    )  # fmt: skip
    yield Asked(task="location", program=CellOf(of=forest), marked=((forest, 0),))
    yield Asked(
        task="border", program=Border(a=water, b=forest),
        marked=((water, 0), (forest, 0)), options=yes_no,
    )  # fmt: skip
    yield Asked(
        task="border_length", program=BorderLength(a=water, b=forest),
        marked=((water, 0), (forest, 0)),
    )  # fmt: skip
    yield Asked(task="distance", program=Distance(a=water, b=town), marked=((water, 1), (town, 1)))
    yield Asked(
        task="largest",
        program=ArgMax(of=tuple(NamedNumber(name=n, value=Area(of=land(n))) for n in CLASSES[:4])),
        marked=tuple((land(n), 0) for n in CLASSES[:4]),
        options=("water", "forest", "crop", "town"),
    )
    yield Asked(
        task="compare",
        program=Compare(a=Area(of=forest), relation=">", b=Number(value=5e4, unit="m2")),
        marked=((forest, 0),), options=yes_no,
    )  # fmt: skip
    yield Asked(
        task="rest", program=Area(of=Minus(a=valid, b=water)),
        marked=((Minus(a=valid, b=water), 0),),
    )  # fmt: skip


def building_questions(number: int) -> Iterator[Asked]:
    before = Instances(layer="buildings", label="building", date=0)
    gone = Instances(layer="buildings", label="building", date=1, attribute="destroyed")
    yield Asked(
        task="count_objects", program=Count(of=before), marked=((before, 0),),
        options=("@", "3", "40", "7"),
    )  # fmt: skip
    yield Asked(task="state_count", program=Count(of=gone), marked=((before, 0), (gone, 1)))
    yield Asked(
        task="state_exists", program=Exists(of=gone), marked=((before, 0), (gone, 1)),
        options=("Yes", "No"),
    )  # fmt: skip


def candidate(row: dict[str, Any], asked: Asked, number: int) -> dict[str, Any]:
    scene = ReferenceScene(evidence_of(row))
    value = evaluate(asked.program, scene)
    text = value_text(value, True)
    options = [text if option == "@" else option for option in asked.options]
    letter = "ABCDEF"[options.index(text)] if options else ""
    masks = [
        {
            "label": getattr(expr, "label", "rest"),
            "image_index": image,
            "size": [SIZE, SIZE],
            "counts": rle(forms_of(expr, scene).mask_HW),
            "origin": "annotated",
            "iou": 1.0,
            "program": dump_program(expr),
        }
        for expr, image in asked.marked
    ]
    lines = [
        (
            f"I mark {mask['label']} {SEG}. It covers ",
            Fact(pixels_text(int(forms_of(expr, scene).mask_HW.sum()))),
            " pixels.",
        )
        for mask, (expr, _) in zip(masks, asked.marked, strict=True)
    ]
    lines.append(("So it is ", Fact(text), "."))
    trace = build_trace(lines, f"{letter}. {text}" if letter else text)
    number_of = value if isinstance(value, Quantity) else None
    return {
        "sample_id": f"{row['scene_id']}-{number:02}",
        "scene_id": row["scene_id"],
        "tier": "l1",
        "task": asked.task,
        "form": "choice" if options else "open",
        "classes": [mask["label"] for mask in masks],
        "question": f"What of {asked.task} <here> & now?",
        "title": "",
        "rule": "",
        "premises": [],
        "options": options,
        "answer": {
            "text": text,
            "letter": letter,
            "value": number_of.value if number_of else None,
            "unit": number_of.unit if number_of else "",
            "low": number_of.low if number_of else None,
            "high": number_of.high if number_of else None,
        },
        "steps": [
            {
                "text": words,
                "mask_index": i if i < len(masks) else -1,
                "image_index": masks[i]["image_index"] if i < len(masks) else 0,
                "verdict": "proved",
            }
            for i, words in enumerate(trace.steps)
        ],
        "trace": trace.text,
        "fact_spans": [{"start": start, "end": end} for start, end in trace.fact_spans],
        "claims": [],
        "masks": masks,
        "program": dump_program(asked.program),
        "image_indices": list(asked.image_indices),
        "template": asked.task,
        "template_version": 1,
        "seed": 7,
        "writer": "",
        "group": asked.task,
        "answer_key": text if isinstance(value, Truth | Name) else "",
    }


def evidence_of(row: dict[str, Any]) -> Evidence:
    return Evidence(
        size_HW=(row["grid"]["height"], row["grid"]["width"]),
        pixel_size_m=(row["grid"]["pixel_size_x_m"], row["grid"]["pixel_size_y_m"]),
        north_up=row["grid"]["north_up"],
        layers=tuple(
            LayerInfo(**{**x, "classes": tuple(x["classes"]), "invalid": Invalid(x["invalid"])})
            for x in row["layers"]
        ),
        masks=tuple(
            SceneMask(**{**m, "counts": m["counts"].encode(), "kind": MaskKind(m["kind"])})
            for m in row["scene_masks"]
        ),
    )


def granule_of(source: str, rows: list[dict[str, Any]], asks: Callable[..., Any]) -> Granule:
    candidates = [
        candidate(row, asked, place)
        for number, row in enumerate(rows)
        for place, asked in enumerate(asks(number))
    ]
    return Granule(
        source=source,
        scenes=pa.Table.from_pylist(rows, schema=SCENE_SCHEMA),
        selected=pa.Table.from_pylist(candidates, schema=CANDIDATE_SCHEMA),
    )


@pytest.fixture(autouse=True)
def words_are_proved_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """The words of these hand-made rows are no template's; tests/end_to_end proves real ones."""
    monkeypatch.setattr("tasks.proof.check_words", lambda row, program, value, scene: iter(()))


@pytest.fixture(scope="session")
def granules() -> tuple[Granule, ...]:
    """Seven land-cover scenes with 13 or 12 questions each, four building scenes with three."""
    return (
        granule_of("bigearthnet", [land_cover_scene(n) for n in range(7)], land_cover_questions),
        granule_of("xbd", [building_scene(n) for n in range(4)], building_questions),
    )


@pytest.fixture(scope="session")
def provenance() -> Provenance:
    return PROVENANCE


@pytest.fixture(scope="session")
def rejects() -> tuple[Rejected, ...]:
    return (
        Rejected(
            sample_id="land-900",
            source="bigearthnet",
            stage="ingest",
            reason=Reason.MISSING_FILE,
            detail="B04.tif is not there",
        ),
    )


@pytest.fixture(scope="session")
def build(granules: Any, rejects: Any) -> Callable[[Path], Manifest]:
    """Return a function that writes a whole dataset into a folder, without card or report."""

    def build_into(dataset: Path) -> Manifest:
        files = []
        for granule in granules:
            path = f"data/l1/{granule.source}-train-b00.parquet"
            shard = write_shard(dataset / path, granule.scenes, granule.selected, PROVENANCE)
            place = {
                "tier": "l1",
                "source": granule.source,
                "split": "train",
                "bucket": "b00",
            }
            files.append(DataFile(**described(dataset, shard), **place))
        refused = write_rejects(dataset / "quarantine" / "ingest.parquet", rejects)
        samples = sum(file.rows for file in files)
        manifest = Manifest(
            dataset="small",
            files=tuple(files),
            quarantine=(QuarantineFile(**described(dataset, refused)),),
            counts=(
                StageCount(stage="ingest", unit="scene", taken=12, out=11, rejected=1, left_out=0),
                StageCount(
                    stage="select", unit="sample", taken=samples + 5, out=samples,
                    rejected=0, left_out=5, reasons={"existence: thinned": 5},
                ),
            ),
            config={"seed": 7, "sources": {"xbd": "planet/xbd"}},
            config_digest="c" * 64,
            seed=7,
            commit="",
            stages={"ingest": 1, "ask": 1},
            created=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        )  # fmt: skip
        write_manifest(dataset, manifest)
        return manifest

    return build_into


def described(dataset: Path, shard: ShardFile) -> dict[str, Any]:
    return {
        "path": shard.path.relative_to(dataset).as_posix(),
        "sha256": shard.sha256,
        "rows": shard.rows,
        "bytes": shard.bytes,
    }


@pytest.fixture(scope="session")
def finished(tmp_path_factory: Any, build: Callable[[Path], Manifest]) -> Path:
    """A finished dataset that no test may change."""
    folder = tmp_path_factory.mktemp("finished") / "dataset"
    build(folder)
    return folder


@pytest.fixture(scope="session")
def spill(tmp_path_factory: Any) -> Path:
    """A folder for what a page's index cannot hold in memory."""
    return Path(tmp_path_factory.mktemp("spill"))


@pytest.fixture
def dataset(tmp_path: Path, finished: Path) -> Path:
    """A finished dataset of its own for every test."""
    shutil.copytree(finished, tmp_path / "dataset")
    return tmp_path / "dataset"


@pytest.fixture(scope="session")
def bench(tmp_path_factory: Any, granules: Any) -> Path:
    """The 23 questions on three scenes of land cover that have options; no test may change it."""
    folder = tmp_path_factory.mktemp("bench") / "bench"
    land = granules[0]
    rows = [
        {**row, "tier": "bench"}
        for row in land.selected.to_pylist()
        if row["form"] == "choice" and row["scene_id"] < "land-003"
    ]
    selected = pa.Table.from_pylist(rows, schema=CANDIDATE_SCHEMA)
    path = "data/bench/bigearthnet-test-b00.parquet"
    shard = write_shard(folder / path, land.scenes, selected, PROVENANCE)
    place = {"tier": "bench", "source": "bigearthnet", "split": "test", "bucket": "b00"}
    write_manifest(
        folder,
        Manifest(
            dataset="bench",
            files=(DataFile(**described(folder, shard), **place),),
            counts=(),
            config={},
            config_digest="c" * 64,
            seed=7,
            commit="",
            stages={"ingest": 1, "bench": 1},
            created=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        ),
    )
    return folder
