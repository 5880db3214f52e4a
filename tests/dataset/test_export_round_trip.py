"""Masks and text come back from every export as they went in, whatever they are."""

import json
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pycocotools import mask as coco_mask
from rasterio.features import rasterize

from masks.rle import encode
from tasks.exports.choice import Choice
from tasks.exports.export import export
from tasks.exports.polygons import bounding_box, outline
from tasks.exports.vlmevalkit import _MISSING
from tasks.manifest import read_manifest
from tasks.rows import open_shard, row_groups

MASKS = arrays(np.bool_, st.tuples(st.integers(1, 9), st.integers(1, 9)))
# all that a writer may use: letters of any script, quotes, tabs, ends of lines; no lone halves
TEXT = st.text(st.one_of(st.characters(exclude_categories=("Cs", "Cc")), st.sampled_from('\t\n"')))
WORDS = TEXT.filter(lambda text: text.strip() and text not in _MISSING)
FEW = settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="session")
def choice_row(finished):
    """A question of one image with options, to be given other words and masks."""
    file = read_manifest(finished).files[0]
    read = [
        g.read(at) for g in row_groups(open_shard(finished / file.path)) for at in range(len(g))
    ]
    return next(row for row in read if row.options and len(row.images) == 1)


def changed(row, mask_HW, **words):
    mask = row.masks[0].model_copy(
        update={"size": mask_HW.shape, "counts": encode(mask_HW).decode("ascii")}
    )
    return row.model_copy(update={"masks": (mask,), **words})


def exported(finished, row, to, read):
    with (
        TemporaryDirectory() as folder,
        patch("tasks.exports.target.chosen_rows", lambda *_: iter([iter([row])])),
    ):
        out = Path(folder) / "out"
        export(finished, to, out, Choice())
        return read(out)


@FEW
@given(mask_HW=MASKS, question=TEXT, trace=TEXT)
def test_terracot_gives_masks_and_words_back(finished, choice_row, mask_HW, question, trace):
    row = changed(choice_row, mask_HW, question=question, trace=trace)
    (entry,) = exported(
        finished,
        row,
        "terracot",
        lambda out: json.loads((out / "train" / "single_image.json").read_text(encoding="utf-8")),
    )
    human, gpt = entry["conversations"]
    assert human["value"].startswith(f"<image>\n{question}\nA. ")
    assert gpt["value"] == trace
    assert (coco_mask.decode(entry["masks"][0][0]) == mask_HW).all()


@FEW
@given(mask_HW=MASKS, question=TEXT, trace=TEXT)
def test_webdataset_gives_masks_and_words_back(finished, choice_row, mask_HW, question, trace):
    row = changed(choice_row, mask_HW, question=question, trace=trace)

    def read(out):
        with tarfile.open(out / "train-000000.tar") as tar:
            return json.load(tar.extractfile(f"{row.sample_id}.json"))

    told = exported(finished, row, "webdataset", read)
    assert (told["question"], told["trace"]) == (question, trace)
    assert (coco_mask.decode(told["masks"][0]) == mask_HW).all()


@FEW
@given(question=WORDS, options=st.lists(WORDS, min_size=2, max_size=6))
def test_vlmevalkit_gives_words_back(finished, choice_row, question, options):
    row = choice_row.model_copy(update={"question": question, "options": tuple(options)})
    table = exported(
        finished,
        row,
        "vlmevalkit",
        lambda out: pd.read_csv(out / "small.tsv", sep="\t", dtype=str, encoding="utf-8"),
    )
    assert len(table) == 1
    assert table["question"][0] == question
    assert [table[chr(65 + at)][0] for at in range(len(options))] == options
    assert table.loc[0, [chr(65 + at) for at in range(len(options), 8)]].isna().all()


@settings(deadline=None)
@given(mask_HW=MASKS)
def test_an_outline_filled_by_odd_and_even_is_the_mask(mask_HW):
    outer, holes = outline(mask_HW)
    filled_HW = np.zeros(mask_HW.shape, np.uint8)
    for ring in (*outer, *holes):
        points = list(zip(ring[::2], ring[1::2], strict=True))
        polygon = {"type": "Polygon", "coordinates": [[*points, points[0]]]}
        filled_HW ^= rasterize([polygon], mask_HW.shape, dtype="uint8")
    assert (filled_HW.astype(bool) == mask_HW).all()


def test_a_hole_and_an_island_in_it_are_rings_of_their_own():
    mask_HW = np.ones((5, 5), np.bool_)
    mask_HW[1:4, 1:4] = False
    mask_HW[2, 2] = True
    outer, holes = outline(mask_HW)
    assert sorted(map(len, outer)) == [8, 8]  # four corners each
    assert sorted(outer[0] + outer[1])[-1] == 5.0
    assert [sorted(zip(ring[::2], ring[1::2], strict=True)) for ring in holes] == [
        [(1, 1), (1, 4), (4, 1), (4, 4)]
    ]
    assert bounding_box(mask_HW) == (0, 0, 5, 5)
