import ast
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

import masks
from masks.runs import changes, column_major, row_runs

often = settings(max_examples=150, deadline=None)
pixels = st.one_of(
    arrays(np.uint8, st.integers(0, 70), elements=st.integers(0, 2)),
    arrays(np.uint8, st.integers(0, 70), elements=st.integers(0, 255)),
)
ids = arrays(
    np.uint8,
    array_shapes(min_dims=2, max_dims=2, max_side=12),
    elements=st.sampled_from([0, 1, 2, 254, 255]),
)


def test_a_change_is_where_the_new_value_begins():
    assert changes(np.array([3, 3, 0, 0, 0, 9], dtype=np.uint8)).tolist() == [2, 5]


def test_changes_are_found_across_and_at_the_ends_of_words_of_eight():
    values = np.zeros(40, dtype=np.uint8)
    values[[7, 8, 31, 39]] = 1
    assert changes(values).tolist() == [7, 9, 31, 32, 39]


@often
@given(pixels)
def test_changes_are_those_that_numpy_finds(values):
    assert changes(values).tolist() == (np.flatnonzero(np.diff(values.astype(int))) + 1).tolist()


def test_column_major_reads_down_the_columns():
    assert column_major(np.array([[1, 2, 3], [4, 5, 6]], dtype=np.uint8)).tolist() == [
        *(1, 4),
        *(2, 5),
        *(3, 6),
    ]


def test_runs_are_cut_at_the_ends_of_rows():
    ids_HW = np.array([[5, 5, 1], [1, 5, 5]], dtype=np.uint8)
    assert row_runs(ids_HW, 1, 2).tolist() == [[2, 3, 0, 1], [3, 4, 1, 1]]


@often
@given(ids, st.integers(0, 3), st.integers(0, 256))
def test_runs_hold_exactly_the_wanted_pixels(ids_HW, lowest, stop):
    found = np.full(ids_HW.shape, -1)
    table = row_runs(ids_HW, lowest, stop)
    for begin, end, row, value in table:
        assert begin // ids_HW.shape[1] == row == (end - 1) // ids_HW.shape[1]
        found.reshape(-1)[begin:end] = value
    wanted = (ids_HW >= lowest) & (ids_HW < stop)
    assert np.array_equal(found, np.where(wanted, ids_HW.astype(int), -1))
    assert (np.diff(table[:, 0]) > 0).all()


def test_no_file_uses_a_kernel_of_another():
    """The kept code of a kernel is not made anew when a kernel that it calls changes elsewhere."""
    for path in Path(masks.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("masks."):
                assert not [a.name for a in node.names if a.name.startswith("_")], path.name
