"""The zoo: every broken record is listed, is broken in one way, and spoils nothing else."""

import json
import shutil
import struct
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import rasterio

from schemas.rejection import Reason
from tasks.planet.bigearthnet import write_bigearthnet
from tasks.planet.chatearthnet import write_chatearthnet
from tasks.planet.teochatlas import write_teochatlas
from tasks.planet.world import World
from tasks.planet.xbd import write_xbd
from tasks.planet.zoo import add_zoo

ARCHIVES = ("bigearthnet", "chatearthnet", "xbd", "teochatlas")
WRITERS = (write_bigearthnet, write_chatearthnet, write_xbd, write_teochatlas)
LISTS = ("chatearthnet/json_files/ChatEarthNet_caps_35_train.json",)


@pytest.fixture(scope="module")
def planet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("planet")
    for name, write in zip(ARCHIVES, WRITERS, strict=True):
        write(out / name, World(11), 3, 3)
    return out


@pytest.fixture(scope="module")
def zoo(planet: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("zoo") / "planet"
    shutil.copytree(planet, out)
    add_zoo(out, 3)
    return out


@pytest.fixture(scope="module")
def exhibits(zoo: Path) -> list[dict[str, Any]]:
    return list(json.loads((zoo / "zoo.json").read_text()))


def named(exhibits: list[dict[str, Any]], source: str, defect: str) -> dict[str, Any]:
    (found,) = [e for e in exhibits if (e["source"], e["defect"]) == (source, defect)]
    return found


def contents(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): (
            str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
        )
        for path in sorted(root.rglob("*"))
        if path.is_file() or path.is_symlink()
    }


def test_reasons_are_from_the_closed_list_and_scenes_are_told_apart(
    exhibits: list[dict[str, Any]],
) -> None:
    known = {reason.value for reason in Reason}
    assert all(e["reasons"] and set(e["reasons"]) <= known for e in exhibits)
    assert max(Counter((e["source"], e["scene"]) for e in exhibits).values()) == 1
    assert {e["source"] for e in exhibits} == set(ARCHIVES)


def test_every_reason_of_bad_input_has_an_exhibit(exhibits: list[dict[str, Any]]) -> None:
    shown = {reason for e in exhibits for reason in e["reasons"]}
    of_us = {
        Reason.PROOF_FAILED,
        Reason.READER_FAILED,
        Reason.REFINED_ANSWER,
        Reason.SEEN_IN_TRAINING,
    }
    of_replies = {
        Reason.CALL_FAILED,
        Reason.EMPTY_REPLY,
        Reason.REPEATED_TEXT,
        Reason.CUT_REPLY,
        Reason.WRONG_LANGUAGE,
        Reason.BAD_REPLY,
        Reason.BAD_MARK,
        Reason.FALSE_CLAIM,
        Reason.BAD_PROGRAM,
        Reason.UNDEFINED_ANSWER,
        Reason.WRONG_ANSWER,
        Reason.GIVES_AWAY,
        Reason.OFF_QUESTION,
        Reason.BAD_RULE,
        Reason.BAD_PREMISE,
        Reason.LOW_MARKS,
    }
    assert shown == {reason.value for reason in {*Reason} - of_us - of_replies}


def test_listed_files_are_there_unless_their_absence_is_the_defect(
    zoo: Path, exhibits: list[dict[str, Any]]
) -> None:
    for exhibit in exhibits:
        missing = exhibit["defect"].startswith(("missing", "no "))
        path = zoo / exhibit["file"]
        if missing and "metadata" not in exhibit["defect"]:
            assert not path.exists(), exhibit
        else:
            assert path.exists() or path.is_symlink(), exhibit


def test_good_files_are_not_touched(planet: Path, zoo: Path) -> None:
    before, after = contents(planet), contents(zoo)
    changed = {name for name, content in before.items() if after.get(name) != content}
    lists = {name for name in changed if name.endswith((".json", ".parquet"))}
    assert changed == lists
    for name in lists:
        if name.endswith(".json"):
            good = json.loads(before[name])
            assert json.loads(after[name])[: len(good)] == good
        else:
            good_rows = pq.read_table(planet / name)
            assert pq.read_table(zoo / name).slice(0, len(good_rows)).equals(good_rows)


