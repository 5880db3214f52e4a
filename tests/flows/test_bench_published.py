"""Where the scores of a published model go."""

from pathlib import Path

import pytest

from flows.bench_published import folders_of
from tasks.errors import UserError


def test_each_bench_has_a_folder_by_its_whole_name(tmp_path: Path) -> None:
    first, second = tmp_path / "bench.1", tmp_path / "bench.2"
    assert folders_of([first, second], tmp_path / "scores") == {
        first: tmp_path / "scores" / "bench.1",
        second: tmp_path / "scores" / "bench.2",
    }


def test_benches_of_one_name_are_refused_and_neither_is_written_over(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="several are called bench"):
        folders_of([tmp_path / "a" / "bench", tmp_path / "b" / "bench"], tmp_path / "scores")
