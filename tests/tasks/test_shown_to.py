"""What annotators are shown is worked off in threads, and what they have done is told in turn."""

import json
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path

import pytest

from tasks.annotation.shown_to import show
from tasks.config import BuildConfig
from tasks.granules import GranuleId

RUN: ContextVar[str] = ContextVar("run", default="no run")


def ended_at_once(
    command: list[str], environment: Mapping[str, str], log: Path, what: str
) -> Iterator[str]:
    """Say of each table of a process's jobs that it is done."""
    jobs = json.loads(Path(command[-1]).read_text())
    yield from map(str, range(len(jobs["tables"])))


def test_each_granule_is_done_once_and_in_the_run_of_the_caller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.annotation.shown_to.told_by", ended_at_once)
    monkeypatch.setattr("tasks.annotation.shown_to.require_torch", lambda what: None)
    RUN.set("the caller's")
    granules = [GranuleId("xbd", "train", str(number)) for number in range(3)]
    done: list[tuple[GranuleId, str]] = []
    show(
        BuildConfig(sources={"xbd": tmp_path}, out=tmp_path / "dataset", workers=2),
        "annotate",
        {granule: tmp_path / granule.name for granule in granules},
        (),
        lambda granule: done.append((granule, RUN.get())),
        labelled=True,
    )
    assert sorted(done, key=lambda one: one[0].name) == [(g, "the caller's") for g in granules]
