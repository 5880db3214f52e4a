"""How far a stage is, in a few updates, with neither a server nor a clock."""

from uuid import uuid4

import pytest

from flows import progress
from flows.progress import Stages, key_of
from tasks.progress import Bar


@pytest.fixture
def shown(monkeypatch) -> list[tuple[str, float]]:
    """Return what is created and updated, and let every stage be a long one."""
    found: list[tuple[str, float]] = []
    keys = {}

    def create(percent, key, description):
        artifact = uuid4()
        keys[artifact] = key
        found.append((key, percent))
        return artifact

    monkeypatch.setattr(progress, "create_progress_artifact", create)
    monkeypatch.setattr(
        progress, "update_progress_artifact", lambda a, percent: found.append((keys[a], percent))
    )
    monkeypatch.setattr(progress, "LONG_S", 0.0)
    return found


def test_a_stage_of_many_granules_is_updated_ten_times_and_ends_at_all(shown) -> None:
    stages, bar = Stages("d", 1000, {}), Bar("l1", 1000)
    stages(bar)
    for done in range(1, 1001):
        bar.done = done
        stages(bar)
    assert shown == [("progress-l1-d", 10.0 * step) for step in range(11)]


def test_batches_of_a_stage_count_together_and_a_stage_may_take_several_passes(shown) -> None:
    stages = Stages("d", 4, {"shards": 2})
    bars = [Bar("shards", 2) for _ in range(4)]
    for bar in bars:
        stages(bar)
        for done in (1, 2):
            bar.done = done
            stages(bar)
    assert [percent for _, percent in shown] == [12.5 * step for step in range(9)]


def test_more_granules_than_were_planned_never_pass_a_hundred(shown) -> None:
    stages = Stages("d", 1, {})
    for bar in (Bar("l1", 1), Bar("l1", 1)):
        stages(bar)
        bar.done = 1
        stages(bar)
    assert max(percent for _, percent in shown) == 100.0


def test_a_stage_that_is_done_at_once_shows_nothing(shown, monkeypatch) -> None:
    monkeypatch.setattr(progress, "LONG_S", 10.0)
    stages, bar = Stages("d", 1, {}), Bar("l1", 1)
    stages(bar)
    bar.done = 1
    stages(bar)
    assert not shown
    assert stages.seconds.keys() == {"l1"}


def test_keys_are_small_letters_digits_and_dashes() -> None:
    assert key_of("progress-cap_cot", "My Dataset.v2") == "progress-cap-cot-my-dataset-v2"
