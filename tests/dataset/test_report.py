"""The page shows what was drawn, needs nothing but itself, and trusts no text."""

import base64
import re
from html.parser import HTMLParser
from io import BytesIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from schemas.parquet import SAMPLE_SCHEMA
from tasks.drawing import PALETTE, hex_of, inline_image, outline_path
from tasks.drawn_rows import draw, drawn_rows
from tasks.evaluated import evaluated
from tasks.inspect_dataset import survey
from tasks.manifest import read_manifest
from tasks.readable import program_text, step_pieces
from tasks.report import write_report
from tasks.rows import read_rows
from tasks.shard_counts import count_shards
from tasks.shown import PAGES


class Page(HTMLParser):
    """Collects tags with attributes, and the text outside scripts and styles."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.words, self.open = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data):
        if not {"script", "style"} & set(self.open):
            self.words.append(data)

    def all(self, tag, **attributes):
        return [a for t, a in self.tags if t == tag and attributes.items() <= a.items()]


def counted(dataset):
    manifest = read_manifest(dataset)
    counts = count_shards(dataset, manifest.files)
    return manifest, survey(dataset, manifest, counts), counts


def drawn(dataset):
    manifest, _, counts = counted(dataset)
    return drawn_rows(dataset, manifest.files, counts, seed=3, number=24)


@pytest.fixture
def page(dataset):
    return Page(write_report(dataset, *counted(dataset), seed=3).read_text())


def test_the_page_shows_as_many_samples_as_asked_for(page, dataset):
    assert len(page.all("article")) == 24
    path = write_report(dataset, *counted(dataset), seed=3, num_samples=5)
    assert len(Page(path.read_text()).all("article")) == 5


def test_the_page_needs_nothing_else(page, dataset):
    text = (dataset / "report" / "index.html").read_text()
    for tag, attributes in page.tags:
        assert tag not in ("link", "iframe", "object", "embed", "base")
        assert all(v.startswith("data:") for k, v in attributes.items() if k in ("src", "href"))
    assert not re.search(r"https?://|url\(|@import", text)
    assert "default-src 'none'" in text


def test_the_same_seed_draws_the_same_page_and_another_seed_another(dataset):
    told = counted(dataset)
    first = write_report(dataset, *told, seed=3).read_bytes()
    assert write_report(dataset, *told, seed=3).read_bytes() == first
    assert write_report(dataset, *told, seed=4).read_bytes() != first


def test_every_source_and_every_task_is_drawn_before_any_comes_twice_as_often():
    numbers = {"a": {"x": 9, "y": 9, "z": 9}, "b": {"x": 9}}
    places = draw(numbers, seed=1, number=8)
    assert [place.source for place in places] == ["a", "b"] * 4
    tasks = [place.task for place in places if place.source == "a"]
    assert sorted(tasks[:3]) == ["x", "y", "z"]
    assert tasks[3] == tasks[0]
    everything = draw(numbers, seed=1, number=100)
    assert len(everything) == len(set(everything)) == 36
    assert {place.number for place in everything} == set(range(9))
    assert draw({}, seed=1, number=3) == []


def test_all_rows_are_drawn_once_where_as_many_are_asked_for(dataset):
    manifest, _, counts = counted(dataset)
    rows = drawn_rows(dataset, manifest.files, counts, seed=3, number=1000)
    assert len({row.sample_id for row in rows}) == len(rows) == 100
    some = drawn_rows(dataset, manifest.files, counts, seed=3, number=1000, tasks=["existence"])
    assert [row.sample_id for row in some if row.task != "existence"] == []
    assert len(some) == 14


def test_only_shards_of_which_a_row_is_drawn_are_opened(dataset):
    manifest, _, counts = counted(dataset)
    (row,) = drawn_rows(dataset, manifest.files, counts, seed=3, number=1)
    for file in manifest.files:
        if file.source != row.source:
            (dataset / file.path).unlink()
    assert drawn_rows(dataset, manifest.files, counts, seed=3, number=1) == [row]


def test_each_mask_has_a_step_of_its_colour(page):
    buttons = [b for b in page.all("button") if b.get("data-layer", "-1") != "-1"]
    masks = page.all("g")
    assert len(buttons) >= len(masks) > 24
    assert {b["data-layer"] for b in buttons} >= {m["data-mask"] for m in masks}
    fills = {a["fill"] for a in page.all("path") if "fill" in a}
    assert fills <= {"#{:02x}{:02x}{:02x}".format(*colour) for colour in PALETTE}


def test_chips_have_the_colours_of_the_masks() -> None:
    style = (PAGES / "style.css").read_text()
    due = [f".colour-{n} {{ background: {hex_of(c)}; }}" for n, c in enumerate(PALETTE)]
    assert re.findall(r"\.colour-.*", style) == due


def test_every_part_of_a_program_stands_with_what_the_masks_come_to(dataset, page):
    words = " ".join("".join(page.words).split())
    for row in drawn(dataset):
        root = evaluated(row).root
        assert root is not None
        for part in (root, *root.parts):
            assert f"{part.words}{part.value}" in words


def test_what_the_page_says_is_what_the_sample_says(dataset, page):
    words = "".join(page.words)
    for row in drawn(dataset):
        assert row.question in words
        assert row.sample_id in words
        assert all(option in words for option in row.options)
        assert program_text(row.program) in words


def test_hostile_text_stays_text(dataset):
    path = dataset / "data" / "l1" / "xbd-train-b00.parquet"
    rows = pq.read_table(path).to_pylist()
    hostile = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{ 7*7 }}"
    for row in rows:
        row["question"] = row["place"] = row["scene_id"] = hostile
        row["image_info"][0]["rendering"] = row["images"][0]["path"] = hostile
        row["provenance"]["files"][0]["path"] = hostile
        row["options"] = [hostile]
        row["source"] = hostile
        row["program"] = row["program"].replace("building", "<img src=y>")
    pq.write_table(pa.Table.from_pylist(rows, schema=SAMPLE_SCHEMA), path)
    page = Page(write_report(dataset, *counted(dataset), seed=3).read_text())
    assert len(page.all("script")) == 1
    assert all(image["src"].startswith("data:image/") for image in page.all("img"))
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert hostile in "".join(page.words)


def test_a_large_image_becomes_a_small_jpeg_and_a_small_one_stays_as_it_is():
    noise = np.random.default_rng(0).integers(0, 255, (1024, 768, 3), dtype=np.uint8)
    file = BytesIO()
    Image.fromarray(noise).save(file, "PNG")
    kind, content = inline_image(file.getvalue(), 512, 40_000)
    with Image.open(BytesIO(content)) as small:
        assert (kind, small.size, small.format) == ("image/jpeg", (384, 512), "JPEG")
    tiny = BytesIO()
    Image.fromarray(noise[:20, :20]).save(tiny, "PNG")
    assert inline_image(tiny.getvalue(), 512, 40_000) == ("image/png", tiny.getvalue())


def test_the_images_on_the_page_can_be_decoded(page):
    images = page.all("img")
    assert len(images) > 24
    for image in images:
        content = base64.b64decode(image["src"].partition(",")[2])
        with Image.open(BytesIO(content)) as shown:
            assert shown.size == (120, 120)


def filled(path: str, shape: tuple[int, int]) -> np.ndarray:
    """Fill an SVG path of h, v and z by the even-odd rule, with a pixel's centre as its place."""
    crossings = np.zeros(shape, dtype=int)
    for ring in re.findall(r"M(\d+) (\d+)((?:[hv]-?\d+)*)z", path):
        start = x, y = int(ring[0]), int(ring[1])
        points = [start]
        for way, by in re.findall(r"([hv])(-?\d+)", ring[2]):
            x, y = (x + int(by), y) if way == "h" else (x, y + int(by))
            points.append((x, y))
        for (x0, y0), (x1, y1) in zip(points, [*points[1:], start], strict=True):
            assert x0 == x1 or y0 == y1
            if x0 == x1:
                crossings[min(y0, y1) : max(y0, y1), x0:] += 1
    return crossings % 2 == 1