def test_a_zoo_is_the_same_wherever_its_planet_lies(
    planet: Path, zoo: Path, tmp_path: Path
) -> None:
    again = tmp_path / "elsewhere" / "planet"
    shutil.copytree(planet, again)
    add_zoo(again, 3)
    assert contents(again) == contents(zoo)


def test_a_second_zoo_is_refused(zoo: Path) -> None:
    with pytest.raises(FileExistsError, match=r"zoo\.json"):
        add_zoo(zoo, 3)


def test_an_xbd_exhibit_differs_from_the_good_pair_in_one_file(
    zoo: Path, exhibits: list[dict[str, Any]]
) -> None:
    files = {name: content for name, content in contents(zoo / "xbd").items() if "_0000090" in name}
    stems = {e["scene"] for e in exhibits if e["source"] == "xbd"}
    parts = {
        (stem, part): content
        for stem in stems
        for part in ("_pre_disaster.png", "_post_disaster.png", "_pre_disaster.json",
                     "_post_disaster.json", "_pre_disaster_target.png",
                     "_post_disaster_target.png")
        for name, content in files.items()
        if name.endswith(stem + part)
    }  # fmt: skip
    for part in {part for _, part in parts}:
        found = {
            stem: content.replace(stem.encode(), b"NAME")
            for (stem, p), content in parts.items()
            if p == part
        }
        usual = Counter(found.values()).most_common(1)[0][0]
        for stem, content in found.items():
            exhibit = next(e for e in exhibits if e["scene"] == stem)
            if content != usual:
                assert exhibit["file"].endswith(part), exhibit


def test_what_claims_60000_pixels_is_tiny_on_disk(
    zoo: Path, exhibits: list[dict[str, Any]]
) -> None:
    png = zoo / named(exhibits, "xbd", "header of 60,000 x 60,000")["file"]
    tiff = zoo / named(exhibits, "bigearthnet", "TIFF of 60,000 x 60,000")["file"]
    assert struct.unpack(">II", png.read_bytes()[16:24]) == (60_000, 60_000)
    with rasterio.open(tiff) as raster:
        assert raster.shape == (60_000, 60_000)
    assert png.stat().st_size < 1_000
    assert tiff.stat().st_size < 10_000


def test_links_and_climbing_paths_lead_out_of_the_archive_to_something_that_is_there(
    zoo: Path, exhibits: list[dict[str, Any]]
) -> None:
    for source in ARCHIVES:
        link = zoo / named(exhibits, source, "link out of the archive")["file"]
        assert link.is_symlink()
        target = link.resolve(strict=True)
        assert not target.is_relative_to((zoo / source).resolve())
    climbing = named(exhibits, "teochatlas", 'path with ".."')
    record = json.loads((zoo / "teochatlas/eval/QFabric_RQA5_RTQA5.json").read_text())
    path = zoo / "teochatlas/eval" / record[climbing["record"]]["video"][0]
    assert path.resolve().is_file()


def test_teochatlas_exhibits_stand_where_the_list_says(
    zoo: Path, exhibits: list[dict[str, Any]]
) -> None:
    for exhibit in (e for e in exhibits if e["source"] == "teochatlas" and e["record"] >= 0):
        name, place = exhibit["scene"].split("#")
        entries = json.loads((zoo / "teochatlas" / "eval" / f"{name}.json").read_text())
        entry = entries[int(place)]
        assert int(place) == exhibit["record"]
        if exhibit["defect"] == "turn without from":
            assert "from" not in entry["conversations"][0]
        if exhibit["defect"] == "box out of range":
            assert "130" in entry["conversations"][1]["value"]


def test_an_archive_that_is_not_there_gets_no_exhibits(planet: Path, tmp_path: Path) -> None:
    shutil.copytree(planet / "xbd", tmp_path / "xbd")
    assert {e.source for e in add_zoo(tmp_path, 3)} == {"xbd"}
