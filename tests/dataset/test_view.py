"""The page over a dataset: what it finds, shows, counts and draws."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from html import unescape
from pathlib import Path
from urllib.parse import parse_qsl

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import uvicorn
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from masks.rle import decode
from schemas.mask import Origin
from schemas.parquet import SAMPLE_SCHEMA
from schemas.program import Area, ArgMax, NamedNumber, Near, Share, dump_program
from tasks.atomic import placing
from tasks.errors import UserError
from tasks.evaluated import MOST_PARTS, evaluated
from tasks.manifest import read_manifest, write_manifest
from tasks.rows import read_rows
from tasks.sample_view import sample_view
from tasks.scene_list import write_scene_list
from tasks.shards import write_rejects
from tasks.versions import keep, paths_of
from view.app import application
from view.filters import Box, Filters, read_filters
from view.footprints import HEIGHT, WIDTH, footprint_map
from view.index import Index
from view.looked_at import PAGE, LookedAt
from view.serve import serve

ROOT = Path(__file__).resolve().parents[2]
LAND = "data/l1/bigearthnet-train-b00.parquet"
STORM = "data/l1/xbd-train-b00.parquet"
SAMPLES = 4 * 13 + 3 * 12 + 4 * 3
COVERAGE = "land-000-04"
SCENE = {
    "source": "bigearthnet", "split": "train", "bucket": "b00", "scene_id": "land-000",
    "files": "f" * 64,
}  # fmt: skip


@pytest.fixture
def client_of(spill):
    """Return a function that opens the page over a dataset."""

    def opened(dataset, then=None):
        looked_at = LookedAt(dataset, spill, then)
        looked_at.index.fill()
        return TestClient(application(looked_at), base_url="http://127.0.0.1:8100")

    return opened


@pytest.fixture(scope="module")
def looked_at(finished, spill):
    found = LookedAt(finished, spill)
    found.index.fill()
    return found


@pytest.fixture(scope="module")
def client(looked_at):
    return TestClient(application(looked_at), base_url="http://127.0.0.1:8100")


@pytest.fixture
def changed_row(dataset):
    """Return a function that changes one row of the land-cover shard in place."""

    def change(sample_id, **columns):
        path = dataset / LAND
        rows = pq.read_table(path).to_pylist()
        row = next(row for row in rows if row["sample_id"] == sample_id)
        row.update(columns)
        pq.write_table(pa.Table.from_pylist(rows, schema=SAMPLE_SCHEMA), path, row_group_size=64)
        return dataset

    return change


def keep_as_version(dataset):
    """Keep a dataset of the fixtures, which have no card or report, as the version it is."""
    manifest = read_manifest(dataset)
    for path in paths_of(manifest):
        if not (dataset / path).exists():
            (dataset / path).parent.mkdir(exist_ok=True)
            (dataset / path).touch()
    keep(dataset, manifest)


def turn_around(path):
    """Put a shard with its rows in the opposite order in the place of one, as a build would."""
    rows = pq.read_table(path).to_pylist()[::-1]
    with placing(path) as temporary:
        pq.write_table(pa.Table.from_pylist(rows, schema=SAMPLE_SCHEMA), temporary)


def ids(page):
    return re.findall(r'class="item" href="/sample/([^"?]+)', page.text)


def drawn(page):
    return json.loads(re.search(r'id="drawn">(.*?)</script>', page.text, re.DOTALL)[1])


def words(page):
    return unescape(re.sub(r"<[^>]*>", "", page.text))


def test_pages_of_a_list_hold_every_sample_once_in_the_order_of_the_shards(client, finished):
    pages = [client.get("/", params={"page": n}) for n in range(1, 6)]
    shown = [sample_id for page in pages for sample_id in ids(page)]
    stored = [
        sample_id
        for file in (LAND, STORM)
        for sample_id in pq.read_table(finished / file)["sample_id"].to_pylist()
    ]
    assert shown == stored
    assert [len(ids(page)) for page in pages] == [PAGE] * 4 + [SAMPLES - 4 * PAGE]


def test_what_is_found_is_counted_by_tier_with_a_way_to_each(client, client_of, changed_row):
    both = client_of(changed_row(COVERAGE, tier="l2_spatial"))
    found = both.get("/", params={"scene": "land-000"})
    links = re.findall(r'<a href="/\?([^"]*tier=[^"]+)">([^<]*)</a>', found.text)
    assert [told for _, told in links] == ["L1 12", "L2 spatial 1"]
    asked = dict(parse_qsl(unescape(links[1][0])))
    assert asked == {"scene": "land-000", "tier": "l2_spatial"}
    assert "L1 1" not in words(client.get("/"))  # nothing to choose among


@pytest.mark.parametrize(
    ("asked", "number"),
    [
        ({"source": "xbd"}, 12),
        ({"task": "existence"}, 14),
        ({"class": "town"}, 7 * 3),  # count of areas, distance, largest
        ({"class": "town", "task": "distance"}, 7),
        ({"split": "train"}, SAMPLES),
        ({"verdict": "proved"}, SAMPLES),
        ({"verdict": "false"}, 0),
        ({"letter": "A", "task": "existence"}, 14),
        ({"scene": "storm-001"}, 3),
        ({"q": "STORM-001"}, 3),
        ({"q": "what of border <here>"}, 14),
        ({"q": "<HERE>, border?"}, 14),
        ({"q": "border nowhere"}, 0),
        ({"q": "100%"}, 0),  # no pattern
        ({"box": "11,47,13,49"}, SAMPLES),
        ({"box": "13,47,14,49"}, 0),
    ],
)
def test_a_filter_leaves_what_it_says(client, asked, number):
    assert f"{number:,} of {SAMPLES:,} samples" in words(client.get("/", params=asked))


def test_before_and_after_a_sample_stay_within_the_filters(client):
    page = client.get("/sample/land-001-00", params={"task": "existence"})
    assert 'rel="prev" href="/sample/land-000-01?task=existence"' in page.text
    assert 'rel="next" href="/sample/land-001-01?task=existence"' in page.text
    assert "3 of 14" in words(page)


def test_a_sample_that_the_filters_leave_out_is_shown_and_said_not_to_be_in_the_list(client):
    assert "not in it" in words(
        client.get("/sample/storm-000-00", params={"source": "bigearthnet"})
    )


def test_a_sample_shows_question_options_answer_steps_and_where_it_comes_from(client):
    text = words(client.get(f"/sample/{COVERAGE}"))
    for part in (
        "What of coverage <here> & now?", "12 %", "I mark water", "land-000/B04.tif",
        "template       coverage, version 1", "configuration  " + "c" * 64, LAND,
        "A <b>river</b> & fields.",
    ):  # fmt: skip
        assert part in text


def test_the_masks_of_the_steps_reach_the_script_as_they_are_stored(client, finished):
    row = read_rows(finished / LAND, {COVERAGE})[COVERAGE]
    layers = drawn(client.get(f"/sample/{COVERAGE}"))["layers"]
    assert [one["counts"] for one in layers[: len(row.masks)]] == [m.counts for m in row.masks]
    water_HW = decode(layers[0]["counts"].encode(), (120, 120))
    assert water_HW[:, :14].all()
    assert not water_HW[:, 14:].any()


def test_objects_are_drawn_one_by_one_on_the_image_of_their_date(client):
    of_storm = drawn(client.get("/sample/storm-000-01"))
    before, gone = of_storm["layers"]
    assert (len(before["objects"]), before["images"]) == (12, [0])
    assert (len(gone["objects"]), gone["images"]) == (2, [1])


def row_of(dataset, task):
    ids = pq.read_table(dataset / LAND, columns=["sample_id"])["sample_id"].to_pylist()
    return next(row for row in read_rows(dataset / LAND, set(ids)).values() if row.task == task)


def test_a_comparison_says_its_limit_and_how_far_the_number_is_from_it(finished):
    row = row_of(finished, "compare")  # forest above 5 ha; a limit under 1 ha stands in both units
    area = evaluated(row).root.parts[0]
    forest_ha = float(area.value.split(" ha")[0])
    assert evaluated(row).root.words == "is it more than 5.0 ha"
    assert evaluated(row).root.value.startswith("Yes, ")
    times = float(evaluated(row).root.value.split()[1])
    assert times == pytest.approx(forest_ha / 5, rel=0.05)
    low = row.model_copy(update={"program": row.program.replace("50000", "1000")})
    assert low.program != row.program
    assert evaluated(low).root.words == "is it more than 1,000 m² (0.10 ha)"


def test_one_part_alone_is_shown_without_what_joins_it(finished):
    row = row_of(finished, "compare")
    joined = row.model_copy(update={"program": f'{{"op":"all","of":[{row.program}]}}'})
    assert evaluated(joined).root == evaluated(row).root


def test_what_stood_above_stands_without_its_parts_again(finished):
    row = row_of(finished, "compare")
    twice = f'{{"op":"all","of":[{row.program},{row.program.replace("50000", "70000")}]}}'
    first, second = evaluated(row.model_copy(update={"program": twice})).root.parts
    assert first.parts[0].parts
    assert second.parts[0].words == "area, as above"
    assert (second.parts[0].value, second.parts[0].parts) == (first.parts[0].value, ())


def test_a_mask_that_is_not_the_annotated_one_is_said_to_be_so(finished):
    row = row_of(finished, "coverage")
    evaluation = evaluated(row)
    annotated = sample_view(row, evaluation, [0])
    assert {step.note for step in annotated.steps} == {""}
    shared = row.masks[0].model_copy(update={"origin": Origin.INTERSECTION, "iou": 0.82})
    refined = sample_view(row.model_copy(update={"masks": (shared,)}), evaluation, [0])
    assert refined.steps[0].note == "refined: shared with an annotator's mask, IoU 0.82"
    assert refined.steps[0].refined
    marked = row.masks[0].model_copy(update={"origin": Origin.PREDICTED})
    predicted = sample_view(row.model_copy(update={"masks": (marked,)}), evaluation, [0])
    assert predicted.steps[0].note == "an annotator's mask: there is no annotation"
    assert not predicted.steps[0].refined  # what is measured is measured on it


def test_every_part_of_a_program_is_measured_from_the_masks(finished):
    row = read_rows(finished / LAND, {COVERAGE})[COVERAGE]
    found = evaluated(row)
    assert (found.root.words, found.root.value) == ("share", "12 % (11 % to 12 %)")
    of, within = found.root.parts
    assert (of.words, of.value) == ("water", f"{14 * 120:,} pixels")
    assert (within.role, within.words) == ("within", "all that is labelled")
    assert within.value == "14,400 pixels"


def test_a_count_says_what_it_counts(finished):
    areas = evaluated(read_rows(finished / LAND, {"land-000-05"})["land-000-05"]).root
    assert (areas.words, areas.value) == ("number of areas of at least 9 pixels of", "2")
    objects = evaluated(read_rows(finished / STORM, {"storm-000-01"})["storm-000-01"]).root
    assert (objects.words, objects.value) == ("number of", "2")
    assert objects.parts[0].value == f"2 objects, {2 * 64} pixels"


def test_what_is_shown_of_a_program_is_what_the_masks_say_not_what_is_stored(
    client_of, changed_row
):
    row = {"text": "99 %", "letter": "", "value": 0.99, "unit": "share", "low": 0.9, "high": 1.0}
    page = client_of(changed_row(COVERAGE, answer=row)).get(f"/sample/{COVERAGE}")
    assert "99 %" in words(page)
    assert "12 % (11 % to 12 %)" in words(page)


def test_a_part_without_a_safe_value_says_why(finished):
    row = read_rows(finished / LAND, {COVERAGE})[COVERAGE]
    program = json.loads(row.program)
    program["of"]["label"] = "lava"
    found = evaluated(row.model_copy(update={"program": json.dumps(program)}))
    assert found.root.value.startswith("no safe value (unknown_class")


def test_a_program_that_is_none_is_said_to_be_none(finished):
    row = read_rows(finished / LAND, {COVERAGE})[COVERAGE]
    found = evaluated(row.model_copy(update={"program": "import os"}))
    assert found.root is None
    assert "JSON tree" in found.fault


def parts_shown(one):
    return 1 + sum(parts_shown(part) for part in one.parts)


def test_a_long_program_is_shown_in_part_and_the_rest_is_counted(finished):
    row = read_rows(finished / LAND, {COVERAGE})[COVERAGE]
    water = Share.model_validate_json(row.program).of
    near = [Near(of=water, to=water, distance_m=10.0 * k) for k in range(1, 21)]
    named = tuple(NamedNumber(name=f"{n.distance_m}", value=Area(of=n)) for n in near)
    found = evaluated(row.model_copy(update={"program": dump_program(ArgMax(of=named))}))
    # 20 areas of what lies near, of water and water each, and the largest of them
    assert (parts_shown(found.root), found.left) == (MOST_PARTS, 81 - MOST_PARTS)
    assert len(found.masks) == 1 + 15  # each mask once, however often it is named


def test_images_come_as_they_are_stored_and_thumbs_are_small(client, looked_at, finished):
    version = looked_at.digest
    row = read_rows(finished / LAND, {COVERAGE})[COVERAGE]
    first = client.get(f"/image/{version}/{COVERAGE}/1")
    assert first.content == row.images[1].bytes
    assert first.headers["content-type"] == "image/png"
    assert "immutable" in first.headers["cache-control"]
    assert client.get(f"/image/000000000000/{COVERAGE}/1").status_code == 404
    thumb = client.get(f"/thumb/{version}/{COVERAGE}")
    assert thumb.headers["content-type"] == "image/jpeg"
    assert len(thumb.content) < len(row.images[0].bytes)


def test_rows_of_one_scene_share_one_thumb(client, looked_at):
    kept = looked_at._reader._thumbs
    kept.clear()
    for number in range(13):
        client.get(f"/thumb/{looked_at.digest}/land-002-{number:02}")
    assert len(kept) == 1


def test_counts_under_a_filter_add_up_and_lead_to_their_samples(client):
    page = client.get("/counts", params={"task": "existence"})
    found = re.findall(
        r'href="/(\?[^"]*)"><span class="label">([^<]*).*?count">([\d,]+)', page.text
    )
    answers = {
        label: (int(number), unescape(address))
        for address, label, number in found
        if "answer=" in address
    }
    assert {label: number for label, (number, _) in answers.items()} == {"Yes": 7, "No": 7}
    assert len(ids(client.get("/" + answers["Yes"][1]))) == 7


@pytest.mark.parametrize("asked", ["", "?class=water", "?class=water&class=forest", "?task=border"])
def test_every_bar_leads_to_as_many_samples_as_it_counts(client, asked):
    page = client.get(f"/counts{asked}")
    bars = re.findall(r'href="/(\?[^"]*)"><span class="label">.*?count">([\d,]+)', page.text)
    assert len(bars) >= 10
    for address, number in bars:
        assert f"{number} of {SAMPLES} samples" in words(client.get("/" + unescape(address)))


def test_scenes_lie_on_the_map_where_their_bounds_are(looked_at):
    shown = footprint_map(looked_at.index, Filters(box=Box(11.99, 47.99, 12.02, 48.02)))
    assert (shown.scenes, shown.elsewhere, shown.nowhere) == (11, 0, 0)
    mark = shown.marks[0]
    # 12.0 to 12.01 of a view whose middle is 12.005: the footprint is in the middle
    assert mark.x + mark.width / 2 == pytest.approx(WIDTH / 2)
    assert mark.y + mark.height / 2 == pytest.approx(HEIGHT / 2)


def test_many_small_footprints_are_one_circle_that_leads_closer(looked_at, client):
    shown = footprint_map(looked_at.index, Filters(box=Box(-60, -30, 60, 60)))
    (circle,) = shown.marks
    assert circle.number == 11
    assert circle.address.startswith("map?box=")
    assert client.get("/" + circle.address).status_code == 200


@settings(max_examples=25, deadline=None)
@given(
    west=st.floats(-180, 179), wide=st.floats(0.001, 359), south=st.floats(-90, 89),
    high=st.floats(0.001, 179),
)  # fmt: skip
def test_any_view_of_the_map_can_be_drawn_and_left_again(looked_at, west, wide, south, high):
    asked = Box(west, south, min(180.0, west + wide), min(90.0, south + high))
    shown = footprint_map(looked_at.index, Filters(box=asked))
    assert shown.scenes + shown.elsewhere == 11
    assert Box.read(str(shown.view))
    values = {"split": ["train"]}
    for mark in shown.marks:
        name, _, query = mark.address.partition("?")
        if name == "map":
            key, _, value = query.partition("=")
            read_filters([(key, value.replace("%2C", ","))], values)


def test_the_quarantine_is_listed_with_its_reasons(client):
    page = words(client.get("/refused", params={"reason": "missing_file"}))
    assert "B04.tif is not there" in page
    assert "land-900" in page
    assert "0 refused" in words(client.get("/refused", params={"q": "nothing like it"}))


def test_a_refused_sample_leads_to_what_was_asked_of_its_scene(client_of, dataset, rejects):
    asked = replace(rejects[0], sample_id="ab12", detail="land-000: 'How large is it?': no answer")
    write_rejects(dataset / "quarantine" / "ingest.parquet", [*rejects, asked])
    page = client_of(dataset).get("/refused").text
    assert re.findall(r'<a href="/\?scene=([^"]*)">all of this scene', page) == ["land-000"]


def test_a_search_that_finds_nothing_says_how_words_count(client):
    assert "all of these words stand; try fewer" in words(client.get("/", params={"q": "no such"}))
    assert "try fewer" not in words(client.get("/", params={"verdict": "false"}))


def test_what_rules_left_out_is_counted_beside_what_was_refused(client):
    page = client.get("/refused").text
    assert "<td>select</td><td>thinned</td><td>existence</td>" in page


def test_a_scene_that_was_refused_is_counted_once_where_no_scene_was_left(dataset, spill):
    manifest = read_manifest(dataset).model_copy(update={"files": ()})
    write_manifest(dataset, manifest)
    looked_at = LookedAt(dataset, spill)
    looked_at.index.fill(most=1)
    looked_at.index.fill()
    assert looked_at.index.rows("select sample_id from refused") == [("land-900",)]


def test_the_origin_page_has_the_stages_and_their_sums(client):
    assert re.search(r"ingest\s*scene\s*12\s*11\s*1\s*0", words(client.get("/about")))


def test_two_versions_are_compared_side_by_side(
    client_of, dataset, finished, tmp_path, changed_row
):
    changed_row(COVERAGE, question="What else?")
    for folder in (tmp_path / "then", dataset):
        if not folder.exists():
            folder.mkdir()
            for name in ("data", "quarantine", "manifest.json"):
                (folder / name).symlink_to(finished / name)
        write_scene_list(folder, [SCENE])
    manifest = read_manifest(dataset)
    files = [
        file.model_copy(update={"sha256": "0" * 64}) if file.path == LAND else file
        for file in manifest.files
    ]
    write_manifest(dataset, manifest.model_copy(update={"files": tuple(files)}))
    client = client_of(dataset, tmp_path / "then")
    assert client.get("/changes?fate=lost").status_code == 400
    listed = client.get("/changes", params={"fate": "changed"})
    assert f"/change/{COVERAGE}" in listed.text
    assert "1 samples differ" in words(listed)
    one = words(client.get(f"/change/{COVERAGE}"))
    assert "What of coverage <here> & now?" in one
    assert "What else?" in one
    assert client.get("/change/land-000-00").status_code == 404


def test_versions_are_named_by_their_numbers(dataset, monkeypatch):
    write_scene_list(dataset, [SCENE])
    keep_as_version(dataset)
    turn_around(dataset / STORM)
    manifest = read_manifest(dataset)
    files = [
        file.model_copy(update={"sha256": "0" * 64}) if file.path == STORM else file
        for file in manifest.files
    ]
    second = manifest.model_copy(update={"files": tuple(files), "version": 2})
    keep(dataset, second)
    write_manifest(dataset, second)
    shown = []

    def visit(server, sockets):
        client = TestClient(server.config.app, base_url="http://127.0.0.1:8100")
        shown.extend(client.get(page) for page in ("/changes", "/", "/sample/storm-000-00"))
        for bound in sockets:
            bound.close()

    monkeypatch.setattr(uvicorn.Server, "run", visit)
    serve([f"{dataset}@1", f"{dataset}@2"], "127.0.0.1", 0, print)
    assert [page.status_code for page in shown] == [200, 200, 200]
    assert "small version 1 → small version 2" in words(shown[0])
    serve([f"{dataset}@1"], "127.0.0.1", 0, print)
    assert shown[3].status_code == 404
    with pytest.raises(UserError, match="keeps no version 3; it has 1, 2"):
        serve([f"{dataset}@1", f"{dataset}@3"], "127.0.0.1", 0, print)


@pytest.mark.slow
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_a_page_that_is_ended_leaves_nothing_behind(finished, tmp_path, end):
    view = [sys.executable, "-m", "cli", "view", str(finished), "--port", "0"]
    command = ["sh", "-c", f"trap '' INT; exec {shlex.join(view)}"]  # as in the background
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE) as page:
        assert b"http://127.0.0.1:" in page.stdout.readline()
        assert [*tmp_path.iterdir()]
        page.send_signal(end)
    assert not [*tmp_path.iterdir()]


def test_a_shard_that_cannot_be_read_is_named_and_the_rest_is_shown(client_of, dataset):
    (dataset / LAND).write_bytes(b"PAR1 no more")
    client = client_of(dataset)
    page = client.get("/")
    assert f"Cannot be read, and so is not shown: {LAND}" in words(page)
    assert "12 samples" in words(page)


def test_a_folder_name_is_no_column_of_what_is_in_it(client_of, tmp_path, finished):
    folder = tmp_path / "split=mars" / "source=moon"
    shutil.copytree(finished, folder)
    client = client_of(folder)
    for asked in (
        {"split": "train", "source": "xbd"},
        {"verdict": "proved", "task": "state_count"},
    ):
        assert ids(client.get("/", params=asked))
    assert "land-900" in words(client.get("/refused", params={"source": "bigearthnet"}))


def test_a_publication_meanwhile_changes_nothing_of_what_is_looked_at(client_of, dataset):
    keep_as_version(dataset)
    client = client_of(dataset)
    before = client.get(f"/sample/{COVERAGE}").text
    turn_around(dataset / LAND)
    client.get("/sample/storm-000-00")  # so that no row group is still held
    assert client.get(f"/sample/{COVERAGE}").text == before


def test_another_sample_is_never_shown_for_one_whose_file_was_replaced(client_of, dataset):
    client = client_of(dataset)
    turn_around(dataset / LAND)
    version = read_manifest(dataset).digest[:12]
    for page in (f"/sample/{COVERAGE}", f"/thumb/{version}/{COVERAGE}"):
        answer = client.get(page)
        assert answer.status_code == 500
        assert "replaced while it was looked at" in words(answer)


def test_an_index_that_fails_is_a_page_that_says_so(dataset, spill):
    looked_at = LookedAt(dataset, spill)
    client = TestClient(application(looked_at), base_url="http://127.0.0.1:8100")
    looked_at.index.rows("drop table sample")
    page = client.get("/")
    assert page.status_code == 500
    assert "The index cannot be asked" in words(page)
    assert "Traceback" not in page.text
    assert "select" not in page.text.split("<main>")[1]


def test_what_memory_cannot_hold_lies_in_the_folder_of_the_page(looked_at, spill):
    assert looked_at.index.rows("select current_setting('temp_directory')") == [(str(spill),)]


def test_what_is_not_read_yet_is_said(finished, spill):
    looked_at = LookedAt(finished, spill)
    looked_at.index.fill(most=1)
    client = TestClient(application(looked_at), base_url="http://127.0.0.1:8100")
    assert "1 of 2 shards" in words(client.get("/"))
    assert "still read" in words(client.get("/sample/storm-000-00"))
    looked_at.index.fill()
    assert "shards so far" not in words(client.get("/"))
    assert client.get("/sample/storm-000-00").status_code == 200


def test_a_row_that_is_not_as_it_must_be_is_an_error_that_says_so(client_of, changed_row):
    client = client_of(changed_row(COVERAGE, steps=None))
    page = client.get(f"/sample/{COVERAGE}")
    assert page.status_code == 500
    assert "steps" in words(page)


def test_nothing_of_the_dataset_is_written(finished, client):
    before = {path: path.stat().st_mtime_ns for path in finished.rglob("*")}
    for address in ("/", f"/sample/{COVERAGE}", "/counts", "/map", "/refused", "/about"):
        assert client.get(address).status_code == 200
    assert {path: path.stat().st_mtime_ns for path in finished.rglob("*")} == before


def test_an_index_that_is_filled_in_two_goes_is_the_same(finished, spill):
    whole, parts = (Index(finished, read_manifest(finished), spill) for _ in range(2))
    whole.fill()
    parts.fill(most=1)
    parts.fill()
    sql = "select * exclude (classes, verdicts) from sample order by n"
    assert parts.rows(sql) == whole.rows(sql)
    numbers = np.array([row[0] for row in whole.rows(sql)])
    assert (numbers == np.arange(SAMPLES)).all()


def test_filters_read_from_their_own_address_are_the_same():
    asked = Filters(task="area", class_=("a & b", "c"), q="x=1", box=Box(-1.5, 2, 3, 4.25))
    values = {"task": ["area"], "class": ["a & b", "c"]}
    assert read_filters(parse_qsl(f"{asked.address()[1:]}&page=7"), values) == (asked, 7)
    assert [name for name, _ in replace(asked, box=None).given] == ["task", "class", "class", "q"]