@given(arrays(np.bool_, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_an_outline_filled_again_is_the_mask(mask_HW):
    assert np.array_equal(filled(outline_path(mask_HW), mask_HW.shape), mask_HW)


def test_one_pixel_has_an_outline_of_four_edges():
    mask_HW = np.zeros((3, 4), dtype=np.bool_)
    mask_HW[1, 2] = True
    assert sorted(re.findall(r"[hv]-?1", outline_path(mask_HW))) in (
        [["h1", "v-1", "v1"], ["h-1", "h1", "v1"], ["h-1", "h1", "v-1"], ["h-1", "v-1", "v1"]]
    )


def test_steps_are_cut_at_facts_and_marks(dataset):
    path = dataset / "data" / "l1" / "xbd-train-b00.parquet"
    row = read_rows(path, {"storm-000-01"})["storm-000-01"]
    steps = step_pieces(row)
    assert ["".join(piece.text for piece in pieces) for pieces in steps] == [
        step.text for step in row.steps
    ]
    assert [(p.kind, p.text) for p in steps[1]] == [
        ("text", "I mark building "),
        ("seg", "[SEG]"),
        ("text", ". It covers "),
        ("fact", "128"),
        ("text", " pixels."),
    ]


@pytest.mark.parametrize(
    ("program", "text"),
    [
        (
            '{"op":"area","of":{"op":"mask","layer":"land","label":"forest","date":0}}',
            "area('forest' in land @ 0)",
        ),
        (
            '{"op":"count","of":{"op":"instances","layer":"b","label":"building","date":1,'
            '"attribute":"destroyed"},"min_component_px":9}',
            "count(each 'building' that are 'destroyed' in b @ 1)",
        ),
        (
            '{"op":"compare","a":{"op":"number","value":0.5,"unit":"share"},"relation":"<",'
            '"b":{"op":"number","value":2}}',
            "compare(0.5 share, <, 2)",
        ),
        (
            '{"op":"exists","of":{"op":"part","of":{"op":"valid","layer":"l","date":0},"cell":2}}',
            "exists(part(labelled in l @ 0, cell: upper right))",
        ),
    ],
)
def test_programs_are_written_as_expressions(program, text):
    assert program_text(program) == text


def test_a_long_program_is_broken_over_lines(dataset):
    path = dataset / "data" / "l1" / "bigearthnet-train-b00.parquet"
    row = read_rows(path, {"land-000-10"})["land-000-10"]
    assert program_text(row.program) == (
        "argmax(\n"
        "  'water': area('water' in land @ 0),\n"
        "  'forest': area('forest' in land @ 0),\n"
        "  'crop': area('crop' in land @ 0),\n"
        "  'town': area('town' in land @ 0)\n"
        ")"
    )
